/** Who takes part in a fault run: people, clients and an API in a fresh database, and the requests they make. */
import { Agent, basic, codeOf, pkce } from '../support/agent.ts';
import { type ChildServer, createPlace, type Place, type PlaceOptions } from '../support/child-server.ts';
import { password } from '../support/server.ts';

export const redirect = 'https://app.example.com/cb';
export const api = 'https://api.example.com';

export interface World {
  readonly place: Place;
  readonly people: readonly { readonly username: string; readonly subject: string }[];
  /** Public: its refresh tokens rotate. */
  readonly reader: string;
  /** Confidential, its own token is a JWT for `api`. */
  readonly machine: { readonly id: string; readonly secret: string };
  /** Further public clients, for the scenarios that delete them. */
  readonly spare: readonly string[];
}

export async function buildWorld(
  options: PlaceOptions,
  { people = 12, spare = 0 }: { people?: number; spare?: number } = {},
): Promise<World> {
  const place = await createPlace(options);
  return place.within(async ({ core, clients }) => {
    const reader = { client_name: 'Reader', redirect_uris: [redirect], token_endpoint_auth_method: 'none' };
    const register = async (metadata: Record<string, unknown>) => {
      const made = await clients.register(metadata, { origin: 'admin', owner: null });
      if (made.outcome !== 'registered') throw new Error(`a client was refused: ${JSON.stringify(made)}`);
      return { id: made.client.id, secret: made.secret ?? '' };
    };
    await core.apis.add({
      identifier: api,
      name: 'Books',
      scopes: [{ name: 'books:read', sentence: 'read your books' }],
      tokenFormat: 'jwt',
      tokenLifetime: null,
      introspectors: [],
    });
    const persons = [];
    for (let i = 0; i < people; i += 1) {
      const username = `person${i}`;
      const made = await core.accounts.create({
        username,
        password,
        firstName: 'Test',
        lastName: 'Person',
        email: `${username}@example.org`,
        verified: true,
      });
      if (made.outcome !== 'created') throw new Error(`an account was refused: ${JSON.stringify(made)}`);
      persons.push({ username, subject: made.account.subject });
    }
    const spares = [];
    for (let i = 0; i < spare; i += 1) spares.push((await register(reader)).id);
    return {
      place,
      people: persons,
      reader: (await register(reader)).id,
      machine: await register({
        client_name: 'Machine',
        redirect_uris: [],
        grant_types: ['client_credentials'],
        response_types: [],
        scope: 'books:read',
      }),
      spare: spares,
    };
  });
}

export interface Reply {
  /** 0: the connection broke, or there was no connection. */
  readonly status: number;
  readonly ms: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown> & { access_token?: string; refresh_token?: string; error?: string };
}

interface Ask {
  readonly form?: Record<string, string>;
  readonly json?: object;
  readonly headers?: Record<string, string>;
  readonly limitMs?: number;
}

/** One request, whatever comes of it. */
export async function ask(url: string, { form, json, headers = {}, limitMs = 20_000 }: Ask = {}): Promise<Reply> {
  const began = performance.now();
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers,
      signal: AbortSignal.timeout(limitMs),
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
      ...(json ? { method: 'POST', body: JSON.stringify(json) } : {}),
    });
    const text = await response.text();
    return {
      status: response.status,
      ms: performance.now() - began,
      headers: response.headers,
      text,
      body: parsed(text),
    };
  } catch (error) {
    return { status: 0, ms: performance.now() - began, headers: new Headers(), text: reasonOf(error), body: {} };
  }
}

/** What `fetch failed` is about. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `${cause.message} ${(cause as NodeJS.ErrnoException).code ?? ''}` : String(error);
}

function parsed(text: string): Reply['body'] {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

type Server = Pick<ChildServer, 'url'>;

export function refresh(
  server: Server,
  client: string,
  value: string,
  extra: Record<string, string> = {},
): Promise<Reply> {
  const form = { grant_type: 'refresh_token', client_id: client, refresh_token: value, ...extra };
  return ask(`${server.url}/oauth/token`, { form });
}

export function redeem(server: Server, client: string, grant: { code: string; code_verifier: string }): Promise<Reply> {
  return ask(`${server.url}/oauth/token`, { form: { grant_type: 'authorization_code', client_id: client, ...grant } });
}

/** A JWT for the API, or an opaque token of the client's own. */
export function machineToken(server: Server, { machine }: World, jwt = true): Promise<Reply> {
  return ask(`${server.url}/oauth/token`, {
    headers: { authorization: basic(machine.id, machine.secret) },
    form: { grant_type: 'client_credentials', ...(jwt ? { resource: api, scope: 'books:read' } : {}) },
  });
}

export function introspect(server: Server, { machine }: World, token: string): Promise<Reply> {
  return ask(`${server.url}/oauth/introspect`, {
    headers: { authorization: basic(machine.id, machine.secret) },
    form: { token },
  });
}

export function userinfo(server: Server, token: string): Promise<Reply> {
  return ask(`${server.url}/oauth/userinfo`, { headers: { authorization: `Bearer ${token}` } });
}

/** An authorization request, and what it takes to redeem its code. */
export function request(client: string, extra: Record<string, string> = {}) {
  const { verifier, challenge } = pkce();
  return {
    verifier,
    parameters: {
      client_id: client,
      redirect_uri: redirect,
      scope: 'openid',
      state: 'some-state',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...extra,
    },
  };
}

/** A person signs in with a fresh browser, allows everything, and the application has its code. */
export async function signIn(server: Server, person: { username: string }, client: string, agent = new Agent(server)) {
  const { verifier, parameters } = request(client);
  const answer = await agent.authorize(person, parameters);
  return { agent, grant: { code: codeOf(answer), code_verifier: verifier } };
}

/** Another code from a browser that is signed in. */
export async function anotherCode(agent: Agent, client: string) {
  const { verifier, parameters } = request(client, { prompt: 'none' });
  const answer = await agent.go(`/oauth/authorize?${new URLSearchParams({ response_type: 'code', ...parameters })}`);
  return { answer, grant: () => ({ code: codeOf(answer), code_verifier: verifier }) };
}

export async function tokensOf(server: Server, person: { username: string }, client: string) {
  const { agent, grant } = await signIn(server, person, client);
  const { status, body, text } = await redeem(server, client, grant);
  if (status !== 200) throw new Error(`no tokens: ${status} ${text}`);
  return { agent, access: String(body.access_token), refresh: String(body.refresh_token) };
}

/** The button "sign out" on the page of the same name. */
export async function signOut(agent: Agent): Promise<number> {
  const page = await agent.go('/oauth/logout');
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  return (await agent.go('/oauth/logout/confirm', { form: { xsrf, logout: 'yes' } })).status;
}
