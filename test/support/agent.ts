/** A person's browser without a screen: cookies by path, redirects followed within the server, forms filled in. */
import { createHash } from 'node:crypto';
import { randomToken } from '../../src/base/secrets.ts';
import { password, type TestServer } from './server.ts';

export interface Answer {
  readonly status: number;
  /** The address that answered. */
  readonly url: string;
  /** Where it points to, if it redirects away from the server (or redirects were not to be followed). */
  readonly location: string | undefined;
  readonly headers: Headers;
  readonly text: string;
}

export interface AgentRequest {
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly follow?: boolean;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

export class Agent {
  readonly cookies = new Map<string, Cookie>();
  readonly server: Pick<TestServer, 'url'>;

  constructor(server: Pick<TestServer, 'url'>) {
    this.server = server;
  }

  async go(address: string, { form, headers = {}, follow = true }: AgentRequest = {}): Promise<Answer> {
    const url = new URL(address, this.server.url);
    const cookie = this.cookiesFor(url.pathname);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', ...(cookie ? { cookie } : {}), ...headers },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const location = response.headers.get('location') ?? undefined;
    const target = location === undefined ? undefined : new URL(location, url);
    if (follow && target && target.origin === url.origin && response.status === 303 && !leaves(target)) {
      await response.arrayBuffer();
      return this.go(target.href);
    }
    return {
      status: response.status,
      url: url.href,
      location: target?.href,
      headers: response.headers,
      text: await response.text(),
    };
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const at = pair.indexOf('=');
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), path };
    if (cookie.value === '') this.cookies.delete(cookie.name + path);
    else this.cookies.set(cookie.name + path, cookie);
  }

  /** The `Cookie` header for this path. */
  cookiesFor(pathname: string): string {
    return [...this.cookies.values()]
      .filter(({ path }) => path === '/' || pathname === path || pathname.startsWith(`${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  cookie(name: string): string | undefined {
    return [...this.cookies.values()].find((cookie) => cookie.name === name)?.value;
  }

  /** Fills in the form of the page that `page` shows. */
  submit(page: Answer, fields: Record<string, string>): Promise<Answer> {
    return this.go(new URL(page.url).pathname, { form: { csrf: csrfOf(page), ...fields } });
  }

  /** Presses the button of a sign-out page (or does what the engine's own such page does by itself). */
  confirmLogout(page: Answer, answer: Record<string, string> = { logout: 'yes' }): Promise<Answer> {
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    return this.go('/oauth/logout/confirm', { form: { xsrf, ...answer } });
  }

  /** From an authorization request to the answer at the application: signs in and allows where asked to. */
  async authorize(person: { username: string }, parameters: Record<string, string>): Promise<Answer> {
    let page = await this.go(`/oauth/authorize?${new URLSearchParams({ response_type: 'code', ...parameters })}`);
    for (let pages = 0; pages < 4 && page.status === 200 && page.location === undefined; pages += 1) {
      const login = page.text.includes('name="password"');
      page = await this.submit(page, login ? { username: person.username, password } : { answer: 'allow' });
    }
    return page;
  }
}

/** An address of an application that happens to live on the server's own origin. */
const leaves = (target: URL): boolean => target.pathname.startsWith('/playground') || target.searchParams.has('code');

export function csrfOf(page: Pick<Answer, 'text'>): string {
  return /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
}

/** What a page of recovery codes asks for: one of the codes on it. */
export function savedCode({ text }: Pick<Answer, 'text'>): { recovery_code: string } {
  return { recovery_code: /<li><code>([^<]+)<\/code>/.exec(text)?.[1] ?? '' };
}

export function codeOf(answer: Answer): string {
  const code = answer.location && new URL(answer.location).searchParams.get('code');
  if (!code) throw new Error(`no code in ${answer.status} ${answer.location} ${answer.text.slice(0, 300)}`);
  return code;
}

/** A PKCE pair (RFC 7636). */
export function pkce() {
  const verifier = randomToken(32);
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & {
    access_token?: string;
    refresh_token?: string;
    id_token?: string;
    error?: string;
  };
}

/** One request to the token endpoint; `client` authenticates by Basic where it has a secret. */
export async function token(
  server: Pick<TestServer, 'url'>,
  client: { id: string; secret?: string },
  form: Record<string, string>,
  path = '/oauth/token',
): Promise<TokenAnswer> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: client.secret ? { authorization: basic(client.id, client.secret) } : {},
    body: new URLSearchParams(client.secret ? form : { client_id: client.id, ...form }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

export function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}
