/** Guards the management endpoints by the header `X-Admin-Key`. */
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import type { AdminKeys } from '../../core/clients/admin-keys.ts';
import { callerOf } from '../../http/caller.ts';
import { type Operation, operation } from './operation.ts';
import { retryAfterHeader, tooMany } from './refusals.ts';

/** An operation for admins. The key is checked first, so callers without it learn nothing about valid input. */
export function adminOperation<B = undefined, Q = undefined>(keys: AdminKeys, made: Operation<B, Q>): Operation {
  return operation<B, Q>({
    ...made,
    security: ['adminKey'],
    answers: {
      ...made.answers,
      401: 'The admin key is missing, wrong or repeated.',
      429: { description: 'Too many wrong admin keys from this address.', headers: retryAfterHeader },
    },
    async handle(ctx, read) {
      await requireAdminKey(ctx, keys);
      return made.handle(ctx, read);
    },
  });
}

/**
 * Throws `Refusal`. Refuses a repeated header even if both keys are right: a proxy may have checked only one of them.
 */
async function requireAdminKey(ctx: Context, keys: AdminKeys): Promise<void> {
  const presented = ctx.req.headersDistinct['x-admin-key'] ?? [];
  const checked = await keys.check(presented, callerOf(ctx, 'X-Admin-Key'));
  if (checked.outcome === 'accepted') return;
  if (checked.outcome === 'throttled') throw tooMany(checked.retryAfter);
  // A 401 needs a challenge (RFC 9110, section 15.5.2). Browsers do not know this scheme, so they show no password
  // dialog.
  throw new Refusal('unauthorized', 'an admin key is needed in X-Admin-Key', { 'WWW-Authenticate': 'X-Admin-Key' });
}
