/** What several checks need: an application, a person, and the way from one to the other. */
import { basic, pkce } from '../../support/agent.ts';
import { hold } from '../report.ts';
import type { Browser, Reply } from './browser.ts';
import type { World } from './world.ts';

export const password = 'seven lemons under glass';
const callback = 'https://app.example.com/cb';

export interface Application {
  readonly client_id: string;
  readonly client_secret: string;
}

/** Registered at one node, past the proxy. */
export async function register({ nodes, adminKey }: World): Promise<Application> {
  const answer = await fetch(`http://127.0.0.1:${nodes[0].port}/clients/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-admin-key': adminKey },
    body: JSON.stringify({
      app_name: 'Bookshelf',
      contact_email: 'team@example.com',
      redirect_url: callback,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    }),
  });
  const text = await answer.text();
  hold(answer.ok, `the application is not registered: ${answer.status} ${text}`);
  return JSON.parse(text) as Application;
}

/** The form and header with which an application asks for a token of its own. */
export function machineToken({ client_id, client_secret }: Application) {
  return { form: { grant_type: 'client_credentials' }, headers: { authorization: basic(client_id, client_secret) } };
}

export interface Person {
  readonly username: string;
}

export function createPerson(world: World, username: string): Person {
  world.cli(['accounts', 'create', username, '--password-stdin'], `${password}\n`);
  return { username };
}

/** The sign-in page of an authorization request. */
export function begin(browser: Browser, application: Application): Promise<Reply> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: application.client_id,
    redirect_uri: callback,
    scope: 'openid',
    code_challenge: pkce().challenge,
    code_challenge_method: 'S256',
  });
  return browser.go(`/oauth/authorize?${query}`);
}

/** From the sign-in page to the application; the last answer, which has the code in its `location`. */
export async function finish(browser: Browser, page: Reply, { username }: Person): Promise<Reply> {
  let at = page;
  for (let pages = 0; pages < 4 && at.status === 200; pages += 1) {
    const login = at.text.includes('name="password"');
    at = await browser.submit(at, login ? { username, password } : { answer: 'allow' });
  }
  return at;
}

export function holdCode({ status, location, text }: Reply): void {
  hold(
    location?.startsWith(`${callback}?`) === true && location.includes('code='),
    `${status} ${location} ${text.slice(0, 300)}`,
  );
}
