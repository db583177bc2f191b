/**
 * The baseline of first-party sign-ins, over the same HTTP: an Argon2id hash with the server's default parameters, and
 * an ES256 signature check with the server's library. It has no storage, no session and no user look-up.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hash, verify } from '@node-rs/argon2';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { password } from './clients.ts';

/** Handles its own two paths. Returns false for every other request. */
export async function createBareFirstParty(): Promise<(req: IncomingMessage, res: ServerResponse) => boolean> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const issuer = 'http://localhost';
  const claims = { sid: 's'.repeat(32), session: 's'.repeat(32), uid: 'bench0', jti: 'j'.repeat(22) };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'identity+jwt', kid: 'k'.repeat(22) })
    .setIssuer(issuer)
    .setAudience(`${issuer}/v1`)
    .setSubject('s'.repeat(22))
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
  const stored = await hash(Buffer.from(password), options);
  const signedIn = JSON.stringify({ jwt: { token } });
  // One at a time, as the server does with one core.
  let last: Promise<unknown> = Promise.resolve();

  async function login(res: ServerResponse): Promise<void> {
    const mine = last.then(() => verify(stored, Buffer.from(password)));
    last = mine;
    answer(res, (await mine) ? signedIn : '');
  }

  async function check(authorization: string, res: ServerResponse): Promise<void> {
    const { payload } = await jwtVerify(authorization.slice(7), publicKey, { algorithms: ['ES256'] });
    answer(res, JSON.stringify({ valid: true, payload }));
  }

  return (req, res) => {
    if (req.url === '/v1/login') void login(res);
    else if (req.url === '/v1/verify') void check(req.headers.authorization ?? '', res);
    else return false;
    return true;
  };
}

function answer(res: ServerResponse, body: string): void {
  res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}
