/** Activity, export and the end of an account. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomToken } from '../../../src/base/secrets.ts';
import { auditEvents } from '../../../src/core/kernel/audit.ts';
import { activityEvents } from '../../../src/pages/account/activity.ts';
import { Agent } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { comeBack, refresh, tokensFor } from '../../support/flow.ts';
import { mailTo } from '../../support/mail.ts';
import { enrolPasskey } from '../../support/passkey.ts';
import { buildClient, buildPerson, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { open, send, visit, words } from './visitor.ts';

/** About applications, keys and the server; a person's page words them as "something else", should it ever have one. */
const notAboutPeople =
  /^(client\.(?!registered|deleted)|group\.(?!joined|left)|key\.|api\.|admin_key\.|registration_token\.|client_auth\.|invitation\.made|upstream\.failed)/;

test('every event about people has words of its own', () => {
  const events = Object.keys(auditEvents).filter((event) => !notAboutPeople.test(event));
  expect([...activityEvents].sort()).toEqual(events.sort());
});

describeStorages('a person’s data', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  test('activity: one’s own, the latest first, page by page', async () => {
    const [{ agent, person }, other] = [await visit(server), await buildPerson(server)];
    const caller = { address: '192.0.2.9', via: 'browser', requestId: 'r' };
    await server.core.signIn.signIn({ username: person.username, password: 'wrong', ...caller });
    await server.core.accounts.disable(other.subject);
    for (let n = 0; n < 25; n += 1) server.core.audit.note('consent.denied', { subject: person.subject });
    await server.core.audit.record('sign_out', { subject: person.subject, detail: { by: other.subject } });
    const first = await agent.go('/account/activity');
    expect(words(first)).toMatch(/Signed out by an administrator.*Refused an application/);
    expect(words(first)).not.toContain('disabled');
    const older = /href="(\/account\/activity\?before=\d+)"/.exec(first.text)?.[1] ?? '';
    const second = await agent.go(older);
    expect(words(second)).toMatch(/A sign-in failed.*192\.0\.2\.9.*The account was created/);
    expect(second.text).not.toContain('before=');
    for (const odd of ['x', '-1', '9'.repeat(40), '1e3']) {
      expect((await agent.go(`/account/activity?before=${odd}`)).status).toBe(200);
    }
  });

  test('the export holds everything about the person and no key to the account', async () => {
    const person = await buildPerson(server);
    const client = await buildClient(server, { client_name: 'Bookshelf' });
    const { body } = await tokensFor(server, client, {
      person,
      scope: 'openid offline_access',
      extra: { prompt: 'consent' },
    });
    const { agent } = await visit(server, '/account', person);
    const app = await enrol(server.core.factors, person.subject, 'phone');
    await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url, name: 'Blue key' });
    const browser = randomToken(32);
    await server.core.knownBrowsers.arrived({
      ...{ subject: person.subject, id: 'sign-in', browser, again: false, keep: true, locale: 'en' },
      caller: { via: 'browser', address: '192.0.2.1', requestId: 'r' },
    });
    const there = { provider: 'company', providerSubject: 'their-name-for-ada', label: 'ada@company.example' };
    const account = await server.core.accounts.findBySubject(person.subject);
    if (!account) throw new Error('there is no account');
    const identity = { ...there, id: randomToken(12), createdAt: account.createdAt };
    expect(await server.core.stores.identities.link(account, identity)).toBe('linked');
    const made = await server.app.clients.register(
      { client_name: 'Mine', redirect_uris: ['https://app.example.com/cb'] },
      { origin: 'person', owner: person.subject },
    );
    if (made.outcome !== 'registered') throw new Error(made.outcome);
    for (let n = 0; n < 600; n += 1) server.core.audit.note('consent.denied', { subject: person.subject });
    await server.core.audit.record('consent.denied', { subject: person.subject });

    const file = await agent.go('/account/data/export');
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="account.json"');
    expect(file.headers.get('cache-control')).toBe('no-store');
    const data = JSON.parse(file.text);
    expect(data.account).toMatchObject({ username: person.username, email: person.email, twoFactor: true });
    expect(data.factors).toMatchObject([{ kind: 'totp', name: 'phone' }]);
    expect(data).toMatchObject({ recoveryCodesLeft: 10, recoveryCodesSaved: false });
    expect(data.passkeys).toMatchObject([{ name: 'Blue key', createdAt: expect.any(String) }]);
    expect(data.identities).toMatchObject([there]);
    expect(data.browsers).toContainEqual({
      remembered: true,
      createdAt: expect.any(String),
      lastUsedAt: expect.any(String),
      expiresAt: expect.any(String),
    });
    expect(data.connectedApplications).toMatchObject([{ clientId: client.id }]);
    expect(data.ownApplications).toMatchObject([{ client_id: made.client.id, metadata: { client_name: 'Mine' } }]);
    expect(data.sessions.length).toBe(2);
    expect(data.activity.length).toBeGreaterThan(601);
    const { passwordHash } = (await server.core.accounts.findBySubject(person.subject)) ?? {};
    const [factor] = await server.core.stores.factors.list(person.subject);
    const secrets = [passwordHash, app.secret, factor?.secret, made.secret, body.refresh_token, ...app.recoveryCodes];
    for (const secret of secrets) expect(file.text).not.toContain(secret);
  });

  test('the only administrator cannot delete the account, until there is another one', async () => {
    const person = await buildPerson(server, { admin: true });
    const { agent, page } = await visit(server, '/account/delete', person);
    const refused = await send(agent, page, '/account/delete', { username: person.username });
    expect([refused.status, words(refused)]).toEqual([
      422,
      expect.stringContaining('You are the only administrator of this server. Nothing was deleted'),
    ]);
    expect((await agent.go('/account', { follow: false })).status).toBe(200);
    const other = await buildPerson(server, { admin: true });
    const gone = await send(agent, page, '/account/delete', { username: person.username });
    expect(gone.url).toBe(`${server.url}/account/deleted`);
    expect(await server.core.accounts.remove(other.subject)).toBe('last-admin');
  });

  test('the end of an account takes the username, typed, and everything goes with it', async () => {
    const person = await buildPerson(server);
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client, {
      person,
      scope: 'openid offline_access',
      extra: { prompt: 'consent' },
    });
    const made = await server.app.clients.register(
      { client_name: 'Mine', redirect_uris: ['https://app.example.com/cb'] },
      { origin: 'person', owner: person.subject },
    );
    if (made.outcome !== 'registered') throw new Error(made.outcome);
    const { agent, page } = await visit(server, '/account/delete', person);
    expect(words(page)).toContain('The application that you registered here is deleted too');
    for (const username of ['', 'somebody', person.email ?? '']) {
      const wrong = await send(agent, page, '/account/delete', { username });
      expect([wrong.status, words(wrong)]).toEqual([422, expect.stringContaining('Nothing was deleted')]);
    }
    const gone = await send(agent, page, '/account/delete', { username: ` ${person.username.toUpperCase()} ` });
    expect([gone.url, words(gone)]).toEqual([
      `${server.url}/account/deleted`,
      expect.stringContaining('Your account is deleted'),
    ]);
    expect(await server.core.accounts.findBySubject(person.subject)).toBeUndefined();
    expect(await server.app.clients.find(made.client.id)).toBeUndefined();
    expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await agent.go('/account', { follow: false })).status).toBe(303);
    const again = await open(new Agent(server), person, '/account');
    expect(words(again)).toContain('Incorrect username or password');
    expect(await server.core.stores.consents.list(person.subject)).toEqual([]);
    const [event] = await server.core.stores.audit.list({ subject: person.subject }, 1);
    expect(event).toMatchObject({ event: 'account.deleted', detail: { via: 'account' } });
    const letter = await mailTo(server, person.email ?? '', 'account-deleted');
    expect([letter.link, letter.text]).toEqual([undefined, expect.stringContaining(person.username)]);
    // Pressed twice: it is gone already.
    expect((await send(agent, page, '/account/delete', { username: person.username })).url).toContain('/interaction/');
  });
});
