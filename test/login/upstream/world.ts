/** Two servers: one people sign in to, and a second instance of the same that proves them to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomToken } from '../../../src/base/secrets.ts';
import { Agent, type Answer, codeOf, csrfOf, pkce } from '../../support/agent.ts';
import { claimsOf, redeem } from '../../support/flow.ts';
import { freePort } from '../../support/free-port.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import type { Storage } from '../../support/storages.ts';

/** Members of one provider in the file. */
export type Provider = Readonly<Record<string, unknown>>;

/** The file that UPSTREAMS names; JSON is YAML. */
export function providersFile(providers: unknown): { readonly file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-upstreams-'));
  const file = join(folder, 'upstreams.yaml');
  writeFileSync(file, typeof providers === 'string' ? providers : JSON.stringify(providers));
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const settings = { THROTTLE_ADDRESS_LIMIT: '10000', THROTTLE_ACCOUNT_LIMIT: '100', LOG_LEVEL: 'trace' };

/** A server whose address is known before it is started, since the provider has to know where to send people back. */
export async function startWith(
  storage: Pick<Storage, 'start'>,
  providers: (issuer: string) => Promise<readonly Provider[]> | readonly Provider[],
  env: Record<string, string> = {},
): Promise<TestServer> {
  const port = await freePort();
  const { file, remove } = providersFile(await providers(`http://localhost:${port}`));
  try {
    return await storage.start({ PORT: String(port), UPSTREAMS: file, ...settings, ...env });
  } finally {
    remove();
  }
}

/** A second instance of this very server, and what a file says of it. */
export async function startUpstream(env: Record<string, string> = {}) {
  const server = await startServer({ env: { ...settings, BRAND_NAME: 'Example Company', ...env } });
  const provider = async (issuer: string, id = 'company', more: Provider = {}): Promise<Provider> => {
    const client = await buildClient(server, {
      client_name: 'Downstream',
      redirect_uris: [`${issuer}/upstream/${id}/callback`],
    });
    const credentials = { client_id: client.id, client_secret: client.secret };
    return { id, name: 'Example Company', type: 'oidc', issuer: server.url, ...credentials, ...more };
  };
  return { server, provider };
}

export const isLogin = ({ text }: Answer): boolean =>
  text.includes('name="password"') && !text.includes('signUp.email');
export const isConsent = ({ text }: Answer): boolean => text.includes('value="allow"');
export const isCodePage = ({ text }: Answer): boolean => text.includes('autocomplete="one-time-code"');
export const isNew = ({ text }: Answer): boolean => text.includes('name="upstream" value="link"');
export const isConfirm = ({ text }: Answer): boolean => text.includes('name="upstream" value="connect"');

/** What the sign-in page says went wrong at a provider. */
export function failureIn({ text }: Answer): string | undefined {
  return /role="alert">.*?<strong>([^<]+)<\/strong>/s.exec(text)?.[1]?.replaceAll('&#39;', "'");
}

/** The application's side of a sign-in in one browser. */
export function application(server: TestServer, client: { readonly id: string; readonly secret: string }) {
  const { verifier, challenge } = pkce();
  return {
    begin(agent: Agent, extra: Record<string, string> = {}): Promise<Answer> {
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: client.id,
        scope: 'openid profile email',
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...extra,
      });
      return agent.go(`/oauth/authorize?${query}`);
    },
    /** From the page after the sign-in to the claims of the ID token and of userinfo. */
    async claims(agent: Agent, page: Answer) {
      const answer = isConsent(page) ? await agent.submit(page, { answer: 'allow' }) : page;
      const { body } = await redeem(server, client, { code: codeOf(answer), code_verifier: verifier });
      const headers = { authorization: `Bearer ${body.access_token}` };
      const userinfo = await fetch(`${server.url}/oauth/userinfo`, { headers });
      return { id: claimsOf(body.id_token), user: (await userinfo.json()) as Record<string, unknown> };
    },
  };
}

export const pathOf = (page: Answer): string => /^\/interaction\/[^/?]+/.exec(new URL(page.url).pathname)?.[0] ?? '';

/** Presses the provider's button; the address there. */
export async function leave(agent: Agent, page: Answer, id = 'company'): Promise<string> {
  const answer = await agent.go(`${pathOf(page)}/upstream/${id}`);
  if (answer.location === undefined) throw new Error(`not sent to the provider: ${answer.status} ${answer.text}`);
  return answer.location;
}

/** Signs in at the provider, which is this very server; the address it sends the browser back to. */
export async function signInThere(
  agent: Agent,
  address: string,
  person: { readonly username: string },
  typed = password,
): Promise<string> {
  let page = await agent.go(address);
  for (let pages = 0; pages < 4 && page.location === undefined; pages += 1) {
    const fields: Record<string, string> = isLogin(page)
      ? { username: person.username, password: typed }
      : { answer: 'allow' };
    page = await agent.submit(page, fields);
  }
  if (page.location === undefined) throw new Error(`not sent back: ${page.status} ${page.text.slice(0, 500)}`);
  return page.location;
}

/** Where the page at the callback goes on to by itself. */
export function onwardFrom({ headers }: Answer): string | undefined {
  return /^0; url=(\S+)$/.exec(headers.get('refresh') ?? '')?.[1];
}

/** Comes back from the provider, to whichever page is next. */
export async function comeBackWith(agent: Agent, address: string): Promise<Answer> {
  const page = await agent.go(address);
  const onward = onwardFrom(page);
  return onward === undefined ? page : agent.go(onward);
}

/** The whole way: to the provider, signed in there, and back. */
export async function through(
  agent: Agent,
  page: Answer,
  there: { readonly agent: Agent; readonly person: { readonly username: string } },
  id?: string,
): Promise<Answer> {
  return comeBackWith(agent, await signInThere(there.agent, await leave(agent, page, id), there.person));
}

/** A person with an account at the provider, and a browser for each of the two. */
export async function buildVisitorFrom(
  upstream: TestServer,
  server: TestServer,
  overrides: Parameters<typeof buildPerson>[1] = {},
) {
  const person = await buildPerson(upstream, overrides);
  return { person, there: { agent: new Agent(upstream), person }, agent: new Agent(server) };
}

/** The form of a page whose address is below the interaction's. */
export function submitTo(agent: Agent, page: Answer, fields: Record<string, string>): Promise<Answer> {
  return agent.go(pathOf(page), { form: { csrf: csrfOf(page), ...fields } });
}

export const unusual = (): string =>
  randomToken(6)
    .replace(/[^A-Za-z0-9]/g, 'x')
    .toLowerCase();
