/** Which sign-in methods of a person cannot go, because of what would be left (core/factors/sign-in-methods). */

import { leavesSignInMethod, type SignInMethods } from '../../core/factors/sign-in-methods.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { Upstream } from '../../core/upstream/upstream.ts';
import type { AccountDeps } from './deps.ts';
import type { Onward } from './visit.ts';

/** Ids of those that people can sign in with. */
export const providersOf = (upstream: Upstream): readonly string[] => upstream.offered().map(({ id }) => id);

export async function neededOf(
  upstream: Upstream,
  { subject, passwordHash }: Account,
  passkeys: SignInMethods['passkeys'],
): Promise<(id: string) => boolean> {
  const ways = { password: passwordHash !== null, passkeys, identities: await upstream.linked(subject) };
  return (id) => !leavesSignInMethod(ways, id, providersOf(upstream));
}

/**
 * Where to go first, when it is the last second factor that is to go and the password was accepted only beside one. Asked before the
 * removal: of two at once both may pass, and the next sign-in asks for a longer password (core/sign-in).
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
