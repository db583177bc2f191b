/** Admin keys of the management endpoints. Several can be valid at once, so that one can be replaced without a gap. */
import { digest, sameSecret } from '../../base/secrets.ts';
import type { Caller } from '../kernel/caller.ts';
import type { CredentialLimits } from '../kernel/credential-limits.ts';

type KeyCheck =
  | { readonly outcome: 'accepted' | 'refused' }
  /** Too many wrong keys from this address; this one was not checked. `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

export interface AdminKeys {
  /**
   * `presented`: all keys of a request; only exactly one is accepted. A wrong key counts for its address; a missing one
   * does not. The time does not reveal which key matched, or none (security.md E1).
   */
  check(presented: readonly string[], from: Caller): Promise<KeyCheck>;
}

/** Returns true if the key has one of these digests. The time does not reveal which one matched, or none. */
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
