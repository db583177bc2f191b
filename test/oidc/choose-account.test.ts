/**
 * prompt=select_account, and the accounts that a browser remembers (OpenID Connect Core, section 3.1.2.1; B3, B4, B5).
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, csrfOf, pkce } from '../support/agent.ts';
import { claimsOf, comeBack, redeem, travel } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
});
afterAll(() => server.close());
afterEach(comeBack);

const { verifier, challenge } = pkce();
function begin(agent: Agent, parameters: Record<string, string> = {}): Promise<Answer> {
  const asked = { client_id: client.id, response_type: 'code', scope: 'openid', code_challenge: challenge };
  return agent.go(
    `/oauth/authorize?${new URLSearchParams({ ...asked, code_challenge_method: 'S256', ...parameters })}`,
  );
}
const select = { prompt: 'select_account' };
const isLogin = ({ text }: Answer) => text.includes('name="password"');
const isChooser = ({ text }: Answer) => text.includes('class="accounts"');
const isConsent = ({ text }: Answer) => text.includes('value="allow"');
const nameIn = ({ text }: Answer) => /id="username"[^>]* value="([^"]*)"/.exec(text)?.[1];
const ticked = ({ text }: Answer) => /name="keep" value="yes" checked/.test(text);
const offered = ({ text }: Answer) =>
  [...text.matchAll(/name="account" value="([^"]+)"(.*?)<\/button>/gs)].flatMap(([, id = '', shown = '']) => {
    // The name, if there is one, and then the username. "Use another account" has neither.
    const username = [...shown.matchAll(/<bdi[^>]*>([^<]+)<\/bdi>/g)].at(-1)?.[1];
    return username === undefined ? [] : [{ id, username }];
  });

/** The form of the chooser has an address of its own. */
const choose = (agent: Agent, page: Answer, fields: Record<string, string>): Promise<Answer> =>
  agent.go(`${new URL(page.url).pathname.replace(/\/accounts$/, '')}/accounts`, {
    form: { csrf: csrfOf(page), ...fields },
  });

/** Signed in there once and remembered, the last of them still signed in. */
async function remembering(count: number) {
  const agent = new Agent(server);
  const people = [];
  for (let n = 0; n < count; n += 1) {
    signOut(agent);
    // Which was used last is known to the second.
    travel(2);
    const person = await buildPerson(server);
    people.push(person);
    const page = await begin(agent);
    const consent = await agent.submit(page, { username: person.username, password, keep: 'yes' });
    await agent.submit(consent, { answer: 'allow' });
  }
  return { agent, people };
}
function signOut(agent: Agent): void {
  agent.cookies.delete('gatehouse/');
  agent.cookies.delete('gatehouse.sig/');
}
async function subjectOf(answer: Answer): Promise<unknown> {
  const { body } = await redeem(server, client, { code: codeOf(answer), code_verifier: verifier });
  return claimsOf(body.id_token).sub;
}

test('discovery says that it can be asked for', async () => {
  const discovery = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
  expect(discovery).toMatchObject({ prompt_values_supported: expect.arrayContaining(['select_account']) });
});

test('a browser that knows no one is asked to sign in, and that is the choice', async () => {
  const agent = new Agent(server);
  const person = await buildPerson(server);
  const page = await begin(agent, select);
  expect([isLogin(page), nameIn(page)]).toEqual([true, '']);
  const consent = await agent.submit(page, { username: person.username, password });
  expect(isConsent(consent)).toBe(true);
  expect(await subjectOf(await agent.submit(consent, { answer: 'allow' }))).toBe(person.subject);
});

test('a person who is signed in is asked all the same, and goes on without a password', async () => {
  const agent = new Agent(server);
  const person = await buildPerson(server);
  await agent.submit(await agent.submit(await begin(agent), { username: person.username, password }), {
    answer: 'allow',
  });
  const page = await begin(agent, select);
  expect(isChooser(page)).toBe(true);
  expect(offered(page)).toEqual([{ id: 'current', username: person.username }]);
  expect(await subjectOf(await choose(agent, page, { account: 'current' }))).toBe(person.subject);
});

test('of several accounts the one that is signed in goes on; any other has to prove itself, and is then alone signed in', async () => {
  const { agent, people } = await remembering(3);
  const [first, , last] = people;
  const page = await begin(agent, select);
  expect(offered(page).map(({ username }) => username)[0]).toBe(last?.username);
  expect(new Set(offered(page).map(({ username }) => username))).toEqual(
    new Set(people.map(({ username }) => username)),
  );
  const other = offered(page).find(({ username }) => username === first?.username);
  const login = await choose(agent, page, { account: other?.id ?? '' });
  expect([isLogin(login), nameIn(login), ticked(login)]).toEqual([true, first?.username, true]);

  const handing = await agent.submit(login, { username: first?.username ?? '', password, keep: 'yes' });
  // The engine parts with the one who was signed in before, by a form that sends itself.
  const answer = isConsent(handing) || handing.location ? handing : await agent.confirmLogout(handing);
  expect(await subjectOf(answer)).toBe(first?.subject);
  const again = await begin(agent, { prompt: 'none' });
  expect(await subjectOf(again)).toBe(first?.subject);
});

