/**
 * Signs and verifies this server's own JWTs (RFC 7519). A token is verified as exactly one kind, the one that the
 * caller expects. What it may do is decided in core/tokens and core/api-sessions.
 */
import { type KeyObject, sign } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { nowSeconds } from '../../base/clock.ts';
import { createLru, type Lru } from '../../base/lru.ts';
import { digest } from '../../base/secrets.ts';
import type { Keys, SigningAlgorithm, SigningKey } from '../keys/keys.ts';

export type JwtRefusal = 'malformed' | 'signature' | 'expired' | 'audience';
export type VerifiedJwt<C> =
  | { readonly outcome: 'valid'; readonly claims: C }
  | { readonly outcome: 'refused'; readonly reason: JwtRefusal };

export interface ExpectedJwt {
  readonly issuer: string;
  /** `aud` must be or contain it; undefined: any. */
  readonly audience: string | undefined;
  /** The header's `typ`, which keeps one kind from being accepted as another (RFC 8725, section 3.11). */
  readonly typ: string;
  readonly requiredClaims: readonly string[];
}

/** Two clocks may differ by this much (security.md D3 asks for at most 15). */
export const clockToleranceSeconds = 15;

/**
 * Programs send the same token many times, and its signature is most of the cost. So recently verified tokens are
 * cached under a digest of the token and the expectations. An entry is valid while its key is in the ring and the
 * token's times hold. The session is not part of it.
 */
interface Remembered {
  readonly claims: JWTPayload;
  readonly key: SigningKey;
}
const rememberedMax = 4_000;
const memories = new WeakMap<Keys, Lru<Remembered>>();

function memoryOf(keys: Keys): Lru<Remembered> {
  const known = memories.get(keys);
  if (known) return known;
  const made = createLru<Remembered>(rememberedMax);
  memories.set(keys, made);
  return made;
}

/** Without tolerance: at the limits, and after expiry, the token is fully verified again. */
function holdNow({ exp = 0, nbf = 0, iat = 0 }: JWTPayload): boolean {
  const now = nowSeconds();
  return now < exp && nbf <= now && iat <= now;
}

/** Checks the signature before the claims: a forged token that has expired is refused for its signature only. */
export async function verifyJwt<C extends JWTPayload>(
  keys: Keys,
  token: string,
  expected: ExpectedJwt,
): Promise<VerifiedJwt<C>> {
  const { issuer, audience, typ, requiredClaims } = expected;
  const memory = memoryOf(keys);
  // JSON, because a missing audience differs from an empty one.
  const id = digest(JSON.stringify([issuer, audience ?? null, typ, ...requiredClaims, token]));
  const known = memory.get(id);
  if (known && holdNow(known.claims) && keys.ring().includes(known.key))
    return { outcome: 'valid', claims: known.claims as C };

  let claims: C;
  let used: SigningKey | undefined;
  try {
    const verified = await jwtVerify<C>(
      token,
      ({ kid, alg }) => {
        // Only a key of this server, by its kid, with its own algorithm: the header cannot choose anything else.
        used = keys.ring().find((candidate) => candidate.id === kid && candidate.algorithm === alg);
        if (!used) throw new errors.JWKSNoMatchingKey();
        return used.publicKey;
      },
      {
        issuer,
        ...(audience !== undefined && { audience }),
        typ,
        algorithms: ['ES256', 'RS256'],
        clockTolerance: clockToleranceSeconds,
        requiredClaims: [...requiredClaims],
      },
    );
    claims = verified.payload;
  } catch (error) {
    return { outcome: 'refused', reason: reasonOf(error) };
  }
  // jose does not check iat: a token from the future does not come from this server's clock.
  if (typeof claims.iat === 'number' && claims.iat > nowSeconds() + clockToleranceSeconds)
    return { outcome: 'refused', reason: 'malformed' };
  // Later callers get the same object.
  Object.freeze(claims);
  if (used) memory.set(id, { claims, key: used });
  return { outcome: 'valid', claims };
}

function reasonOf(error: unknown): JwtRefusal {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return 'signature';
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') return 'audience';
  return 'malformed';
}

/** The unverified `typ` of a JWT, or an empty string. Use it only to choose how to verify the token. */
export function typOf(token: string): string {
  const header = token.slice(0, token.indexOf('.'));
  if (header.length > 1024) return '';
  try {
    const { typ } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { typ?: unknown };
    return typeof typ === 'string' ? typ : '';
  } catch {
    return '';
  }
}

/**
 * Signs with the current key of this algorithm: 48,000 ES256 signatures a second, twice the rate of WebCrypto
 * (docs/performance.md). `typ` undefined: no `typ` in the header.
 */
export function signJwt(keys: Keys, typ: string | undefined, claims: object, alg: SigningAlgorithm = 'ES256'): string {
  const key = keys.ring().find(({ algorithm, status }) => algorithm === alg && status === 'current');
  if (!key) throw new Error(`there is no current ${alg} key`);
  const input = `${encoded({ alg, typ, kid: key.id })}.${encoded(claims)}`;
  return `${input}.${signature(key, Buffer.from(input)).toString('base64url')}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A JWS signature by Node's synchronous `crypto.sign`. */
export function signature(
  { algorithm, privateKey }: Pick<SigningKey, 'algorithm'> & { readonly privateKey: KeyObject },
  data: Uint8Array,
): Buffer {
  const made = sign('sha256', data, privateKey);
  return algorithm === 'ES256' ? joseSignature(made) : made;
}

/**
 * Converts Node's DER form of an ECDSA signature to the JWS form (RFC 7518, section 3.4): two numbers of 32 bytes.
 * Asking Node for this form (`dsaEncoding`) doubles the time of a signature.
 */
function joseSignature(der: Buffer): Buffer {
  const joined = Buffer.alloc(64);
  // SEQUENCE, its length; then twice INTEGER, its length, the number (with a leading zero if its first bit is set).
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0;
    const number = der.subarray(at + 2, at + 2 + length);
    const significant = number.subarray(Math.max(0, length - 32));
    significant.copy(joined, end - significant.length);
    at += 2 + length;
  }
  return joined;
}
