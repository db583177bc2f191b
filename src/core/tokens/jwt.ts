/**
 * Signing and verifying this server's own JWTs (RFC 7519) with its own keys. What a token may do is for core/tokens,
 * core/api-sessions and core/api-sessions/client-sessions to say; a token is only ever verified as the one kind that is
 * due.
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
  /** `aud` is it, or has it among others; undefined: whatever it is. */
  readonly audience: string | undefined;
  /** The header's `typ`: what keeps one kind from being taken for another (RFC 8725, section 3.11). */
  readonly typ: string;
  readonly requiredClaims: readonly string[];
}

/** Two clocks may differ by so much (security.md D3 asks for at most 15). */
export const clockToleranceSeconds = 15;

/**
 * A program shows the same token for as long as it lives, and checking its signature is most of what that costs. So the tokens
 * that were found good last are remembered, by their digest and what was expected of them, with the key that signed them: as
 * long as that very key is in the ring and the token's times hold, the answer is the same. Whether its session holds is not
 * part of it.
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

/** Without tolerance: in doubt, and once it has expired, the token is looked at from the beginning. */
function holdNow({ exp = 0, nbf = 0, iat = 0 }: JWTPayload): boolean {
  const now = nowSeconds();
  return now < exp && nbf <= now && iat <= now;
}

/** The signature is checked before anything the token says: of a forged and expired one only the forgery is told. */
export async function verifyJwt<C extends JWTPayload>(
  keys: Keys,
  token: string,
  expected: ExpectedJwt,
): Promise<VerifiedJwt<C>> {
  const { issuer, audience, typ, requiredClaims } = expected;
  const memory = memoryOf(keys);
  // JSON: an audience that is left out is not the same as an empty one.
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
        // Only a key of this server, named by its kid, with the algorithm it was made for: what the header says decides nothing.
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
  // jose leaves iat alone: a token from the future was not made by this server's clock.
  if (typeof claims.iat === 'number' && claims.iat > nowSeconds() + clockToleranceSeconds)
    return { outcome: 'refused', reason: 'malformed' };
  // Others will be given the same object.
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

/** The `typ` that a JWT claims, not yet verified, or an empty string: good for choosing who looks at it. */
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
 * Signs with the current key of this algorithm: ES256 48,000 a second, twice what WebCrypto's promise gives
 * (docs/performance.md). `typ` undefined: the header has none.
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
 * The two numbers of an ECDSA signature as JWS wants them (RFC 7518, section 3.4): 32 bytes each, one behind the other, and not in
 * the DER that Node makes. Asking Node for this form (`dsaEncoding`) doubles the time of a signature.
 */
function joseSignature(der: Buffer): Buffer {
  const joined = Buffer.alloc(64);
  // SEQUENCE, its length, then twice: INTEGER, its length, the number with a leading zero where its first bit is set.
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
