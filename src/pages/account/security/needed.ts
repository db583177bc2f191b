/** Finds the sign-in methods that cannot be removed, because the person could not sign in without them. */

import { leavesSignInMethod, type SignInMethods } from '../../../core/factors/sign-in-methods.ts';
import type { Account } from '../../../core/stores/accounts.ts';
import type { Upstream } from '../../../core/upstream/upstream.ts';
import type { AccountDeps } from '../deps.ts';
import type { Onward } from '../visit.ts';

/** Ids of the configured providers. */
export const providersOf = (upstream: Upstream): readonly string[] => upstream.offered().map(({ id }) => id);

export function neededOf(
  upstream: Upstream,
  { passwordHash }: Account,
  { passkeys, identities }: Pick<SignInMethods, 'passkeys' | 'identities'>,
): (id: string) => boolean {
  const ways = { password: passwordHash !== null, passkeys, identities };
  return (id) => !leavesSignInMethod(ways, id, providersOf(upstream));
}

/**
 * Returns the page to visit first if the last second factor is removed and the password is long enough only with one.
 * Concurrent removals may both pass; the next sign-in then asks for a longer password (core/sign-in).
 */
export async function longerPasswordFirst(
  deps: Pick<AccountDeps, 'factors' | 'passkeys' | 'hasher'>,
  { subject, passwordHash }: Account,
  id: string,
): Promise<Onward | undefined> {
  if (passwordHash === null || deps.hasher.standsAlone(passwordHash)) return undefined;
  const [{ factors }, passkeys] = await Promise.all([deps.factors.list(subject), deps.passkeys.list(subject)]);
  const all = [...factors, ...passkeys];
  const isLast = all.length === 1 && all[0]?.id === id;
  return isLast ? { to: '/account/password', note: { notice: 'password-alone' } } : undefined;
}
