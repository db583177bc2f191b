/** The guard of the management endpoints: `X-Admin-Key`, in the header and nowhere else. */
import type { Context } from 'koa';
import { Refusal } from '../base/errors.ts';
import type { AdminKeys } from '../core/admin-keys.ts';

/** Throws `Refusal`. Sent twice is refused even where both are right: who stands in front may have looked at the other one. */
export function requireAdminKey(ctx: Context, keys: AdminKeys): void {
  const [first, ...more] = ctx.req.headersDistinct['x-admin-key'] ?? [];
  if (keys.accepts(first) && more.length === 0) return;
  // RFC 9110, section 15.5.2: a 401 names a challenge. No browser knows this one, so none asks for a password.
  throw new Refusal('unauthorized', 'an admin key is needed in X-Admin-Key', { 'WWW-Authenticate': 'X-Admin-Key' });
}
