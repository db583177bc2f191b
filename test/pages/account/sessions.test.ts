/** Devices and sessions, connected applications, applications of one's own: what is listed, and what ends it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { comeBack, isActive, refresh, tokensFor, travel, userApiTakes } from '../../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { confirm, send, visit, words } from './visitor.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const page = '/account/sessions';
const connected = '/account/connections';
const own = '/account/applications';
const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };

describeStorages('what a person has open', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const program = async (username: string, userAgent = 'curl/8.9.1') => {
    const login = await server.core.apiSessions.login('tinyoauth', {
      ...{ username, password, address: '192.0.2.7', userAgent, via: 'tinyoauth', requestId: 'r' },
    });
    if (login.outcome !== 'signed-in') throw new Error(login.outcome);
    return { token: login.token.token, uid: login.token.claims.sid };
  };
  const holds = async (token: string) => (await server.core.apiSessions.verify('tinyoauth', token)).outcome === 'valid';

  test('browsers and programs are one list; one is ended and the others live on', async () => {
    const { agent, person, page: overview } = await visit(server);
    expect(words(overview)).toContain('Online');
    const [one, two] = [await program(person.username), await program(person.username, firefox)];
    const there = await visit(server, page, person);
    const list = await agent.go(page);
    expect(words(list)).toMatch(/this browser/);
    expect(words(list)).toMatch(/curl.*Program \(tinyoauth API\).*192\.0\.2\.7/);
    expect(words(list)).toMatch(/Firefox on Linux/);
    expect(list.text.match(/\/end\?session=/g)).toHaveLength(3);

    const asked = await agent.go(`${page}/end?session=${one.uid}`);
    expect(words(asked)).toMatch(/End the session of curl \?.*Cancel/);
    expect(await holds(one.token)).toBe(true);
    const ended = await confirm(agent, `${page}/end`, { session: one.uid });
    expect([ended.url, words(ended)]).toEqual([server.url + page, expect.stringContaining('That session has ended')]);
    expect([await holds(one.token), await holds(two.token)]).toEqual([false, true]);
    expect((await there.agent.go('/account', { follow: false })).status).toBe(200);
    expect((await send(agent, asked, `${page}/end`, { session: one.uid })).status).toBe(404);
    expect((await agent.go(`${page}/end?session=${one.uid}`)).status).toBe(404);

    expect(words(await agent.go(`${page}/end-others`))).toContain('End 2 other sessions?');
    const all = await confirm(agent, `${page}/end-others`);
    expect(words(all)).toContain('You are signed out everywhere else');
    expect(await holds(two.token)).toBe(false);
    expect((await there.agent.go('/account', { follow: false })).status).toBe(303);
    expect((await agent.go('/account', { follow: false })).status).toBe(200);
    // Nothing is left to ask about.
    expect((await agent.go(`${page}/end-others`, { follow: false })).location).toBe(server.url + page);
    const events = await server.core.stores.audit.list({ subject: person.subject, event: 'sign_out' }, 10);
    expect(events.map(({ detail }) => detail)).toEqual([{ via: 'account', all: true }, { via: 'account' }]);
  });

  test('signed out everywhere else, other browsers are not known any more, and this one still is', async () => {
    const person = await buildPerson(server);
    /** Their own, in which they are to be kept. */
    async function browser() {
      const agent = new Agent(server);
      const login = await agent.go(page);
      const back = await agent.submit(login, { username: person.username, password, keep: 'yes' });
      await agent.go(back.location ?? '');
      return { agent, known: agent.cookie('gatehouse-device') };
    }
    const [{ agent, known: here }, { known: elsewhere }] = [await browser(), await browser()];
    const knows = async (value: string | undefined) => (await server.core.knownBrowsers.accounts(value)).length;
    expect([await knows(here), await knows(elsewhere)]).toEqual([1, 1]);
    const all = await confirm(agent, `${page}/end-others`);
    expect(words(all)).toContain('You are signed out everywhere else');
    expect([await knows(here), await knows(elsewhere)]).toEqual([1, 0]);
  });

  test('another person’s session is not there, and lives on (E2)', async () => {
    const { agent, page: list } = await visit(server, '/account/profile');
    const other = await buildPerson(server);
    const theirs = await program(other.username);
    for (const session of [theirs.uid, '', 'x', '\0', "' or 1=1 --", '\ud800']) {
      expect((await send(agent, list, `${page}/end`, { session })).status).toBe(404);
      expect((await agent.go(`${page}/end?${new URLSearchParams({ session })}`)).status).toBe(404);
    }
    for (const odd of ['', '?session', `?session=${theirs.uid}&session=${theirs.uid}`])
      expect((await agent.go(`${page}/end${odd}`)).status).toBe(404);
    expect(await holds(theirs.token)).toBe(true);
  });

  test('many sessions come page by page, each once', async () => {
    const { agent, person } = await visit(server, page);
    const caller = { via: 'browser', address: '192.0.2.7', requestId: 'r', userAgent: 'curl/8' };
    for (let n = 0; n < 25; n += 1) {
      await server.core.sessions.begin({ door: 'tinyoauth', holder: { account: person }, lifetime: 900, caller });
    }
    const seen = new Set<string>();
    let [pages, at]: [number, string | undefined] = [0, page];
    for (; at !== undefined && pages < 5; pages += 1) {
      const { text, status } = await agent.go(at);
      expect(status).toBe(200);
      for (const [, uid = ''] of text.matchAll(/\/end\?session=([\w-]+)"/g)) seen.add(uid);
      at = /href="(\/account\/sessions\?before=[^"]+)"/.exec(text)?.[1];
    }
    expect([pages, seen.size]).toEqual([2, 25]);
    for (const odd of ['x', '1', '1.', `${'9'.repeat(99)}.a`, "1.' or 1=1"]) {
      expect((await agent.go(`${page}?before=${encodeURIComponent(odd)}`)).status).toBe(200);
    }
  });

  test('many connected applications come page by page, each once', async () => {
    const [person, names] = [await buildPerson(server), Array.from({ length: 9 }, (_, n) => `Shelf ${n}`)];
    for (const client_name of names) {
      await tokensFor(server, await buildClient(server, { client_name }), { person, scope: 'openid' });
    }
    const { agent, page: first } = await visit(server, connected, person);
    const more = /href="(\/account\/connections\?after=[^"]+)"/.exec(first.text)?.[1] ?? '';
    const second = await agent.go(more);
    const shown = [first, second].map(({ text }) => [...text.matchAll(/<h2><bdi>(Shelf \d)/g)].map(([, name]) => name));
    expect(shown.map(({ length }) => length)).toEqual([7, 2]);
    expect(shown.flat().sort()).toEqual(names);
    expect(second.text).not.toContain('?after=');
    for (const odd of ['x', '\0', 'a'.repeat(5000)]) {
      expect((await agent.go(`${connected}?after=${encodeURIComponent(odd)}`)).text).toContain(more.replace(/.*=/, ''));
    }
  });

  test('a connected application: what it may, since when; ended, its tokens end and it has to ask again (B16)', async () => {
    const client = await buildClient(server, {
      client_name: 'Bookshelf <b>',
      client_uri: 'https://bookshelf.example/',
    });
    const [kept, person] = [await buildClient(server, { client_name: 'Calendar' }), await buildPerson(server)];
    const scope = { scope: 'openid email offline_access', extra: { prompt: 'consent' } };
    const first = await tokensFor(server, client, { ...scope, person });
    const second = await tokensFor(server, client, { scope: 'user', person });
    const other = await tokensFor(server, kept, { ...scope, person });
    const { agent } = await visit(server, '/account', person);
    await server.core.activity.close();

    const list = await agent.go(connected);
    expect(words(list)).toMatch(/Bookshelf &lt;b&gt;.*bookshelf\.example/);
    expect(words(list)).toMatch(/See your e-mail address.*Stay connected when you are away/);
    expect(words(list)).toMatch(/Last used/);
    expect(words(list)).not.toContain('Account pages');

    const question = await agent.go(`${connected}/end?client=${client.id}`);
    expect(words(question)).toMatch(/Disconnect Bookshelf &lt;b&gt; \?/);
    const ended = await confirm(agent, `${connected}/end`, { client: client.id });
    expect(words(ended)).toContain('no longer has access');
    expect(words(ended)).not.toContain('Bookshelf');
    for (const { body } of [first, second]) {
      expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    }
    expect(await isActive(server, client, first.body.access_token)).toBe(false);
    expect(await userApiTakes(server, second.body.access_token)).toBe(false);
    expect((await refresh(server, kept, other.body.refresh_token)).status).toBe(200);
    const query = { response_type: 'code', client_id: client.id, scope: 'openid email', prompt: 'none', ...challenge };
    const asked = await first.agent.go(`/oauth/authorize?${new URLSearchParams(query)}`, { follow: false });
    expect(asked.location ?? '').toMatch(/error=(consent|interaction)_required/);

    expect((await send(agent, question, `${connected}/end`, { client: client.id })).status).toBe(404);
    expect((await agent.go(`${connected}/end?client=${client.id}`)).status).toBe(404);
    const [event] = await server.core.stores.audit.list({ subject: person.subject, event: 'consent.revoked' }, 10);
    expect(event).toMatchObject({ clientId: client.id, detail: { via: 'account' } });
  });

  test('nobody disconnects what another person has connected, nor these pages themselves', async () => {
    const client = await buildClient(server);
    const theirs = await tokensFor(server, client, { scope: 'openid offline_access', extra: { prompt: 'consent' } });
    const { agent, page: list } = await visit(server, '/account/profile');
    for (const id of [client.id, 'gatehouse-account', '', '\0', 'x'.repeat(5000)]) {
      expect((await send(agent, list, `${connected}/end`, { client: id })).status).toBe(404);
      if (id.length < 5000)
        expect((await agent.go(`${connected}/end?${new URLSearchParams({ client: id })}`)).status).toBe(404);
    }
    expect((await refresh(server, client, theirs.body.refresh_token)).status).toBe(200);
  });

  test('what a program has allowed in its person’s place is listed too', async () => {
    const person = await buildPerson(server);
    const client = await buildClient(server, { client_name: 'Lending' }, 'person');
    const { token } = await program(person.username);
    const query = new URLSearchParams({ response_type: 'code', client_id: client.id, scope: 'user', state: 's' });
    const answer = await fetch(`${server.url}/authorize?${query}`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'manual',
    });
    expect(answer.headers.get('location')).toContain('code=');
    const { agent } = await visit(server, '/account', person);
    const list = await agent.go(connected);
    expect(words(list)).toMatch(/Lending.*See your name, username and e-mail address/);
    await confirm(agent, `${connected}/end`, { client: client.id });
    expect(words(await agent.go(connected))).toContain('No connected applications');
  });

  test('applications of one’s own: listed, and deleted with their tokens; others’ are not there', async () => {
    const [{ agent, person }, other] = [await visit(server), await buildPerson(server)];
    const register = async (owner: string, name: string) => {
      const metadata = { client_name: name, redirect_uris: ['https://app.example.com/cb'] };
      const made = await server.app.clients.register(metadata, { origin: 'person', owner });
      if (made.outcome !== 'registered') throw new Error(made.outcome);
      return { id: made.client.id, secret: made.secret ?? '' };
    };
    const [mine, theirs] = [await register(person.subject, 'Mine'), await register(other.subject, 'Theirs')];
    const tokens = await tokensFor(server, mine, { scope: 'openid offline_access', extra: { prompt: 'consent' } });
    const list = await agent.go(own);
    expect(words(list)).toMatch(new RegExp(`Mine.*${mine.id}.*https://app\\.example\\.com/cb`));
    expect(words(list)).not.toContain('Theirs');
    expect(list.text).not.toContain(mine.secret);
    const form = await agent.go('/account/profile');
    for (const client of [theirs.id, '', 'gatehouse-account', '\0']) {
      expect((await send(agent, form, `${own}/delete`, { client })).status).toBe(404);
      expect((await agent.go(`${own}/delete?${new URLSearchParams({ client })}`)).status).toBe(404);
    }
    expect(words(await agent.go(`${own}/delete?client=${mine.id}`))).toContain('Delete Mine ?');
    expect(await server.app.clients.find(mine.id)).toBeDefined();
    const gone = await confirm(agent, `${own}/delete`, { client: mine.id });
    expect(words(gone)).toContain('The application is deleted');
    expect((await refresh(server, mine, tokens.body.refresh_token)).status).toBe(401);
    expect(await server.app.clients.find(theirs.id)).toBeDefined();
  });

  test('since when an application is connected is the first time, whatever comes later', async () => {
    const person = await buildPerson(server);
    const client = await buildClient(server);
    await tokensFor(server, client, { person });
    const [before] = await server.core.stores.consents.list(person.subject);
    travel(60);
    await tokensFor(server, client, { person, scope: 'openid email' });
    const [after] = await server.core.stores.consents.list(person.subject);
    expect(after).toMatchObject({ createdAt: before?.createdAt });
    expect(after?.updatedAt).toBeGreaterThan(before?.updatedAt ?? 0);
  });
});
