/**
 * When somebody has signed in at another provider, which may have answered from a session of its own without asking anybody
 * anything. An answer is no sign-in: whoever finds an open browser could sign out here, come back through the provider without a
 * question, and be let through wherever a sign-in of the last minutes is asked for (security.md B11).
 */
import { nowSeconds } from '../../base/clock.ts';
import type { UpstreamProvider } from './upstream-provider.ts';
import type { Freshness } from './upstream-state.ts';

type Rule = UpstreamProvider['freshSignIn'];

/** Clocks differ. */
const toleranceSeconds = 60;

/** Seconds since the epoch; 0, which is fresh for nothing, where the provider does not tell and its answer does not stand for a sign-in. */
export function signedInAt(told: number | undefined, rule: Rule): number {
  const now = nowSeconds();
  return Math.min(now, told ?? (rule === 'assumed' ? now : 0));
}

/** What a sign-in at the provider lacks of the freshness that was asked for; undefined: nothing. */
export function staleness(
  { fresh, at }: { readonly fresh: Freshness; readonly at: number },
  authTime: number | undefined,
  rule: Rule,
): string | undefined {
  const { maxAge, login } = fresh;
  if (maxAge !== undefined && authTime === undefined && rule === 'told') return 'max_age was sent, no auth_time came';
  if (maxAge !== undefined && authTime !== undefined && authTime + maxAge + toleranceSeconds < nowSeconds()) {
    return 'auth_time is longer ago than max_age allows';
  }
  // A provider that does not tell cannot be held to it.
  if (login && authTime !== undefined && authTime + toleranceSeconds < at) return 'nobody signed in there for this';
  return undefined;
}
