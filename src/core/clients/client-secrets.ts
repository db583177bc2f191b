/**
 * The secrets of a client. Each may have a name and an expiry. Only hashes are stored. All functions are pure; times
 * are seconds since the epoch.
 */
import type { JsonObject } from '../../base/json.ts';
import { digest, randomToken, sameSecret } from '../../base/secrets.ts';
import type { ClientRecord, ClientSecret } from '../stores/clients.ts';

/** More than any deployment needs, and it keeps the record small. */
export const clientSecretsMax = 10;

/** `value` is shown once. */
interface NewSecret {
  readonly value: string;
  readonly stored: ClientSecret;
}

export function newSecret(now: number, { name = '', lifetime = null }: SecretOptions = {}): NewSecret {
  const value = randomToken(32);
  return { value, stored: storedSecret(value, now, name, lifetime) };
}

export interface SecretOptions {
  /** An operator's name for it. Empty: the unnamed secret, which `rotateSecret` replaces by default. */
  readonly name?: string;
  /** Seconds; null: no expiry. */
  readonly lifetime?: number | null;
}

/** The stored form of a secret. Check one made elsewhere with `secretMistake` first. */
export function storedSecret(value: string, now: number, name = '', lifetime: number | null = null): ClientSecret {
  const secret = { hash: digest(value), createdAt: now, expiresAt: lifetime === null ? null : now + lifetime };
  return name === '' ? secret : { ...secret, name };
}

/** The public id in lists. A hash of the stored hash, so it reveals less than that, even for a weak secret. */
export function secretId({ hash }: ClientSecret): string {
  // Hexadecimal, because a command line reads a leading hyphen as an option.
  return Buffer.from(digest(`secret-id:${hash}`), 'base64url').toString('hex', 0, 6);
}

export const secretName = ({ name }: ClientSecret): string => name ?? '';

export const isLive = ({ expiresAt }: ClientSecret, now: number): boolean => expiresAt === null || now < expiresAt;

/** Basic and post count as one method here; both need a secret. */
export function needsSecret(metadata: JsonObject): boolean {
  const method = metadata.token_endpoint_auth_method;
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

/** Compares with all secrets of the client, so that the time does not reveal which one matched. */
export function verifySecret(client: Pick<ClientRecord, 'secrets'>, presented: string, now: number): boolean {
  const hash = digest(presented);
  let matches = false;
  for (const secret of client.secrets) {
    const same = sameSecret(hash, secret.hash);
    matches = (same && isLive(secret, now)) || matches;
  }
  return matches;
}

/**
 * The secrets with the new one first, or undefined if the client has too many live ones. Expired secrets stay while
 * there is room, so that a refusal can say when they expired.
 */
export function withSecret(
  secrets: readonly ClientSecret[],
  added: ClientSecret,
  now: number,
): ClientSecret[] | undefined {
  const live = secrets.filter((secret) => isLive(secret, now));
  if (live.length >= clientSecretsMax) return undefined;
  const ended = secrets.filter((secret) => !isLive(secret, now)).slice(0, clientSecretsMax - live.length - 1);
  return [added, ...secrets.filter((secret) => live.includes(secret) || ended.includes(secret))];
}

/**
 * Adds a new secret of that name. The newest old one of the name ends after the overlap, older ones of the name end
 * now, and other names stay. Returns undefined if there are too many.
 */
export function rotated(
  secrets: readonly ClientSecret[],
  name: string,
  now: number,
  overlap: number,
): { made: NewSecret; secrets: ClientSecret[] } | undefined {
  const made = newSecret(now, { name });
  const [newest] = secrets.filter((secret) => secretName(secret) === name);
  const end = Math.min(newest?.expiresAt ?? Number.POSITIVE_INFINITY, now + overlap);
  const kept = secrets.flatMap((secret) => {
    if (secretName(secret) !== name) return [secret];
    return secret === newest && end > now ? [{ ...secret, expiresAt: end }] : [];
  });
  const all = withSecret(kept, made.stored, now);
  return all && { made, secrets: all };
}

/** The bits of randomness that a secret made elsewhere must be able to have, because its hash is a fast one. */
const leastBits = 128;
const distinctLeast = 8;
const longest = 512;

/**
 * Why a secret made elsewhere is refused, to follow its name, or undefined. Checks the form only, because randomness
 * cannot be measured (docs/decisions/025).
 */
export function secretMistake(value: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(value)) return 'must be printable ASCII (RFC 6749, appendix A.2)';
  if (value.length > longest) return `must not be longer than ${longest} characters`;
  if (value !== value.trim()) return 'must not begin or end with a space';
  if (secretBits(value) >= leastBits && new Set(value).size >= distinctLeast) return undefined;
  return 'is too easy to guess: it needs 128 bits of randomness, as 22 random letters and digits or 32 random hexadecimal digits have';
}

/** An upper bound for the bits of randomness, from length and alphabet. */
export function secretBits(value: string): number {
  const bare = value.replaceAll(/[^A-Za-z0-9]/g, '');
  // Hyphens in a UUID add nothing.
  if (/^[0-9a-f-]+$|^[0-9A-F-]+$/.test(value)) return bare.length * 4;
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/].map((has, at) => (has.test(value) ? (at === 2 ? 10 : 26) : 0));
  const others = bare.length < value.length ? 32 : 0;
  return Math.floor(
    value.length *
      Math.log2(
        Math.max(
          2,
          classes.reduce((sum, size) => sum + size, others),
        ),
      ),
  );
}
