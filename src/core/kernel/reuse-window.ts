/**
 * Refresh token reuse. If a response got lost or two requests ran at once, a token that was replaced moments ago
 * returns the same successor again. The successor is sealed under a key derived from the replaced token, so only the
 * holder of that token can open it.
 */
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../base/secrets.ts';
import type { StoredToken } from '../stores/engine.ts';

/**
 * Returns the successor if the token was replaced less than `reuseWindow` seconds ago and the successor is unused.
 * Otherwise a consumed token is a replay.
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
