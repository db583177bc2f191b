/** A client's side of DPoP (RFC 9449), made by hand, so that each member of a proof can be wrong. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
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
export async function tokenWith(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  form: Record<string, string>,
  ...proofs: readonly string[]
): Promise<TokenAnswer> {
  const headers = new Headers(client.secret ? { authorization: basic(client.id, client.secret) } : {});
  for (const proof of proofs) headers.append('DPoP', proof);
  const body = new URLSearchParams(client.secret ? form : { client_id: client.id, ...form });
  const response = await fetch(`${server.url}/oauth/token`, { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}
