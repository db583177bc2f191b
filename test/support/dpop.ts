/** A client's side of DPoP (RFC 9449), made by hand, so that each member of a proof can be wrong. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { nowSeconds } from '../../src/base/clock.ts';
import { digest, randomToken } from '../../src/base/secrets.ts';
import { basic, type TokenAnswer } from './agent.ts';
import { type Claims, jwt, type TestClient } from './flow.ts';
import type { TestServer } from './server.ts';

export interface ProofKey {
  readonly privateKey: KeyObject;
  readonly jwk: Claims;
  /** RFC 7638. */
  readonly thumbprint: string;
}

/** A key of another kind than `buildProofKey` makes. Give `header` and `signature` to `proofOf`. */
export function buildOtherKey(alg: 'PS256' | 'EdDSA' | 'Ed25519') {
  const rsa = alg === 'PS256';
  const { privateKey, publicKey } = rsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ed25519');
  const { kty, n, e, crv, x } = publicKey.export({ format: 'jwk' });
  const jwk = rsa ? { e, kty, n } : { crv, kty, x };
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = (input: string) =>
    rsa
      ? sign('sha256', Buffer.from(input), { key: privateKey, ...padding })
      : sign(null, Buffer.from(input), privateKey);
  return { header: { alg, jwk }, signature, thumbprint: digest(JSON.stringify(jwk)) };
}

export function buildProofKey(): ProofKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  return { privateKey, jwk: { kty, crv, x, y }, thumbprint: digest(JSON.stringify({ crv, kty, x, y })) };
}

export interface ProofOptions {
  readonly method?: string;
  /** The address as the outside sees it. */
  readonly url: string;
  readonly accessToken?: string | undefined;
  readonly nonce?: string | undefined;
  /** Instead of the right ones; undefined leaves a member out. */
  readonly claims?: Claims;
  readonly header?: Claims;
  /** Instead of the key's own. */
  readonly signature?: Parameters<typeof jwt>[2];
}

export function proofOf(key: ProofKey, options: ProofOptions): string {
  const { method = 'POST', url, accessToken, nonce, claims, header, signature = key.privateKey } = options;
  const about = { jti: randomToken(12), htm: method, htu: url, iat: nowSeconds(), nonce };
  return jwt(
    { typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk, ...header },
    { ...about, ...(accessToken !== undefined && { ath: digest(accessToken) }), ...claims },
    signature,
  );
}

/** A request to the token endpoint with these proofs, each in a DPoP header of its own. */
export function tokenWith(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  form: Record<string, string>,
  ...proofs: readonly string[]
): Promise<TokenAnswer> {
  return postWith('/oauth/token', server, client, form, proofs);
}

/** The same at another endpoint of the client. */
export async function postWith(
  path: string,
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  form: Record<string, string>,
  proofs: readonly string[],
): Promise<TokenAnswer> {
  const headers = new Headers(client.secret ? { authorization: basic(client.id, client.secret) } : {});
  for (const proof of proofs) headers.append('DPoP', proof);
  const body = new URLSearchParams(client.secret ? form : { client_id: client.id, ...form });
  const response = await fetch(server.url + path, { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

const hs256 = (input: string) => createHmac('sha256', 'secret').update(input).digest('base64url');

type WrongProof = readonly [name: string, options: Partial<ProofOptions>, check: string, received: string];

/** What security.md D8 names, and its neighbours: each is wrong in one way, wherever the proof is sent. */
export const wrongProofs = (key: ProofKey, other: ProofKey): readonly WrongProof[] => [
  ['another htu', { url: 'https://other.example/oauth/token' }, 'proof_address', 'other.example'],
  ['another path', { claims: { htu: 'http://localhost/elsewhere' } }, 'proof_address', 'elsewhere'],
  ['an htu without a host', { claims: { htu: '/oauth/token' } }, 'proof_address', '/oauth/token'],
  ['no htu', { claims: { htu: undefined } }, 'proof_address', 'nothing'],
  ['another htm', { method: 'DELETE' }, 'proof_method', 'DELETE'],
  ['htm in small letters', { method: 'get' }, 'proof_method', 'get'],
  ['no iat', { claims: { iat: undefined } }, 'proof_time', 'nothing'],
  ['iat as text', { claims: { iat: 'now' } }, 'proof_time', 'now'],
  ['no jti', { claims: { jti: undefined } }, 'proof_malformed', ''],
  ['an empty jti', { claims: { jti: '' } }, 'proof_malformed', ''],
  ['a nonce that is no text', { claims: { nonce: 7 } }, 'proof_malformed', ''],
  ['another typ', { header: { typ: 'JWT' } }, 'proof_malformed', 'JWT'],
  ['no jwk', { header: { jwk: undefined } }, 'proof_key', 'nothing'],
  ['alg none', { header: { alg: 'none' }, signature: () => '' }, 'proof_algorithm', 'none'],
  ['alg HS256', { header: { alg: 'HS256' }, signature: hs256 }, 'proof_algorithm', 'HS256'],
  ['alg RS256', { header: { alg: 'RS256' } }, 'proof_algorithm', 'RS256'],
  ['a private key in jwk', { header: { jwk: { ...key.jwk, d: 'x' } } }, 'proof_key', 'private'],
  ['a symmetric key in jwk', { header: { jwk: { kty: 'oct', k: 'x' } } }, 'proof_key', 'private'],
  ['a huge key', { header: { alg: 'PS256', jwk: { kty: 'RSA', e: 'AQAB', n: 'x'.repeat(5000) } } }, 'proof_key', ''],
  [
    'a huge exponent',
    { header: { alg: 'PS256', jwk: { kty: 'RSA', e: 'x'.repeat(300), n: 'x'.repeat(342) } } },
    'proof_key',
    'a longer key',
  ],
  ['a signature of another key', { signature: other.privateKey }, 'proof_signature', ''],
  ['an empty signature', { signature: () => '' }, 'proof_signature', ''],
  ['an unknown critical member', { header: { crit: ['b64'], b64: false } }, 'proof_signature', ''],
];
