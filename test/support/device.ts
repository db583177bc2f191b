/** The device flow, as a device and a person's browser go through it. */
import { deviceGrant } from '../../src/core/clients/metadata/device-grant.ts';
import { type Agent, type Answer, basic, type TokenAnswer, token } from './agent.ts';
import type { TestClient } from './flow.ts';
import { password, type TestServer } from './server.ts';

export interface Begun {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

/** What `buildClient` makes a device of. */
export const deviceClient = {
  grant_types: [deviceGrant, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'none',
};

/** One request to the device authorization endpoint. */
export async function askToBegin(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  form: Record<string, string> | URLSearchParams = {},
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const response = await fetch(`${server.url}/oauth/device`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client.secret ? { authorization: basic(client.id, client.secret) } : {}),
      ...headers,
    },
    body: `${client.secret ? '' : `client_id=${client.id}&`}${new URLSearchParams(form)}`,
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

export async function begin(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  form: Record<string, string> | URLSearchParams = { scope: 'openid' },
  headers: Record<string, string> = {},
): Promise<Begun> {
  const { status, body } = await askToBegin(server, client, form, headers);
  if (status !== 200) throw new Error(`no codes: ${status} ${JSON.stringify(body)}`);
  return body as unknown as Begun;
}

export function poll(
  server: Pick<TestServer, 'url'>,
  client: TestClient,
  { device_code }: Pick<Begun, 'device_code'>,
  extra: Record<string, string> = {},
): Promise<TokenAnswer> {
  return token(server, client, { grant_type: deviceGrant, device_code, ...extra });
}

export function xsrfOf({ text }: Pick<Answer, 'text'>): string {
  return /name="xsrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

/** Presses a button of a page of the device flow. */
export function press(agent: Agent, page: Answer, fields: Record<string, string>): Promise<Answer> {
  return agent.go('/device', { form: { xsrf: xsrfOf(page), ...fields } });
}

/** Types the code on the page for it. */
export async function enter(agent: Agent, userCode: string): Promise<Answer> {
  return press(agent, await agent.go('/device'), { user_code: userCode });
}

export async function confirm(agent: Agent, userCode: string): Promise<Answer> {
  return press(agent, await enter(agent, userCode), { user_code: userCode, confirm: 'yes' });
}

/** From the confirmation to the end, over the pages of a sign-in and a consent. Another node's address stays there. */
export async function answer(
  agent: Agent,
  person: { username: string },
  first: Answer,
  says: 'allow' | 'deny' = 'allow',
): Promise<Answer> {
  let page = first;
  for (let pages = 0; pages < 6; pages += 1) {
    if (page.location !== undefined) {
      const { pathname, search } = new URL(page.location);
      page = await agent.go(pathname + search);
    } else if (page.url.includes('/interaction/')) {
      const login = page.text.includes('name="password"');
      const snapshot = /name="snapshot" value="([^"]+)"/.exec(page.text)?.[1];
      const consent = { answer: says, ...(snapshot && { snapshot }) };
      page = await agent.submit(page, login ? { username: person.username, password } : consent);
    } else return page;
  }
  return page;
}

/** The whole way of the person. */
export async function allow(agent: Agent, person: { username: string }, userCode: string): Promise<Answer> {
  return answer(agent, person, await confirm(agent, userCode));
}
