/**
 * The secrets of a client: several, each with a name of its own or none, and an end or none. Only hashes are stored. All functions
 * are pure; times are seconds since the epoch.
 */
import type { JsonObject } from '../../base/json.ts';
import { digest, randomToken, sameSecret } from '../../base/secrets.ts';
import type { ClientRecord, ClientSecret } from '../stores/clients.ts';

/** More than any deployment needs; the record stays small. */
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
  /** What an operator calls it; empty: the one that `rotate` replaces. */
  readonly name?: string;
  /** Seconds; null: no end. */
  readonly lifetime?: number | null;
}

/** What is stored of a secret that was made elsewhere: see `secretMistake`. */
export function storedSecret(value: string, now: number, name = '', lifetime: number | null = null): ClientSecret {
  const secret = { hash: digest(value), createdAt: now, expiresAt: lifetime === null ? null : now + lifetime };
  return name === '' ? secret : { ...secret, name };
}

/** Its public name in lists. A hash of the stored hash: of a secret made elsewhere, too, it tells less than the hash does. */
export function secretId({ hash }: ClientSecret): string {
  // Hexadecimal: a hyphen in front would make an option of it on a command line.
  return Buffer.from(digest(`secret-id:${hash}`), 'base64url').toString('hex', 0, 6);
}

export const secretName = ({ name }: ClientSecret): string => name ?? '';

export const isLive = ({ expiresAt }: ClientSecret, now: number): boolean => expiresAt === null || now < expiresAt;

/** Basic and post are one method here, so either needs a secret. */
export function needsSecret(metadata: JsonObject): boolean {
  const method = metadata.token_endpoint_auth_method;
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

/** Compares with every secret the client has, so that the time does not tell which one it was. */
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
 * The newest first. Ended ones stay while there is room, so that a refusal can say when they ended. Undefined: as many live ones
 * as a client may have.
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
 * A new secret of that name in place of the newest one, which ends after the overlap; older ones of the name go. Those of other
 * names stay as they are. Undefined: too many.
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

/** Bits of randomness that a secret from elsewhere must at least be able to have: a fast hash protects no fewer. */
const leastBits = 128;
const distinctLeast = 8;
const longest = 512;

/**
 * Why a secret made elsewhere is refused, to follow its name; undefined: it is taken. Only its shape is looked at: the
 * randomness itself cannot be measured (docs/decisions/025).
 */
export function secretMistake(value: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(value)) return 'must be printable ASCII (RFC 6749, appendix A.2)';
  if (value.length > longest) return `must not be longer than ${longest} characters`;
  if (value !== value.trim()) return 'must not begin or end with a space';
  if (secretBits(value) >= leastBits && new Set(value).size >= distinctLeast) return undefined;
  return 'is too easy to guess: it needs 128 bits of randomness, as 22 random letters and digits or 32 random hexadecimal digits have';
}

/** At most so many bits of randomness, by length and alphabet. */
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
