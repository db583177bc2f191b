/** A simulated browser: keeps cookies, follows redirects on the server, and submits the sign-in and consent pages. */
import { password, redirectUri, scope } from './clients.ts';
import { type Answer, type Connection, headerOf } from './connection.ts';
import { get, post } from './requests.ts';
import type { Server } from './servers.ts';

/** RFC 7636. Always the same pair: the benchmark measures the check. */
const verifier = 'm'.repeat(43);
const challenge = 'aVDfGWJwTq0gczQY35JMQNtnlmfD0qtWOFoT1tTwVaU';

export class Browser {
  readonly #server: Server;
  readonly #connection: Connection;
  readonly #cookies = new Map<string, string>();

  constructor(server: Server, connection: Connection) {
    this.#server = server;
    this.#connection = connection;
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Signs in, gives consent if asked, and returns the authorization code. */
  async authorize(username: string, clientId: string): Promise<string> {
    let path = authorizePath(clientId);
    let answer = await this.#go(get(this.#server, path, { Cookie: this.cookie, Accept: 'text/html' }));
    for (let step = 0; step < 20; step += 1) {
      const location = headerOf(answer, 'location');
      if (location?.startsWith(redirectUri)) return codeIn(location);
      if (location !== undefined) {
        path = pathOf(location);
        answer = await this.#go(get(this.#server, path, { Cookie: this.cookie, Accept: 'text/html' }));
      } else {
        const page = answer.body.toString();
        path = pathOf(/<form[^>]* action="([^"]+)"/.exec(page)?.[1] ?? path);
        answer = await this.#go(
          post(this.#server, path, fieldsFor(page, username), { Cookie: this.cookie, Accept: 'text/html' }),
        );
      }
    }
    throw new Error(`no code for ${username}: ${answer.head}`);
  }

  async #go(request: string): Promise<Answer> {
    const answer = await this.#connection.send(request);
    if (answer.status !== 200 && answer.status !== 302 && answer.status !== 303) {
      throw new Error(`signing in failed: ${answer.head}\n${answer.body.toString()}`);
    }
    for (const [, name = '', value = ''] of answer.head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)/gi)) {
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }
}

export function authorizePath(clientId: string): string {
  return `/oauth/authorize?${new URLSearchParams(authorization(clientId))}`;
}

export function authorization(clientId: string): Record<string, string> {
  return {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state: 'bench-state-0123456789',
    nonce: 'bench-nonce-0123456789',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
}

export function redemption(code: string): Record<string, string> {
  return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
}

export function codeIn(location: string | undefined): string {
  const code = location && URL.parse(location)?.searchParams.get('code');
  if (!code) throw new Error(`no code in ${location}`);
  return code;
}

const pathOf = (address: string): string => {
  const { pathname, search } = new URL(address, 'http://localhost');
  return pathname + search;
};

function fieldsFor(page: string, username: string): Record<string, string> {
  const hidden = Object.fromEntries(
    [...page.matchAll(/name="(csrf|prompt|snapshot)" value="([^"]*)"/g)].map(([, name, value]) => [name, value ?? '']),
  );
  return page.includes('name="password"')
    ? { ...hidden, username, login: username, password }
    : { ...hidden, answer: 'allow' };
}
