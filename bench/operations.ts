/** The table of operations. A seat is one concurrent user with a connection, a session and tokens of its own. */
import { authorization, authorizePath, Browser, codeIn, redemption } from './browser.ts';
import { api, deviceGrant, password, personName, scope } from './clients.ts';
import { type Answer, Connection, headerOf } from './connection.ts';
import { createProver } from './prover.ts';
import { basic, get, post, postNothing } from './requests.ts';
import type { Server } from './servers.ts';

export interface Seat {
  readonly server: Server;
  readonly connection: Connection;
  readonly username: string;
  /** A live session with consent for both clients. */
  readonly cookie: string;
  /** Opaque; issued to the confidential client. */
  readonly accessToken: string;
  /** A JWT of the machine client for the API behind the gateway. */
  readonly apiToken: string;
  /** Issued to the public client; rotates. */
  refreshToken: string;
}

/** One run. Throws if the response is not the expected one. */
export type Step = () => Promise<void>;

export interface Operation {
  readonly title: string;
  /** The target ratio to the bare engine, if there is one. */
  readonly target?: { readonly sqlite: number; readonly postgres: number };
  /** The bare engine has no such operation. */
  readonly oursAlone?: true;
  /** Requests per run. */
  readonly requests: number;
  step(seat: Seat): Step;
  /** What three of four seats do at the same time, uncounted. */
  beside?(seat: Seat): Step;
}

