/** The start page of the account: what it says, what it ends, and what it costs. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { enrol } from '../../support/authenticator.ts';
import { comeBack, tokensFor } from '../../support/flow.ts';
import { leastRoundTrips } from '../../support/round-trips.ts';
import { buildClient, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { confirm, visit, withBoth, words } from './visitor.ts';

const page = '/account';

describeStorages('the overview of the account', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const elsewhere = async (username: string, userAgent: string) => {
    const login = await server.core.apiSessions.login('tinyoauth', {
      ...{ username, password, address: '192.0.2.7', userAgent, via: 'tinyoauth', requestId: 'r' },
    });
    if (login.outcome !== 'signed-in') throw new Error(login.outcome);
    return login.token.claims.sid ?? '';
  };

  test('says what protects the account and proposes one step, until there is nothing to do', async () => {
    const { agent, person, page: bare } = await visit(server);
    expect(words(bare)).toMatch(/Only a password protects this account\..*Add a passkey/);
    expect(bare.text.match(/class="button"/g)).toHaveLength(1);
    const { recoveryCodes } = await enrol(server.core.factors, person.subject);
    await withBoth(server, person);
    const unsaved = await agent.go(page);
    expect(words(unsaved)).toMatch(/Your recovery codes are not saved yet\..*Save the codes/);
    expect(unsaved.text).toContain('class="button" href="/account/factors/codes"');
    await server.core.factors.confirmSaved(person.subject, recoveryCodes[0] ?? '');
    expect(words(await agent.go(page))).toContain('Your account is well protected.');
    expect((await agent.go(page)).text).not.toContain('class="button"');
  });

  test('the last three events, three of the sessions, three of the applications', async () => {
    const { agent, person } = await visit(server);
    for (const n of [1, 2, 3, 4]) {
      const client = await buildClient(server, { client_name: `Shelf ${n}` });
      await tokensFor(server, client, { person, scope: 'openid offline_access', extra: { prompt: 'consent' } });
      await elsewhere(person.username, `program-${n}/1.0`);
    }
    const seen = await agent.go(page);
    expect(words(seen)).toMatch(/this browser/);
    expect(seen.text.match(/\/account\/sessions\/end\?/g)).toHaveLength(2);
    expect(seen.text.match(/\/account\/connections\/end\?/g)).toHaveLength(3);
    expect(seen.text.match(/data-ago/g)?.length).toBeGreaterThan(5);
    const [, recent = ''] = /Recent activity(.*?)<\/section>/s.exec(seen.text) ?? [];
    expect(recent.match(/<li/g)).toHaveLength(3);
  });

  test('a session and an application end right here, in two steps, and the person comes back here', async () => {
    const { agent, person } = await visit(server);
    const client = await buildClient(server, { client_name: 'Bookshelf' });
    await tokensFor(server, client, { person, scope: 'openid offline_access', extra: { prompt: 'consent' } });
    const session = await elsewhere(person.username, 'curl/8');
    const disconnected = await confirm(agent, '/account/connections/end', { client: client.id, from: 'overview' });
    expect([disconnected.url, words(disconnected)]).toEqual([
      server.url + page,
      expect.stringContaining('no longer has access'),
    ]);
    const ended = await confirm(agent, '/account/sessions/end', { session, from: 'overview' });
    expect([ended.url, words(ended)]).toEqual([server.url + page, expect.stringContaining('That session has ended')]);
  });

  test('`from` leads to no other page', async () => {
    const { agent, person } = await visit(server);
    for (const from of ['https://evil.example/', '//evil.example', '/setup', '', 'Overview']) {
      const session = await elsewhere(person.username, 'curl/8');
      const asked = await agent.go(`/account/sessions/end?${new URLSearchParams({ session, from })}`);
      expect(asked.text).not.toContain('evil');
      expect(asked.text).toContain('href="/account/sessions">Cancel');
      const ended = await confirm(agent, '/account/sessions/end', { session, from });
      expect(ended.url).toBe(`${server.url}/account/sessions`);
    }
  });

  test('costs four round trips beside those of every account page, and one more with codes to count', async () => {
    const { agent, person } = await visit(server);
    const cost = (path: string) =>
      leastRoundTrips(server.core.stores, async () => {
        expect((await agent.go(path)).status).toBe(200);
      });
    const every = await cost('/account/data');
    // Events, sessions, consents, grants.
    expect((await cost(page)) - every).toBe(4);
    await enrol(server.core.factors, person.subject);
    await withBoth(server, person);
    expect((await cost(page)) - (await cost('/account/data'))).toBe(5);
  });
});
