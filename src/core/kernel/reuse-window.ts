/**
 * Refresh token reuse. If a response got lost or two requests ran at once, a token that was replaced moments ago
 * returns the same successor again. The successor is sealed under a key derived from the replaced token, so only the
 * holder of that token can open it.
 */
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../base/secrets.ts';
import type { StoredToken } from '../stores/engine.ts';

/** Sealed with the successor: what the request that replaced the token asked for, and where it came from. */
interface Replacing {
  /** Without spaces. */
  readonly network: string;
  readonly asked: string;
}

export interface Successor extends Replacing {
  readonly value: string;
}

/**
 * Returns the successor if the token was replaced less than `reuseWindow` seconds ago and the successor is unused.
 * Otherwise a consumed token is a replay.
 */
export function successorOf(
  token: Pick<StoredToken, 'consumedAt' | 'successorSealed' | 'successorConsumed'>,
  value: string,
  reuseWindow: number,
): Successor | undefined {
  if (token.consumedAt === null || token.successorSealed === null || token.successorConsumed) return undefined;
  if (nowSeconds() - token.consumedAt >= reuseWindow) return undefined;
  const opened = unseal(deriveKey(value, 'successor'), token.successorSealed, 'successor');
  if (opened === undefined) return undefined;
  const [successor = '', network = '', ...asked] = opened.split(' ');
  return { value: successor, network, asked: asked.join(' ') };
}

export function sealSuccessor(value: string, successor: string, replacing?: Replacing): string {
  const along = replacing === undefined ? '' : ` ${replacing.network} ${replacing.asked}`;
  return seal(deriveKey(value, 'successor'), `${successor}${along}`, 'successor');
}
