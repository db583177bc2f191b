/** Who gets to a person's own pages, and where the way leads. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, codeOf as authorizationCodeOf, csrfOf, pkce } from '../../support/agent.ts';
import { codeOf, enrol } from '../../support/authenticator.ts';
import { claimsOf, comeBack, redeem, travel } from '../../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { open, send, visit, words } from './visitor.ts';

const shown = [
  '/account',
  '/account/profile',
  '/account/email',
  '/account/password',
  '/account/security',
  '/account/sessions',
  '/account/connections',
  '/account/applications',
  '/account/activity',
  '/account/data',
  '/account/delete',
];
const fresh = ['/account/email', '/account/password', '/account/delete'];
/** Addresses of earlier versions, and what each still asks for. */
const moved = { '/account/factors': true, '/account/passkeys': true, '/account/identities': false };
const taken = [
  '/account/profile',
  '/account/email',
  '/account/password',
  '/account/factors/remove',
  '/account/factors/rename',
  '/account/factors/codes/saved',
  '/account/factors/codes',
  '/account/factors/codes.txt',
  '/account/factors/begin',
  '/account/factors/app',
  '/account/sessions/end',
  '/account/sessions/end-others',
  '/account/connections/end',
  '/account/applications/delete',
  '/account/delete',
];

/** Pages that ask before something ends, and the list that the sign-in leads back to. */
const asking = [
  ['/account/sessions/end', '/account/sessions'],
  ['/account/sessions/end-others', '/account/sessions'],
  ['/account/connections/end', '/account/connections'],
  ['/account/applications/delete', '/account/applications'],
] as const;

