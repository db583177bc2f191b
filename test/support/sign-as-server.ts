/** Tokens under this server's own signature that it would not issue, or does not issue yet. */
import { createPrivateKey, sign } from 'node:crypto';
import { type Claims, claimsOf, headerOf, jwt } from './flow.ts';
import type { TestServer } from './server.ts';

/** With the key that the header names, whatever else the header claims. */
export function signAsServer(server: Pick<TestServer, 'core'>, header: Claims, claims: Claims): string {
  const key = server.core.keys.ring().find(({ id }) => id === header.kid);
  if (!key) throw new Error('not a key of the server');
  const privateKey = createPrivateKey({ key: key.privateKey.export({ format: 'jwk' }), format: 'jwk' });
  return jwt(header, claims, (input) =>
    key.algorithm === 'ES256'
      ? sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      : sign('sha256', Buffer.from(input), privateKey),
  );
}

/** A good token with these changes to its claims and its header. */
export function changed(
  server: Pick<TestServer, 'core'>,
  token: string | undefined,
  claims: Claims,
  header: Claims = {},
): string {
  return signAsServer(server, { ...headerOf(token), ...header }, { ...claimsOf(token), ...claims });
}
