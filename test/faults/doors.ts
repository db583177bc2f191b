/** The API surfaces as doors that people and programs come through: the requests of each, and how each refuses. */
import { password } from '../support/server.ts';
import { ask, type Reply } from './world.ts';

interface Server {
  readonly url: string;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Door {
  readonly name: 'identity' | 'security-service' | 'tinyoauth';
  login(server: Server, who: Credentials): Promise<Reply>;
  /** Of a login that succeeded. */
  tokenIn(reply: Reply): string;
  /** 200: the token holds. */
  verify(server: Server, token: string): Promise<Reply>;
  /** Whether these are the words in which this surface refuses. */
  refuses(reply: Reply): boolean;
}

export const basicOf = ({ username, password: secret }: Credentials) => ({
  authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = { 'content-type': 'application/json' };
export const credentialsOf = ({ username }: { readonly username: string }): Credentials => ({ username, password });

export const identity = {
  name: 'identity',
  register: (server: Server, who: Credentials) => ask(`${server.url}/v1/register`, { headers: basicOf(who), json: {} }),
  login: (server, who) => ask(`${server.url}/v1/login`, { headers: basicOf(who) }),
  tokenIn: ({ body }) => String((body.jwt as { token?: string } | undefined)?.token),
  verify: (server, token) => ask(`${server.url}/v1/verify`, { headers: bearer(token), json: {} }),
  refuses: ({ body }) => body.ok === false && typeof body.message === 'string' && typeof body.timestamp === 'number',
  refresh: (server: Server, token: string) => ask(`${server.url}/v1/token/refresh`, { headers: bearer(token) }),
  logout: (server: Server, token: string) => ask(`${server.url}/v1/logout`, { headers: bearer(token), json: {} }),
  refreshTokenIn: ({ body }: Reply) => String((body.jwt as { refresh_token?: string } | undefined)?.refresh_token),
} satisfies Door & Record<string, unknown>;

export const tinyoauth = {
  name: 'tinyoauth',
  register: (server: Server, who: Credentials) => ask(`${server.url}/register`, { headers: json, json: who }),
  login: (server, who) => ask(`${server.url}/login`, { headers: json, json: who }),
  tokenIn: ({ body }) => String(body.token),
  verify: (server, token) => ask(`${server.url}/gateway/verify/token?tokens=tinyoauth`, { headers: bearer(token) }),
  refuses: ({ body }) =>
    (body.result === 'failed' && typeof body.reason === 'string') ||
    // At the gateway.
    (typeof body.error === 'string' && typeof body.reference === 'string'),
} satisfies Door & Record<string, unknown>;

export const securityService: Door = {
  name: 'security-service',
  login: (server, who) => ask(`${server.url}/security/login`, { headers: json, json: who }),
  tokenIn: ({ body }) => String(body.token),
  verify: (server, token) => ask(`${server.url}/security/validateToken`, { headers: json, json: { token } }),
  refuses: ({ body, status }) => (body.error as unknown as { code?: number } | undefined)?.code === status,
};

export const doors: readonly Door[] = [identity, tinyoauth, securityService];

/** space guard: programs without a person. */
export const spaceGuard = {
  begin: (server: Server, clientToken: string) =>
    ask(`${server.url}/space-guard/api/v1/register-client`, {
      headers: { authorization: `Bearer: ${clientToken}` },
      json: {},
    }),
  refresh: (server: Server, clientToken: string, refreshToken: string) =>
    ask(`${server.url}/space-guard/api/v1/refresh-client`, {
      headers: { authorization: `Bearer: ${clientToken}:${refreshToken}` },
      json: {},
    }),
  verify: (server: Server, clientToken: string, accessToken: string) =>
    ask(`${server.url}/gateway/verify/token?tokens=space-guard`, {
      headers: { authorization: `Bearer: ${clientToken}:${accessToken}` },
    }),
  tokensIn: ({ body }: Reply) =>
    (body.data ?? {}) as { readonly jwtAccessToken?: string; readonly jwtRefreshToken?: string },
  refuses: ({ body, status }: Reply) =>
    body.code === status || (typeof body.error === 'string' && typeof body.reference === 'string'),
};

export async function signInAt(door: Door, server: Server, who: Credentials): Promise<Reply> {
  const reply = await door.login(server, who);
  if (reply.status !== 200 || door.tokenIn(reply).length < 20)
    throw new Error(`no sign-in at ${door.name}: ${reply.status} ${reply.text}`);
  return reply;
}
