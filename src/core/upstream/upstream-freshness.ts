/**
 * When the user has signed in at an upstream provider. The provider may answer from a session of its own, without
 * asking the user. Such an answer is not a fresh sign-in: at an unattended browser, an attacker could sign out here,
 * return through the provider, and pass every check for a recent sign-in (security.md B11).
 */
import { nowSeconds } from '../../base/clock.ts';
import type { UpstreamProvider } from './upstream-provider.ts';
import type { Freshness } from './upstream-state.ts';

type Rule = UpstreamProvider['freshSignIn'];

/** For clocks that differ. */
const toleranceSeconds = 60;

/**
 * Returns seconds since the epoch. Returns 0, which is never fresh, if the provider sent no time and its answer does
 * not count as a sign-in.
 */
export function signedInAt(told: number | undefined, rule: Rule): number {
  const now = nowSeconds();
  return Math.min(now, told ?? (rule === 'assumed' ? now : 0));
}

/** Returns why the sign-in at the provider is not fresh enough, or undefined if it is. */
export function staleness(
  { fresh, at }: { readonly fresh: Freshness; readonly at: number },
  authTime: number | undefined,
  rule: Rule,
): string | undefined {
  const { maxAge, login } = fresh;
  if (maxAge !== undefined && authTime === undefined && rule === 'told')
    return 'max_age was sent, and the provider returned no auth_time';
  if (maxAge !== undefined && authTime !== undefined && authTime + maxAge + toleranceSeconds < nowSeconds()) {
    return 'auth_time is older than max_age allows';
  }
  // Without `auth_time`, this server cannot check `prompt=login`.
  if (login && authTime !== undefined && authTime + toleranceSeconds < at)
    return 'auth_time is before the request, so the user did not sign in again';
  return undefined;
}