export const operations = {
  'cc-jwt': {
    title: 'client_credentials, JWT ES256',
    target: { sqlite: 1.2, postgres: 1.2 },
    requests: 1,
    step: machineToken,
  },
  'cc-opaque': {
    title: 'client_credentials, opaque',
    target: { sqlite: 0.95, postgres: 0.95 },
    requests: 1,
    step: ({ server, connection }) =>
      always(
        connection,
        post(server, '/oauth/token', { grant_type: 'client_credentials' }, basic(server.seeded.machine)),
        '"access_token":',
      ),
  },
  refresh: {
    title: 'refresh, rotating',
    target: { sqlite: 1, postgres: 1 },
    requests: 1,
    step: (seat) => async () => {
      const { server, connection, refreshToken } = seat;
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: server.seeded.spa.id };
      seat.refreshToken = await refreshTokenIn(await connection.send(post(server, '/oauth/token', form)));
    },
  },
  flow: {
    title: 'authorize + token, live session',
    target: { sqlite: 1.1, postgres: 1.1 },
    requests: 2,
    step: ({ server, connection, cookie }) => {
      const { web } = server.seeded;
      const authorize = get(server, authorizePath(web.id), { Cookie: cookie });
      const credentials = basic(web);
      return async () => {
        const redirect = await connection.send(authorize);
        if (redirect.status !== 303) throw new Error(`authorize: ${redirect.head}\n${redirect.body.toString()}`);
        const form = redemption(codeIn(headerOf(redirect, 'location')));
        expectAnswer(await connection.send(post(server, '/oauth/token', form, credentials)), '"id_token":');
      };
    },
  },
  'par-flow': {
    title: 'push + authorize + token, live session',
    requests: 3,
    step: ({ server, connection, cookie }) => {
      const { web } = server.seeded;
      const credentials = basic(web);
      const push = post(server, '/oauth/par', authorization(web.id), credentials);
      return async () => {
        const { request_uri } = JSON.parse(expectAnswer(await connection.send(push), '"request_uri":', 201));
        const query = new URLSearchParams({ client_id: web.id, request_uri });
        const redirect = await connection.send(get(server, `/oauth/authorize?${query}`, { Cookie: cookie }));
        if (redirect.status !== 303) throw new Error(`authorize: ${redirect.head}\n${redirect.body.toString()}`);
        const form = redemption(codeIn(headerOf(redirect, 'location')));
        expectAnswer(await connection.send(post(server, '/oauth/token', form, credentials)), '"id_token":');
      };
    },
  },
  'document-flow': {
    title: 'authorize + token, a client by document',
    oursAlone: true,
    requests: 2,
    step: ({ server, connection, cookie }) => {
      const id = server.seeded.document?.id ?? '';
      const authorize = get(server, authorizePath(id), { Cookie: cookie });
      return async () => {
        const redirect = await connection.send(authorize);
        if (redirect.status !== 303) throw new Error(`authorize: ${redirect.head}\n${redirect.body.toString()}`);
        const form = { ...redemption(codeIn(headerOf(redirect, 'location'))), client_id: id };
        expectAnswer(await connection.send(post(server, '/oauth/token', form)), '"id_token":');
      };
    },
  },
  introspect: {
    title: 'introspection',
    target: { sqlite: 0.8, postgres: 0.8 },
    requests: 1,
    step: ({ server, connection, accessToken }) =>
      always(
        connection,
        post(server, '/oauth/introspect', { token: accessToken }, basic(server.seeded.web)),
        '"active":true',
      ),
  },
  userinfo: {
    title: 'userinfo',
    target: { sqlite: 0.9, postgres: 0.9 },
    requests: 1,
    step: ({ server, connection, accessToken }) =>
      always(connection, get(server, '/oauth/userinfo', { Authorization: `Bearer ${accessToken}` }), '"sub":'),
  },
  discovery: {
    title: 'discovery',
    target: { sqlite: 4, postgres: 4 },
    requests: 1,
    step: ({ server, connection }) =>
      always(connection, get(server, '/.well-known/openid-configuration'), '"token_endpoint":'),
  },
  forward: {
    // Compared with the same request sent directly to the upstream, instead of with the bare engine.
    title: 'forwarded (bare: directly)',
    target: { sqlite: 0.1, postgres: 0.1 },
    requests: 1,
    step: ({ server, connection, apiToken }) => {
      const direct = server.kind === 'bare';
      const to = direct ? { port: server.upstreamPort } : server;
      const request = get(to, '/bench/x?y=1', { Authorization: `Bearer ${apiToken}`, Accept: 'application/json' });
      return always(direct ? new Connection(server.upstreamPort) : connection, request, '"hello"');
    },
  },
  verify: {
    title: 'identity verify (bare: the ES256 check alone)',
    target: { sqlite: 0.8, postgres: 0.8 },
    requests: 1,
    step: (seat) => {
      let request: string | undefined;
      return async () => {
        request ??= postNothing(seat.server, '/v1/verify', { Authorization: `Bearer ${(await signIn(seat)).token}` });
        expectAnswer(await seat.connection.send(request), '"valid":true');
      };
    },
  },
  'identity-refresh': {
    title: 'identity refresh, rotating',
    oursAlone: true,
    requests: 1,
    step: (seat) => {
      let token: string | undefined;
      return async () => {
        token ??= (await signIn(seat)).refresh_token;
        const request = get(seat.server, '/v1/token/refresh', { Authorization: `Bearer ${token}` });
        token = refreshTokenIn(await seat.connection.send(request));
      };
    },
  },
  login: {
    title: 'identity login (bare: the hash alone)',
    target: { sqlite: 0.95, postgres: 0.95 },
    requests: 1,
    step: login,
  },
  'tokens-busy': {
    title: 'client_credentials, JWT ES256, while 24 sign in',
    oursAlone: true,
    requests: 1,
    step: machineToken,
    beside: login,
  },
  'dpop-token': {
    title: 'client_credentials, JWT ES256, DPoP-bound',
    oursAlone: true,
    requests: 1,
    step: ({ server, connection }) => {
      const { proof } = createProver(server);
      const credentials = basic(server.seeded.machine);
      return async () => {
        const headers = { ...credentials, ...proof('POST', '/oauth/token') };
        expectAnswer(await connection.send(post(server, '/oauth/token', forApi, headers)), '"token_type":"DPoP"');
      };
    },
  },
  'dpop-refresh': {
    title: 'refresh, rotating, DPoP-bound',
    oursAlone: true,
    requests: 1,
    step: ({ server, connection, cookie }) => {
      const { proof } = createProver(server);
      const { id } = server.seeded.spa;
      const redeem = async (form: Readonly<Record<string, string>>) =>
        refreshTokenIn(
          await connection.send(
            post(server, '/oauth/token', { ...form, client_id: id }, proof('POST', '/oauth/token')),
          ),
        );
      let token: string | undefined;
      return async () => {
        if (token === undefined) {
          const redirect = await connection.send(get(server, authorizePath(id), { Cookie: cookie }));
          token = await redeem(redemption(codeIn(headerOf(redirect, 'location'))));
        }
        token = await redeem({ grant_type: 'refresh_token', refresh_token: token });
      };
    },
  },
  'dpop-userinfo': {
    title: 'userinfo, DPoP-bound',
    oursAlone: true,
    requests: 1,
    step: ({ server, connection, cookie }) => {
      const { proof } = createProver(server);
      const { web } = server.seeded;
      let token: string | undefined;
      return async () => {
        if (token === undefined) {
          const redirect = await connection.send(get(server, authorizePath(web.id), { Cookie: cookie }));
          const headers = { ...basic(web), ...proof('POST', '/oauth/token') };
          const form = redemption(codeIn(headerOf(redirect, 'location')));
          const answer = await connection.send(post(server, '/oauth/token', form, headers));
          token = String(JSON.parse(expectAnswer(answer, '"token_type":"DPoP"')).access_token);
        }
        const headers = { Authorization: `DPoP ${token}`, ...proof('GET', '/oauth/userinfo', token) };
        expectAnswer(await connection.send(get(server, '/oauth/userinfo', headers)), '"sub":');
      };
    },
  },
  device: {
    title: 'device authorization + one poll',
    target: { sqlite: 0.3, postgres: 0.4 },
    requests: 2,
    step: ({ server, connection }) => {
      const credentials = basic(server.seeded.web);
      const begin = post(server, '/oauth/device', { scope }, credentials);
      return async () => {
        const begun = expectAnswer(await connection.send(begin), '"device_code":');
        const form = { grant_type: deviceGrant, device_code: JSON.parse(begun).device_code };
        expectAnswer(
          await connection.send(post(server, '/oauth/token', form, credentials)),
          '"authorization_pending"',
          400,
        );
      };
    },
  },
  jwks: {
    title: 'jwks',
    target: { sqlite: 2.5, postgres: 2.5 },
    requests: 1,
    step: ({ server, connection }) => always(connection, get(server, '/oauth/jwks'), '"keys":'),
  },
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as OperationName[];

