/** The flows that most protocol tests begin with, and what they look at afterwards. */
import { type KeyObject, sign } from 'node:crypto';
import { connect } from 'node:net';
import { jest } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { randomToken } from '../../src/base/secrets.ts';
import { Agent, basic, codeOf, pkce, type TokenAnswer, token } from './agent.ts';
import { setClock } from './clock.ts';
import { buildPerson, type TestServer } from './server.ts';

export interface TestClient {
  readonly id: string;
  readonly secret?: string;
}

export interface Redeemable {
  readonly code: string;
  readonly code_verifier: string;
}

interface FlowOptions {
  readonly scope?: string;
  readonly person?: Awaited<ReturnType<typeof buildPerson>>;
  readonly agent?: Agent;
  /** Further parameters of the authorization request. */
  readonly extra?: Record<string, string>;
}

/** A person signs in, allows everything, and the application has its code. */
export async function codeFor(server: TestServer, client: TestClient, options: FlowOptions = {}) {
  const person = options.person ?? (await buildPerson(server));
  const agent = options.agent ?? new Agent(server);
  const { verifier, challenge } = pkce();
  const answer = await agent.authorize(person, {
    client_id: client.id,
    scope: options.scope ?? 'openid',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...options.extra,
  });
  return { grant: { code: codeOf(answer), code_verifier: verifier }, person, agent };
}

export function redeem(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  grant: Partial<Redeemable>,
  extra: Record<string, string> = {},
): Promise<TokenAnswer> {
  return token(server, client, { grant_type: 'authorization_code', ...grant, ...extra });
}

export function refresh(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  value: string | undefined,
  extra: Record<string, string> = {},
): Promise<TokenAnswer> {
  return token(server, client, { grant_type: 'refresh_token', refresh_token: value ?? '', ...extra });
}

/**
 * At once, as often as asked. A server that is too busy says so: 503 with `Retry-After`, and nothing else above 499.
 */
export async function atOnce(
  times: number,
  send: (n: number) => Promise<TokenAnswer>,
): Promise<{ readonly all: readonly TokenAnswer[]; readonly turnedAway: number }> {
  const all = await Promise.all(Array.from({ length: times }, (_, n) => send(n)));
  const failed = all.filter(({ status }) => status >= 500);
  const unclear = failed.filter(
    ({ status, headers }) => status !== 503 || !/^\d+$/.test(headers.get('retry-after') ?? ''),
  );
  if (unclear.length > 0) throw new Error(`failed: ${unclear.map(({ status }) => status).join(', ')}`);
  return { all: all.filter(({ status }) => status < 500), turnedAway: failed.length };
}

/** Sends again what a busy server turned away. */
export async function served(send: () => Promise<TokenAnswer>): Promise<TokenAnswer> {
  const { all } = await atOnce(1, send);
  return all[0] ?? served(send);
}

/** The whole way to the tokens. */
export async function tokensFor(server: TestServer, client: TestClient, options: FlowOptions = {}) {
  const { grant, person, agent } = await codeFor(server, client, options);
  const { status, body } = await redeem(server, client, grant);
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
  return { grant, person, agent, body };
}

export function userinfo(server: Pick<TestServer, 'url'>, accessToken: string | undefined): Promise<Response> {
  return fetch(`${server.url}/oauth/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
}

/** Introspection or revocation, as this client. */
export async function ask(
  server: Pick<TestServer, 'url'>,
  endpoint: 'introspect' | 'revoke',
  client: TestClient,
  value: string | undefined,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/oauth/${endpoint}`, {
    method: 'POST',
    headers: client.secret ? { authorization: basic(client.id, client.secret) } : {},
    body: new URLSearchParams({ token: value ?? '', ...(client.secret ? {} : { client_id: client.id }) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

export async function isActive(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  value: string | undefined,
): Promise<unknown> {
  return (await ask(server, 'introspect', client, value)).body.active;
}

/** Whether this server's own endpoints would take the user-API JWT. */
export async function userApiTakes(server: TestServer, accessToken: string | undefined): Promise<boolean> {
  const verified = await server.core.tokens.verifyAccessToken(accessToken ?? '', `${server.core.config.issuer}/user`);
  return verified.outcome === 'valid';
}

/** The record of a refusal, by the `error_uri` of an answer of the token endpoint or of a redirect. */
export function recorded(
  server: Pick<TestServer, 'core'>,
  answer: { readonly body?: Readonly<Record<string, unknown>>; readonly location?: string | undefined },
) {
  const uri = answer.body?.error_uri ?? new URL(answer.location ?? '').searchParams.get('error_uri');
  return server.core.refusals.find(String(uri).split('/').at(-1) ?? '');
}

export type Claims = Record<string, unknown>;

export function claimsOf(jwt: string | undefined): Claims {
  return JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString());
}

export function headerOf(jwt: string | undefined): Claims {
  return JSON.parse(Buffer.from(jwt?.split('.')[0] ?? '', 'base64url').toString());
}

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A JWT with exactly this header and these claims, signed with ES256 unless `signature` says otherwise. */
export function jwt(
  header: Claims,
  claims: Claims,
  signature: KeyObject | ((input: string) => Buffer | string),
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signed =
    typeof signature === 'function'
      ? signature(input)
      : sign('sha256', Buffer.from(input), { key: signature, dsaEncoding: 'ieee-p1363' });
  return `${input}.${Buffer.from(signed).toString('base64url')}`;
}

/** What a client says of itself in a private_key_jwt assertion (RFC 7523, section 3). */
export function assertionClaims(server: Pick<TestServer, 'url'>, client: TestClient): Claims {
  const now = nowSeconds();
  return { iss: client.id, sub: client.id, aud: server.url, jti: randomToken(12), iat: now, exp: now + 60 };
}

export const assertionForm = (client_assertion: string) => ({
  client_assertion,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
});

/** Moves the clock, and lets it run on from there. Nothing but `Date` is touched. */
export function travel(seconds: number): void {
  setClock(Date.now() + seconds * 1000, { runs: true });
}

/** The clock stands until `travel`: what is counted in seconds is the same on a slow machine. */
export function stopClock(): void {
  setClock(Date.now(), { runs: false });
}

/** Back to the real time: for `afterEach`. */
export function comeBack(): void {
  jest.useRealTimers();
}

/** These bytes to the server, and what comes back until it closes (or ten seconds have passed without a word). */
export function raw(server: Pick<TestServer, 'port'>, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ port: server.port, host: 'localhost' }, () => socket.write(bytes));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    // A server that refuses closes while the rest is still being written.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
    );
    socket.on('close', () => resolve(answer));
  });
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}
