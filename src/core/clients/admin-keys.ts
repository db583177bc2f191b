/** The admin key of the management endpoints. Several may hold at once, so that one can be replaced without a gap. */
import { digest, sameSecret } from '../../base/secrets.ts';
import type { Caller } from '../kernel/caller.ts';
import type { CredentialLimits } from '../kernel/credential-limits.ts';

type KeyCheck =
  | { readonly outcome: 'accepted' | 'refused' }
  /** Too many wrong ones came from this address; this one was not looked at. Seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

export interface AdminKeys {
  /**
   * `presented`: every key that a request has; exactly one is taken. Wrong ones count for their address, and without
   * one there is nothing to count. Takes the same time whichever key it is or none (security.md E1).
   */
  check(presented: readonly string[], from: Caller): Promise<KeyCheck>;
}

/** Whether the key has one of these digests; takes the same time whichever it is or none. */
export function isOneOf(digests: readonly string[], key: string): boolean {
  const hash = digest(key);
  let found = false;
  for (const known of digests) if (sameSecret(known, hash)) found = true;
  return found;
}

/** `digests`: SHA-256 of each key, base64url. */
export function createAdminKeys(
  digests: readonly string[],
  limits: Pick<CredentialLimits, 'wait' | 'failed'>,
): AdminKeys {
  return {
    async check(presented, from) {
      const [key = '', ...more] = presented;
      if (key === '' && more.length === 0) return { outcome: 'refused' };
      const guess = { kind: 'admin_key', from } as const;
      const wait = limits.wait(guess);
      if (wait > 0) return { outcome: 'throttled', retryAfter: wait };
      if (isOneOf(digests, key) && more.length === 0) return { outcome: 'accepted' };
      const retryAfter = await limits.failed(guess);
      return retryAfter > 0 ? { outcome: 'throttled', retryAfter } : { outcome: 'refused' };
    },
  };
}