const forApi = { grant_type: 'client_credentials', resource: api.identifier, scope: api.scope };

/** Creates a seat: signs a user in to both clients. */
export async function takeSeat(server: Server, index: number): Promise<Seat> {
  const connection = new Connection(server.port);
  const { web, spa, machine, document } = server.seeded;
  const browser = new Browser(server, connection);
  const webCode = await browser.authorize(personName(index), web.id);
  const forWeb = await connection.send(post(server, '/oauth/token', redemption(webCode), basic(web)));
  const spaCode = await browser.authorize(personName(index), spa.id);
  const forSpa = await connection.send(post(server, '/oauth/token', { ...redemption(spaCode), client_id: spa.id }));
  // So that this client has the person's consent too.
  if (document) await browser.authorize(personName(index), document.id);
  return {
    server,
    connection,
    username: personName(index),
    cookie: browser.cookie,
    accessToken: JSON.parse(expectAnswer(forWeb, `"scope":"${scope}"`)).access_token,
    apiToken: JSON.parse(
      expectAnswer(await connection.send(post(server, '/oauth/token', forApi, basic(machine))), '"access_token":"eyJ'),
    ).access_token,
    refreshToken: refreshTokenIn(forSpa),
  };
}

function machineToken({ server, connection }: Seat): Step {
  return always(connection, post(server, '/oauth/token', forApi, basic(server.seeded.machine)), '"access_token":"eyJ');
}

function login(seat: Seat): Step {
  return always(seat.connection, loginRequest(seat), '"token":"eyJ');
}

function loginRequest({ server, username }: Seat): string {
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return get(server, '/v1/login', { Authorization: `Basic ${credentials}` });
}

async function signIn(seat: Seat): Promise<{ token: string; refresh_token?: string }> {
  return JSON.parse(expectAnswer(await seat.connection.send(loginRequest(seat)), '"token":"eyJ')).jwt;
}

/** Sends the same request each time. */
function always(connection: Connection, request: string, wanted: string): Step {
  return async () => {
    expectAnswer(await connection.send(request), wanted);
  };
}

function expectAnswer(answer: Answer, wanted: string, status = 200): string {
  const text = answer.body.toString('latin1');
  if (answer.status !== status || !text.includes(wanted))
    throw new Error(`unexpected response: ${answer.head}\n${text}`);
  return text;
}

function refreshTokenIn(answer: Answer): string {
  const token = /"refresh_token":"([^"]+)"/.exec(expectAnswer(answer, '"refresh_token":'))?.[1];
  if (token === undefined) throw new Error('no refresh token');
  return token;
}