test('the application’s hint comes first, and no one who is not remembered is named', async () => {
  const { agent, people } = await remembering(2);
  const [first] = people;
  for (const hint of [first?.username.toUpperCase(), `${first?.username}@example.org`]) {
    const page = await begin(agent, { ...select, login_hint: hint ?? '' });
    expect(offered(page)[0]?.username).toBe(first?.username);
  }
  const stranger = await buildPerson(server);
  const page = await begin(agent, { ...select, login_hint: stranger.username });
  expect(page.text).not.toContain(stranger.username);
});

test('“another account” is an empty sign-in page, with the way back', async () => {
  const { agent } = await remembering(1);
  const page = await choose(agent, await begin(agent, select), { account: 'other' });
  expect([isLogin(page), nameIn(page), ticked(page)]).toEqual([true, '', false]);
  expect(page.text).toContain(`href="${new URL(page.url).pathname}/accounts"`);
  expect(isChooser(await agent.go(`${new URL(page.url).pathname}/accounts`))).toBe(true);
});

test('without being asked to choose, the sign-in page proposes the account used last, and the way to the others', async () => {
  const { agent, people } = await remembering(2);
  signOut(agent);
  const page = await begin(agent);
  expect([isLogin(page), nameIn(page), ticked(page)]).toEqual([true, people[1]?.username, true]);
  const all = await agent.go(`${new URL(page.url).pathname}/accounts`);
  const chosen = offered(all).find(({ username }) => username === people[0]?.username);
  expect(nameIn(await choose(agent, all, { account: chosen?.id ?? '' }))).toBe(people[0]?.username);
  // What the application says of the person goes first.
  expect(nameIn(await begin(agent, { login_hint: 'somebody' }))).toBe('somebody');
});

test('an account is forgotten by its own browser, and by no other', async () => {
  const { agent, people } = await remembering(2);
  const other = await remembering(1);
  const page = await begin(agent, select);
  const target = offered(page).find(({ username }) => username === people[0]?.username)?.id ?? '';
  await choose(other.agent, await begin(other.agent, select), { forget: target });
  expect(offered(await begin(agent, select))).toHaveLength(2);
  const left = await choose(agent, page, { forget: target });
  expect(offered(left).map(({ username }) => username)).toEqual([people[1]?.username]);
});

test('B3, B4: the choice belongs to its browser, skips nothing, and opens nothing by itself', async () => {
  const { agent, people } = await remembering(2);
  signOut(agent);
  const page = await begin(agent, select);
  const path = `${new URL(page.url).pathname}/accounts`;
  const stranger = new Agent(server);
  expect((await stranger.go(path)).status).toBe(400);
  expect((await stranger.go(path, { form: { csrf: csrfOf(page), account: 'current' } })).status).toBe(403);
  // No one is signed in: there is no current account, whatever the form says.
  for (const account of ['current', 'nobody', '']) {
    expect(isChooser(await choose(agent, page, { account }))).toBe(true);
  }
  const id = offered(page).find(({ username }) => username === people[0]?.username)?.id ?? '';
  expect(isLogin(await choose(agent, page, { account: id }))).toBe(true);
  const { location } = await begin(agent, { prompt: 'none' });
  expect(new URL(location ?? '').searchParams.get('error')).toBe('login_required');
});

test('signed in under prompt=select_account login, no person is asked twice', async () => {
  const { agent, people } = await remembering(1);
  const page = await begin(agent, { prompt: 'select_account login' });
  const login = await choose(agent, page, { account: offered(page)[0]?.id ?? '' });
  // The one who is signed in has chosen, and has yet to prove it.
  expect([isLogin(login), nameIn(login)]).toEqual([true, people[0]?.username]);
  const answer = await agent.submit(login, { username: people[0]?.username ?? '', password });
  expect(await subjectOf(answer)).toBe(people[0]?.subject);
});

test('no more than five accounts are remembered in one browser', async () => {
  const { agent, people } = await remembering(6);
  const names = offered(await begin(agent, select)).map(({ username }) => username);
  expect(names).toHaveLength(5);
  expect(names).not.toContain(people[0]?.username);
});
