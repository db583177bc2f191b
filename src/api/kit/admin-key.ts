/** The guard of the management endpoints: `X-Admin-Key`, in the header and nowhere else. */
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import type { AdminKeys } from '../../core/clients/admin-keys.ts';
import { callerOf } from '../../http/caller.ts';
import { type Operation, operation } from './operation.ts';
import { retryAfterHeader, tooMany } from './refusals.ts';

/** An operation for admins: the key comes first, so that a stranger learns nothing about what would be accepted. */
export function adminOperation<B = undefined, Q = undefined>(keys: AdminKeys, made: Operation<B, Q>): Operation {
  return operation<B, Q>({
    ...made,
    security: ['adminKey'],
    answers: {
      ...made.answers,
      401: 'The admin key is missing, wrong, or there twice.',
      429: { description: 'Too many wrong admin keys came from this address.', headers: retryAfterHeader },
    },
    async handle(ctx, read) {
      await requireAdminKey(ctx, keys);
      return made.handle(ctx, read);
    },
  });
}

/** Throws `Refusal`. Sent twice is refused even where both are right: who stands in front may have looked at the other one. */
async function requireAdminKey(ctx: Context, keys: AdminKeys): Promise<void> {
  const presented = ctx.req.headersDistinct['x-admin-key'] ?? [];
  const checked = await keys.check(presented, callerOf(ctx, 'X-Admin-Key'));
  if (checked.outcome === 'accepted') return;
  if (checked.outcome === 'throttled') throw tooMany(checked.retryAfter);
  // RFC 9110, section 15.5.2: a 401 names a challenge. No browser knows this one, so none asks for a password.
  throw new Refusal('unauthorized', 'an admin key is needed in X-Admin-Key', { 'WWW-Authenticate': 'X-Admin-Key' });
}
