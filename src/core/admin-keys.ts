/** The admin key of the management endpoints. Several may hold at once, so that one can be replaced without a gap. */
import { digest, sameSecret } from '../base/secrets.ts';

export interface AdminKeys {
  /** Whether this is one of the keys; takes the same time whichever it is or none (security.md E1). */
  accepts(presented: string | undefined): boolean;
}

/** `digests`: SHA-256 of each key, base64url. */
export function createAdminKeys(digests: readonly string[]): AdminKeys {
  return {
    accepts(presented) {
      const hash = digest(presented ?? '');
      let accepted = false;
      for (const known of digests) if (sameSecret(known, hash)) accepted = true;
      return accepted && presented !== undefined && presented !== '';
    },
  };
}
