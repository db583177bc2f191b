/**
 * Reads a DPoP proof (RFC 9449, section 4.3) and checks all of it but the signature, the nonce and its single use. The
 * token endpoint leaves the signature to the engine; possession.ts checks it for this server's own endpoints.
 */
import { decodeJwt, decodeProtectedHeader, type JWK, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import { isPublicJwk } from '../kernel/public-jwk.ts';

/** The algorithms of FAPI 2.0; `Ed25519` is the other name of `EdDSA` (RFC 9864). */
export const proofAlgorithms = ['ES256', 'PS256', 'EdDSA', 'Ed25519'] as const;

/** A proof may be this much older or newer than the server's clock (security.md D8). */
export const proofWindowSeconds = 60;

/** The request that a proof must be made for. */
export interface ProvenRequest {
  readonly method: string;
  /** The addresses at which the outside reaches it, without query. `htu` must be one of them. */
  readonly addresses: readonly string[];
  /** The access token beside the proof; undefined at the token endpoint. */
  readonly accessToken: string | undefined;
}

export interface Proof {
  readonly text: string;
  readonly jwk: JWK;
  readonly jti: string;
  readonly nonce: string | undefined;
}

export type ProofCheck =
  | 'proof_missing'
  | 'proof_repeated'
  | 'proof_malformed'
  | 'proof_algorithm'
  | 'proof_key'
  | 'proof_method'
  | 'proof_address'
  | 'proof_time'
  | 'proof_token'
  | 'proof_signature'
  | 'proof_nonce'
  | 'proof_other_key'
  | 'proof_replayed';

/** Why a proof is refused. `expected` and `received` are raw: an entry point cuts them before it shows them. */
export interface ProofFault {
  readonly check: ProofCheck;
  /** For the response: printable ASCII without quotes and backslashes. */
  readonly words: string;
  readonly expected: string;
  readonly received: string;
}

type ProofRead =
  | { readonly outcome: 'read'; readonly proof: Proof }
  | { readonly outcome: 'refused'; readonly fault: ProofFault };

/** 4096 and 32 bits in base64url: with a longer modulus or exponent each check is slow. */
const longestModulus = 683;
const longestExponent = 6;

/** `headers`: every DPoP header of the request. */
export function readProof(headers: readonly string[], request: ProvenRequest): ProofRead {
  const [text = '', ...more] = headers;
  // Some proxies fold two headers into one with a comma.
  if (more.length > 0 || text.includes(','))
    return refused('proof_repeated', 'exactly one DPoP header is allowed', 'exactly one proof', 'several');
  if (text === '') return refused('proof_missing', 'a DPoP proof is needed', 'exactly one proof', 'nothing');
  const decoded = decode(text);
  if (decoded === undefined)
    return refused('proof_malformed', 'the DPoP proof is not a JWT', 'a signed JWT', 'other text');
  const { header, claims } = decoded;
  const fault =
    headerFault(header) ?? requestFault(claims, request) ?? timeFault(claims) ?? tokenFault(claims, request);
  if (fault !== undefined) return { outcome: 'refused', fault };
  const { jti, nonce } = claims;
  if (typeof jti !== 'string' || jti === '')
    return refused('proof_malformed', 'the DPoP proof has no jti', 'a jti', typeof jti);
  if (nonce !== undefined && typeof nonce !== 'string')
    return refused('proof_malformed', 'the nonce of the DPoP proof is no text', 'a text', typeof nonce);
  return { outcome: 'read', proof: { text, jwk: header.jwk as JWK, jti, nonce } };
}

function decode(text: string): { header: ProtectedHeaderParameters; claims: JWTPayload } | undefined {
  try {
    return { header: decodeProtectedHeader(text), claims: decodeJwt(text) };
  } catch {
    return undefined;
  }
}

function headerFault({ typ, alg, jwk }: ProtectedHeaderParameters): ProofFault | undefined {
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== 'dpop+jwt')
    return fault('proof_malformed', 'the typ of the DPoP proof must be dpop+jwt', 'typ dpop+jwt', `typ ${raw(typ)}`);
  if (!proofAlgorithms.some((known) => known === alg))
    return fault('proof_algorithm', 'the alg of the DPoP proof is not supported', proofAlgorithms.join(', '), raw(alg));
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk))
    return fault('proof_key', 'the DPoP proof has no jwk', 'the public key as jwk', raw(jwk));
  const { kty, n, e } = jwk;
  if (!isPublicJwk(jwk))
    return fault(
      'proof_key',
      'the jwk of the DPoP proof must be a public key',
      'a public key',
      'a private or secret key',
    );
  if (typeof kty !== 'string' || !['EC', 'RSA', 'OKP'].includes(kty))
    return fault('proof_key', 'the kty of the DPoP proof is not supported', 'EC, RSA or OKP', raw(kty));
  if (kty === 'RSA' && (String(n).length > longestModulus || String(e).length > longestExponent))
    return fault('proof_key', 'the key of the DPoP proof is too long', 'n of 4096 and e of 32 bits', 'a longer key');
  return undefined;
}

function requestFault({ htm, htu }: JWTPayload, { method, addresses }: ProvenRequest): ProofFault | undefined {
  if (htm !== method)
    return fault('proof_method', 'the htm of the DPoP proof is not the method', method, `htm ${raw(htm)}`);
  const named = typeof htu === 'string' ? normalAddress(htu) : undefined;
  if (named === undefined || !addresses.some((address) => normalAddress(address) === named)) {
    const expected = addresses.join(' or ');
    return fault('proof_address', 'the htu of the DPoP proof is not this address', expected, `htu ${raw(htu)}`);
  }
  return undefined;
}

function timeFault({ iat }: JWTPayload): ProofFault | undefined {
  const words = 'the iat of the DPoP proof is not recent';
  const expected = `iat within ${proofWindowSeconds} seconds`;
  if (typeof iat !== 'number') return fault('proof_time', words, expected, `iat ${raw(iat)}`);
  const ahead = Math.trunc(iat - nowSeconds());
  if (Math.abs(ahead) <= proofWindowSeconds) return undefined;
  return fault('proof_time', words, expected, `${Math.abs(ahead)} seconds ${ahead > 0 ? 'ahead' : 'ago'}`);
}

function tokenFault({ ath }: JWTPayload, { accessToken }: ProvenRequest): ProofFault | undefined {
  if (accessToken === undefined || ath === digest(accessToken)) return undefined;
  const expected = 'ath: the base64url SHA-256 of the access token';
  const received = ath === undefined ? 'no ath' : 'the hash of another token';
  return fault('proof_token', 'the ath of the DPoP proof is not of this access token', expected, received);
}

/**
 * An address without query and fragment, normalised by syntax and scheme (RFC 3986, sections 6.2.2 and 6.2.3).
 * Undefined if it is no absolute http address.
 */
function normalAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replaceAll(/%[0-9a-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped.toUpperCase();
  });
  return url.origin + path;
}

/** A claim as text; a long value is cut where it is shown. */
const raw = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));

export const fault = (check: ProofCheck, words: string, expected: string, received: string): ProofFault => ({
  check,
  words,
  expected,
  received,
});

const refused = (...parts: Parameters<typeof fault>): ProofRead => ({ outcome: 'refused', fault: fault(...parts) });
