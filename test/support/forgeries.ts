/** Everything a forger makes of one good JWT and the published keys (RFC 8725). None of it may be accepted anywhere. */
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type Claims, claimsOf, headerOf, jwt } from './flow.ts';

const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ownJwk = own.publicKey.export({ format: 'jwk' });
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs with a key of the server: for tokens that are wrong in something else. */
export type Sign = (header: Claims, claims: Claims) => string;

export function forgeries(good: string, jwks: { keys: JsonWebKey[] }, signAsServer: Sign): Record<string, string> {
  const [header, claims] = [headerOf(good), claimsOf(good)];
  const [rawHeader = '', rawClaims = '', rawSignature = ''] = good.split('.');
  const rsa = createPublicKey({ key: jwks.keys.find(({ kty }) => kty === 'RSA') ?? {}, format: 'jwk' });
  const unsigned = (alg: string) => jwt({ ...header, alg }, claims, () => '');
  const hs256 = (secret: Buffer | string) =>
    jwt({ ...header, alg: 'HS256' }, claims, (input) => createHmac('sha256', secret).update(input).digest());
  const mine = (change: Claims, key: KeyObject = own.privateKey) =>
    jwt({ ...header, alg: 'ES256', ...change }, claims, key);
  const changed = Buffer.from(rawSignature, 'base64url');
  changed[10] = (changed[10] ?? 0) ^ 1;

  return {
    'alg none': unsigned('none'),
    'alg None': unsigned('None'),
    'alg nOnE': unsigned('nOnE'),
    'no alg': jwt({ kid: header.kid }, claims, () => ''),
    'HS256 with the public key as PEM': hs256(rsa.export({ format: 'pem', type: 'spki' })),
    'HS256 with the public key as PKCS1': hs256(rsa.export({ format: 'pem', type: 'pkcs1' })),
    'HS256 with the public key as DER': hs256(rsa.export({ format: 'der', type: 'spki' })),
    'HS256 with the public key as JWK': hs256(JSON.stringify(rsa.export({ format: 'jwk' }))),
    'HS256 with nothing': hs256(''),
    'a key of its own under the kid of ours': mine({}),
    'an unknown kid': mine({ kid: 'unknown' }),
    'a path as kid': mine({ kid: '../../../../etc/passwd' }),
    'SQL as kid': mine({ kid: "' OR 1=1 --" }),
    'NUL in kid': mine({ kid: `${String(header.kid)}\u0000` }),
    'ten kilobytes of kid': mine({ kid: 'k'.repeat(10_000) }),
    'no kid': mine({ kid: undefined }),
    'kid null': mine({ kid: null }),
    'kid an object': mine({ kid: { $gt: '' } }),
    'its key as jwk': mine({ jwk: ownJwk, kid: undefined }),
    'its key as jwk under our kid': mine({ jwk: ownJwk }),
    jku: mine({ jku: 'http://localhost:1/jwks', kid: 'x' }),
    x5u: mine({ x5u: 'http://localhost:1/x5u' }),
    x5c: mine({ x5c: [own.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] }),
    'crit b64': signAsServer({ ...header, crit: ['b64'], b64: false }, claims),
    'unknown crit': signAsServer({ ...header, crit: ['exp'], exp: 1 }, claims),
    'empty signature': `${rawHeader}.${rawClaims}.`,
    'changed signature': `${rawHeader}.${rawClaims}.${changed.toString('base64url')}`,
    'half a signature': good.slice(0, -40),
    'changed claims': `${rawHeader}.${encode({ ...claims, sub: 'somebody' })}.${rawSignature}`,
    'the other algorithm': jwt({ ...header, alg: header.alg === 'ES256' ? 'RS256' : 'ES256' }, claims, own.privateKey),
    'claims twice': `${rawHeader}.${encode(`${JSON.stringify(claims).slice(0, -1)},"sub":"somebody"}`)}.${rawSignature}`,
    'alg twice': `${encode('{"alg":"none","alg":"none"}')}.${rawClaims}.`,
    'an unsigned JWT inside a JWE': `${encode({ alg: 'dir', enc: 'A256GCM' })}..${encode('iv')}.${encode(unsigned('none'))}.${encode('tag')}`,
    'padded base64': `${rawHeader}==.${rawClaims}.${rawSignature}`,
    'a dot more': `${good}.`,
    'another dot more': `${good}.${rawSignature}`,
    'only dots': '..',
    'claims that are no object': `${rawHeader}.${encode('[]')}.${rawSignature}`,
    'claims that are no JSON': `${rawHeader}.${encode('{')}.${rawSignature}`,
  };
}
