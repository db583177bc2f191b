/** A person with a browser, signed in at the account pages. */
import { Agent, type Answer, csrfOf } from '../../support/agent.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';

export type Person = Awaited<ReturnType<typeof buildPerson>>;

/** Where the sign-in leads back to: the agent stops at an address with a code in it, as at an application. */
async function backAt(agent: Agent, answer: Answer): Promise<Answer> {
  return answer.location?.includes('/account/callback') ? agent.go(answer.location) : answer;
}

/** Opens a page, signing in where it is asked for. */
export async function open(
  agent: Agent,
  person: { username: string },
  path: string,
  code?: () => string,
): Promise<Answer> {
  let page = await backAt(agent, await agent.go(path));
  if (page.text.includes('autocomplete="current-password"') && new URL(page.url).pathname.startsWith('/interaction')) {
    page = await backAt(agent, await agent.submit(page, { username: person.username, password }));
    if (code && page.text.includes('name="code"')) {
      page = await backAt(agent, await agent.submit(page, { code: code() }));
    }
  }
  return page;
}

/** For factors that a test adds behind the browser's back: its sessions count as begun with them. */
export async function withBoth(server: TestServer, { subject }: Pick<Person, 'subject'>): Promise<void> {
  const { sessions } = server.core;
  for (const { uid } of await sessions.list(subject)) await sessions.strengthen(uid, ['otp', 'mfa']);
}

/** A form of that page, sent to where it goes. */
export function send(
  agent: Agent,
  page: Pick<Answer, 'text'>,
  path: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  return agent.go(path, { form: { csrf: csrfOf(page), ...fields } });
}

/** Opens the page that asks before something ends, and confirms it. */
export async function confirm(agent: Agent, path: string, fields: Record<string, string> = {}): Promise<Answer> {
  const asked = await agent.go(`${path}?${new URLSearchParams(fields)}`);
  return asked.status === 200 ? agent.submit(asked, fields) : asked;
}

export async function visit(server: TestServer, path = '/account', person?: Person) {
  const somebody = person ?? (await buildPerson(server));
  const agent = new Agent(server);
  const page = await open(agent, somebody, path);
  if (new URL(page.url).pathname !== path) throw new Error(`not at ${path}: ${page.status} ${page.url}`);
  return { person: somebody, agent, page };
}

/** What a page says, without its markup. */
export const words = ({ text }: Pick<Answer, 'text'>): string =>
  text
    .replace(/<(script|style|head)\b.*?<\/\1>/gs, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
