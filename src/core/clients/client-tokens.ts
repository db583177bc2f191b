/**
 * Client tokens: credentials that an admin gives a registered client that works without a user. Shown once. The hash is
 * stored in the client's record, so a lookup of the client finds it, and a revocation spreads like any change of it.
 *
 *     gatehouse_ct_<client id, base64url>_<43 random characters>
 *
 * The prefix lets secret scanners find a token in a repository. There is no colon, because the header of the
 * space-guard API separates the token from a JWT with one.
 */
import { digest, randomToken } from '../../base/secrets.ts';
import type { ClientToken } from '../stores/clients.ts';

const prefix = 'gatehouse_ct_';
const secretLength = 43;
/** More than any program needs, and it keeps the record small. */
export const clientTokensMax = 20;

export function newClientToken(
  clientId: string,
  { label, now, lifetime }: { label: string; now: number; lifetime: number | null },
): { value: string; stored: ClientToken } {
  const value = `${prefix}${Buffer.from(clientId).toString('base64url')}_${randomToken(32)}`;
  const hash = digest(value);
  // Hexadecimal, because a command line reads a leading hyphen as an option.
  const id = Buffer.from(hash, 'base64url').toString('hex', 0, 6);
  return { value, stored: { id, hash, label, createdAt: now, expiresAt: lifetime === null ? null : now + lifetime } };
}

/** Reads the client id that the token claims. The caller checks the hash against that client's record. */
export function readClientToken(value: string): { clientId: string; hash: string } | undefined {
  if (!value.startsWith(prefix) || value.length > 512 || value.at(-secretLength - 1) !== '_') return undefined;
  const encoded = value.slice(prefix.length, -secretLength - 1);
  const clientId = Buffer.from(encoded, 'base64url').toString();
  return clientId === '' ? undefined : { clientId, hash: digest(value) };
}
