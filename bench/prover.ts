/** DPoP proofs (RFC 9449) of one key. Making one is part of the load generator's work, not of the server's. */
import { generateKeyPairSync, hash, randomUUID, sign } from 'node:crypto';
import type { Headers } from './requests.ts';

export interface Prover {
  /** The header of one request. */
  proof(method: string, path: string, accessToken?: string): Headers;
}

export function createProver({ port }: { readonly port: number }): Prover {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) });
  return {
    proof(method, path, accessToken) {
      const ath = accessToken === undefined ? undefined : hash('sha256', accessToken, 'base64url');
      const iat = Math.floor(Date.now() / 1000);
      const claims = { jti: randomUUID(), htm: method, htu: `http://localhost:${port}${path}`, iat, ath };
      const input = `${header}.${encoded(claims)}`;
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return { DPoP: `${input}.${signature.toString('base64url')}` };
    },
  };
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