describe('the way to the account pages', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const isSignIn = (answer: { status: number; location: string | undefined }) =>
    answer.status === 303 && answer.location?.startsWith(`${server.url}/oauth/authorize?`);

  test.each(asking)('%s: it asks only a person who is signed in, and the sign-in leads to %s', async (path, list) => {
    const answer = await new Agent(server).go(`${path}?session=x&client=x`, { follow: false });
    expect(isSignIn(answer)).toBe(true);
    expect(new URL(answer.location ?? '').searchParams.get('state')).toBe(list);
  });

  test.each(shown)('%s: nobody sees it without signing in, and the sign-in leads to it', async (path) => {
    const agent = new Agent(server);
    expect(isSignIn(await agent.go(path, { follow: false }))).toBe(true);
    const person = await buildPerson(server);
    const page = await open(agent, person, path);
    expect([page.status, page.url]).toEqual([200, server.url + path]);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  test.each(Object.entries(moved))('%s leads to the Security page, also after the sign-in', async (path, isFresh) => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    const page = await open(agent, person, path);
    expect([page.status, new URL(page.url).pathname]).toEqual([200, '/account/security']);
    travel(302);
    expect(isSignIn(await agent.go(path, { follow: false }))).toBe(isFresh);
    expect(new URL((await open(agent, person, path)).url).pathname).toBe('/account/security');
  });

  test('a page that asks about one thing is there again after the sign-in, with that thing', async () => {
    const { agent, person } = await visit(server);
    const app = await enrol(server.core.factors, person.subject);
    const path = `/account/factors/remove?factor=${app.factorId}`;
    for (const from of [path, `/account/factors/rename?factor=${app.factorId}`]) {
      travel(302);
      const page = await open(agent, person, from, app.fresh);
      expect([page.status, page.url]).toEqual([200, server.url + from]);
    }
    const callback = (state: string) =>
      agent.go(`/account/callback?${new URLSearchParams({ state })}`, { follow: false });
    expect((await callback(path)).location).toBe(server.url + path);
    for (const state of [
      `${path}&x=1`,
      `${path}/../x`,
      `${path}#x`,
      '/account/factors/remove?to=x',
      '/account?factor=x',
    ])
      expect([state, (await callback(state)).location]).toEqual([state, `${server.url}/account`]);
  });

  test('the sign-in page is the ordinary one, and asks for no consent', async () => {
    const agent = new Agent(server);
    const page = await agent.go('/account');
    expect(words(page)).toContain('Sign in Username or e-mail');
    expect(words(page)).not.toContain('to continue to');
    const back = await agent.submit(page, { username: (await buildPerson(server)).username, password });
    expect(back.location).toMatch(/\/account\/callback\?code=/);
  });

  test('cancelling the sign-in ends at the start page, not in a circle', async () => {
    const agent = new Agent(server);
    const page = await agent.go('/account');
    expect((await agent.submit(page, { answer: 'cancel' })).url).toBe(`${server.url}/`);
  });

  test.each(taken)('POST %s: a form without its token, or from another site, is refused (B1)', async (path) => {
    const { agent, page } = await visit(server, '/account/profile');
    for (const request of [
      { form: {} },
      { form: { csrf: 'x' } },
      { form: { csrf: csrfOf(page) }, headers: { 'sec-fetch-site': 'cross-site' } },
      { form: { csrf: csrfOf(page) }, headers: { origin: 'https://evil.example' } },
    ]) {
      expect((await agent.go(path, request)).status).toBe(403);
    }
    expect((await agent.go(path, { follow: false, headers: { accept: 'text/html' } })).status).not.toBe(500);
  });

  test.each(taken)('POST %s: without a session it leads to the sign-in, and does nothing', async (path) => {
    const { agent, page } = await visit(server, '/account/profile');
    for (const name of [...agent.cookies.keys()]) if (!name.startsWith('gatehouse-browser')) agent.cookies.delete(name);
    const answer = await agent.go(path, { form: { csrf: csrfOf(page) }, follow: false });
    expect(isSignIn(answer)).toBe(true);
  });

  test.each(fresh)('%s needs a sign-in of the last five minutes', async (path) => {
    const { agent, person } = await visit(server);
    expect((await agent.go(path, { follow: false })).status).toBe(200);
    travel(240);
    expect((await agent.go(path, { follow: false })).status).toBe(200);
    travel(62);
    const again = await agent.go(path, { follow: false });
    expect(isSignIn(again)).toBe(true);
    // The rest is open still.
    expect((await agent.go('/account/profile', { follow: false })).status).toBe(200);
    const page = await agent.go(path);
    expect(page.text).toContain(`value="${person.username}"`);
    expect((await open(agent, person, path)).url).toBe(server.url + path);
  });

  test('a form that comes too late does nothing, and what was typed is there after the sign-in', async () => {
    const { agent, person } = await visit(server);
    expect((await agent.go('/account/email')).text).toContain('name="email"');
    travel(302);
    const late = await send(agent, await agent.go('/account/profile'), '/account/email', { email: 'late@example.net' });
    const back = await agent.submit(late, { username: person.username, password });
    const shown = await agent.go(back.location ?? '');
    expect(shown.url).toBe(`${server.url}/account/email`);
    expect(shown.text).toContain('value="late@example.net"');
    // In no address on the way.
    expect(decodeURIComponent(`${late.url} ${back.location}`)).not.toContain('late@');
  });

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/oauth/logout',
    '/account/sessions/end',
    '/account/../setup',
    '/account?x',
    '',
  ])('the callback leads to no other place: %j', async (state) => {
    const answer = await new Agent(server).go(`/account/callback?${new URLSearchParams({ state })}`, { follow: false });
    expect([answer.status, answer.location]).toEqual([303, `${server.url}/account`]);
    const twice = await new Agent(server).go('/account/callback?state=/account/data&state=/x', { follow: false });
    expect(twice.location).toBe(`${server.url}/account`);
  });

  test('the code that comes back can be redeemed by nobody', async () => {
    const agent = new Agent(server);
    const back = await agent.submit(await agent.go('/account'), {
      username: (await buildPerson(server)).username,
      password,
    });
    const code = new URL(back.location ?? '').searchParams.get('code') ?? '';
    const form = { grant_type: 'authorization_code', client_id: 'gatehouse-account', code };
    for (const more of [{}, { code_verifier: 'x'.repeat(43) }]) {
      const answer = await fetch(`${server.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({ ...form, ...more }),
      });
      expect(answer.status).toBe(400);
    }
  });

  test('the client of the pages gets nothing but a sign-in', async () => {
    const { agent } = await visit(server);
    const request = {
      ...{ response_type: 'code', client_id: 'gatehouse-account', code_challenge_method: 'S256' },
      ...{ code_challenge: 'x'.repeat(43), redirect_uri: `${server.url}/account/callback` },
    };
    for (const scope of ['profile', 'user', 'offline_access']) {
      const query = new URLSearchParams({ ...request, scope, prompt: 'none' });
      const answer = await agent.go(`/oauth/authorize?${query}`, { follow: false });
      expect(answer.location).toMatch(/error=/);
    }
    const { verifier, challenge } = pkce();
    for (const scope of ['openid', 'openid profile email user offline_access']) {
      const query = new URLSearchParams({ ...request, scope, code_challenge: challenge, prompt: 'none' });
      const { location = '' } = await agent.go(`/oauth/authorize?${query}`, { follow: false });
      const code = new URL(location).searchParams.get('code') ?? '';
      const { redirect_uri } = request;
      const form = { grant_type: 'authorization_code', client_id: 'gatehouse-account', code, redirect_uri };
      const body = new URLSearchParams({ ...form, code_verifier: verifier });
      const tokens = await (await fetch(`${server.url}/oauth/token`, { method: 'POST', body })).json();
      expect(tokens).toMatchObject({ scope: 'openid' });
      expect(tokens).not.toHaveProperty('refresh_token');
    }
    const elsewhere = new URLSearchParams({ ...request, scope: 'openid', redirect_uri: 'https://evil.example/' });
    expect((await agent.go(`/oauth/authorize?${elsewhere}`, { follow: false })).status).toBe(400);
  });

  const isCode = ({ text }: { text: string }) =>
    text.includes('autocomplete="one-time-code"') && !text.includes('class="qr"');

  test.each([
    ['/account/factors/begin', { name: 'mine' }],
    ['/account/factors/remove', { factor: 'x' }],
    ['/account/factors/rename', { factor: 'x', name: 'mine' }],
    ['/account/passkeys/rename', { passkey: 'x', name: 'mine' }],
    ['/account/factors/codes', {}],
    ['/account/factors/email-code', {}],
    ['/account/passkeys/add', { credential: '{}' }],
    ['/account/passkeys/remove', { passkey: 'x' }],
    ['/account/password', { current: password, password: 'another good passphrase' }],
    ['/account/email', { email: 'thief@example.net' }],
    ['/account/identities/remove', { identity: 'x' }],
    ['/account/identities/connect', {}],
    ['/account/delete', {}],
  ])('POST %s: a password alone is not enough for an account that has a second factor (B11)', async (path, fields) => {
    // Signed in before there was one, and not five minutes ago.
    const { agent, person, page } = await visit(server);
    const app = await enrol(server.core.factors, person.subject);
    const asked = await send(agent, await agent.go('/account/profile'), path, {
      ...fields,
      ...(path.endsWith('/delete') && { username: person.username }),
    });
    expect([page.status, isCode(asked), asked.text.includes('current-password')]).toEqual([200, true, false]);
    const { factors } = await server.core.factors.list(person.subject);
    expect(factors.map(({ id }) => id)).toEqual([app.factorId]);
    const after = await server.core.accounts.findBySubject(person.subject);
    expect([after?.passwordHash, after?.email]).toEqual([person.passwordHash, person.email]);
  });

  test('the second factor is asked for before the page is shown, and leads to it', async () => {
    for (const [path, lands = path] of [
      ['/account/email'],
      ['/account/password'],
      ['/account/passkeys', '/account/security'],
      ['/account/factors/codes/new'],
      ['/account/delete'],
    ] as const) {
      const { agent, person } = await visit(server);
      const app = await enrol(server.core.factors, person.subject);
      const asked = await agent.go(path);
      expect(isCode(asked)).toBe(true);
      const { location = '' } = await agent.submit(asked, { code: app.fresh() });
      expect(new URL((await agent.go(location)).url).pathname).toBe(lands);
      expect((await agent.go('/account/password', { follow: false })).status).toBe(200);
    }
  });

  test('one that is confirmed when somebody else has added another adds nothing', async () => {
    const { agent, person, page } = await visit(server, '/account/security');
    const qr = await send(agent, page, '/account/factors/begin');
    const secret = /class="secret-key"[^>]*>([A-Z2-7 ]+)</.exec(qr.text)?.[1]?.replaceAll(' ', '') ?? '';
    const app = await enrol(server.core.factors, person.subject);
    expect(isCode(await send(agent, qr, '/account/factors/app', { code: codeOf(secret) }))).toBe(true);
    const { factors } = await server.core.factors.list(person.subject);
    expect(factors.map(({ id }) => id)).toEqual([app.factorId]);
  });

  test('whoever has just added one here is not asked for it at once, and their tokens say that they have it', async () => {
    const { agent, page } = await visit(server, '/account/security');
    const qr = await send(agent, page, '/account/factors/begin');
    const secret = /class="secret-key"[^>]*>([A-Z2-7 ]+)</.exec(qr.text)?.[1]?.replaceAll(' ', '') ?? '';
    const codes = await send(agent, qr, '/account/factors/app', { code: codeOf(secret) });
    expect(codes.url).toBe(`${server.url}/account/factors/codes`);
    expect((await agent.go('/account/passkeys')).text).toContain('data-new-passkey');
    const again = await send(agent, codes, '/account/factors/codes');
    expect(again.url).toBe(`${server.url}/account/factors/codes`);
    const client = await buildClient(server);
    const { verifier, challenge } = pkce();
    const query = { response_type: 'code', client_id: client.id, scope: 'openid', code_challenge: challenge };
    const consent = await agent.go(
      `/oauth/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`,
    );
    const code = authorizationCodeOf(await agent.submit(consent, { answer: 'allow' }));
    const { body } = await redeem(server, client, { code, code_verifier: verifier });
    expect(claimsOf(body.id_token)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
  });

  test('a person who is disabled or deleted is out at once', async () => {
    for (const end of ['disable', 'remove'] as const) {
      const { agent, person } = await visit(server);
      await server.core.accounts[end](person.subject);
      expect(isSignIn(await agent.go('/account', { follow: false }))).toBe(true);
    }
  });

  test('what one person left behind in a browser is not shown to the next', async () => {
    const { agent } = await visit(server, '/account/security');
    const app = await send(agent, await agent.go('/account/security'), '/account/factors/begin');
    expect(app.text).toContain('class="qr"');
    const other = await buildPerson(server);
    await agent.confirmLogout(await agent.go('/oauth/logout'));
    await open(agent, other, '/account');
    const shown = await agent.go('/account/factors/app');
    expect(shown.url).toBe(`${server.url}/account/security`);
  });

  test('names: said in place what is wrong, kept what was typed, and shown in the language that was chosen', async () => {
    const { agent, person, page } = await visit(server, '/account/profile');
    const wrong = await send(agent, page, '/account/profile', { first_name: 'A\u202eda', last_name: 'Lovelace' });
    expect(wrong.status).toBe(422);
    expect(words(wrong)).toContain('This does not look right');
    expect(wrong.text).toContain('value="Lovelace"');
    const locale = { locale: 'en' };
    const saved = await send(agent, page, '/account/profile', {
      first_name: ' Ada ',
      last_name: 'Lovelace',
      ...locale,
    });
    expect([saved.url, words(saved)]).toEqual([`${server.url}/account/profile`, expect.stringContaining('is saved')]);
    const account = await server.core.accounts.findBySubject(person.subject);
    expect(account).toMatchObject({ firstName: 'Ada', lastName: 'Lovelace', locale: 'en', username: person.username });
    expect(words(await agent.go('/account/profile'))).not.toContain('is saved');
    await send(agent, page, '/account/profile', { first_name: '', last_name: '', locale: '' });
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ firstName: '', locale: null });
    const events = await server.core.stores.audit.list({ subject: person.subject }, 100);
    expect(events.filter(({ event }) => event === 'account.profile_changed')).toHaveLength(2);
  });

  test('fields of others’ making change nothing else (E2)', async () => {
    const [{ agent, person, page }, other] = [await visit(server, '/account/profile'), await buildPerson(server)];
    const more = { sub: other.subject, subject: other.subject, username: 'root', admin: 'true', verified: 'true' };
    await send(agent, page, '/account/profile', { first_name: 'Eve', last_name: '', ...more });
    expect(await server.core.accounts.findBySubject(other.subject)).toMatchObject({ firstName: 'Test' });
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({
      ...{ firstName: 'Eve', username: person.username, admin: false },
    });
  });
});
