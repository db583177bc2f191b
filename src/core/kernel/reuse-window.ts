/**
 * A refresh token that was replaced a moment ago (its answer got lost, or two requests were sent at once) brings the same
 * successor again. The successor's value is kept sealed under a key derived from the token that it replaced, so that only
 * whoever presents that one can open it.
 */
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../base/secrets.ts';
import type { StoredToken } from '../stores/engine.ts';

/**
 * The value that took this refresh token's place, if the reuse window (seconds) still holds: replaced a moment ago, and the
 * replacement itself unused. Anything older is a replay.
 */
export function successorOf(
  token: Pick<StoredToken, 'consumedAt' | 'successorSealed' | 'successorConsumed'>,
  value: string,
  reuseWindow: number,
): string | undefined {
  if (token.consumedAt === null || token.successorSealed === null || token.successorConsumed) return undefined;
  if (nowSeconds() - token.consumedAt >= reuseWindow) return undefined;
  return unseal(deriveKey(value, 'successor'), token.successorSealed, 'successor');
}

export function sealSuccessor(value: string, successor: string): string {
  return seal(deriveKey(value, 'successor'), successor, 'successor');
}
