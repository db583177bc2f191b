/**
 * Client tokens: what an admin gives to a registered client that works without a person. Shown once, stored as a hash in the
 * client's own record, so that looking one up is looking up the client, and its revocation travels as any change of the client.
 *
 *     gatehouse_ct_<client id, base64url>_<43 random characters>
 *
 * The prefix lets secret scanners find one that slipped into a repository; there is no colon, which separates the token from a
 * JWT in the header of the space-guard API.
 */
import { digest, randomToken } from '../../base/secrets.ts';
import type { ClientToken } from '../stores/clients.ts';

const prefix = 'gatehouse_ct_';
const secretLength = 43;
/** More than any program needs; the record stays small. */
export const clientTokensMax = 20;

export function newClientToken(
  clientId: string,
  { label, now, lifetime }: { label: string; now: number; lifetime: number | null },
): { value: string; stored: ClientToken } {
  const value = `${prefix}${Buffer.from(clientId).toString('base64url')}_${randomToken(32)}`;
  const hash = digest(value);
  // Hexadecimal: a hyphen in front would make an option of it on a command line.
  const id = Buffer.from(hash, 'base64url').toString('hex', 0, 6);
  return { value, stored: { id, hash, label, createdAt: now, expiresAt: lifetime === null ? null : now + lifetime } };
}

/** Whose token it claims to be; whether it is one is for the client's record to say. */
export function readClientToken(value: string): { clientId: string; hash: string } | undefined {
  if (!value.startsWith(prefix) || value.length > 512 || value.at(-secretLength - 1) !== '_') return undefined;
  const encoded = value.slice(prefix.length, -secretLength - 1);
  const clientId = Buffer.from(encoded, 'base64url').toString();
  return clientId === '' ? undefined : { clientId, hash: digest(value) };
}
