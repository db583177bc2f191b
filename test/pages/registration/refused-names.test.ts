/** S12, S13: names that no new account gets, at every way to an account; accounts that have one go on. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../../src/base/secrets.ts';
import { usernameKey } from '../../../src/core/kernel/names.ts';
import { commandLine } from '../../cli/command-line.ts';
import { Agent, csrfOf } from '../../support/agent.ts';
import { bearer, type CallAnswer, call, posting } from '../../support/call.ts';
import { claimsOf, tokensFor, userinfo } from '../../support/flow.ts';
import { fill, linkIn, mailsTo, mailTo } from '../../support/mail.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const limits = { THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000', MAIL_LIMIT: '100' };
const basic = (username: string, typed = password) =>
  ['Authorization', `Basic ${Buffer.from(`${username}:${typed}`).toString('base64')}`] as const;

/** The JSON surfaces, as a person would register there, and what they say in the place of a reason. */
async function surfacesOf(server: TestServer) {
  const { username } = await buildPerson(server);
  const login = await call(server, posting('/security/login', { username, password }));
  const { token } = JSON.parse(login.text) as { token: string };
  return {
    identity: (name: string) => call(server, posting('/v1/register', {}, basic(name))),
    tinyoauth: (name: string) => call(server, posting('/register', { username: name, password })),
    'security-service': (name: string) =>
      call(server, posting('/security/users', { username: name, password }, bearer(token))),
  };
}
const formats: Record<string, object> = {
  identity: { ok: false, message: expect.stringMatching(/^the name cannot be used: /), timestamp: expect.any(Number) },
  tinyoauth: { result: 'failed', reason: expect.stringMatching(/^the name cannot be used: /) },
  'security-service': { error: { code: 400, message: expect.stringMatching(/^the name cannot be used: /) } },
};

const addresses = ['ceo@corp.example', 'ceo@corp', 'ceo＠corp.example', 'ceo﹫corp', 'ceo@münchen.example', 'ceo@'];
const others = ['ceo.', 'ceo@corp.example.', 'аlice', 'pаypal', 'rοse', 'օscar', 'Ꭰavid'];
const reserved = [
  'admin',
  'ADMIN',
  'ad.min',
  'adm1n',
  'root',
  'support',
  'no-reply',
  'postmaster',
  'gatehouse',
  'AcmeBank',
];
const never = [...addresses, ...others];

describeStorages('S12: a name that no new account gets', (storage) => {
  let server: TestServer;
  let surfaces: Awaited<ReturnType<typeof surfacesOf>>;
  let cli: ReturnType<typeof commandLine>;
  beforeAll(async () => {
    server = await storage.start({ ...limits, BRAND_NAME: 'Acme Bank' });
    surfaces = await surfacesOf(server);
    cli = commandLine({ ...server.env, ISSUER: server.url });
  });
  afterAll(() => server.close());

  const find = (name: string) => server.core.stores.accounts.byUsernameKey(usernameKey(name) ?? '');
  const fieldError = (text: string) => /id="username-error">.*?<span>([^<]*)</.exec(text)?.[1];

  describe.each(Object.keys(formats))('%s', (surface) => {
    test.each([...never, ...reserved])('%j is 400 in its own format', async (name) => {
      const before = await find(name);
      const answer = await surfaces[surface as keyof typeof surfaces](name);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([400, formats[surface]]);
      expect(await find(name)).toEqual(before);
    });
  });

  test('the sign-up page says so at the field, in three languages', async () => {
    for (const name of [...never, ...reserved]) {
      const page = await fill(new Agent(server), '/sign-up', { username: name, email: 'a@b.example', password });
      expect([name, page.status, fieldError(page.text)]).toEqual([name, 422, expect.stringMatching(/\w/)]);
      expect(await find(name)).toBeUndefined();
    }
    const said = async (name: string, language: string) => {
      const agent = new Agent(server);
      const headers = { 'accept-language': language };
      const page = await agent.go('/sign-up', { headers });
      const form = { csrf: csrfOf(page), username: name, email: 'a@b.example', password };
      return fieldError((await agent.go('/sign-up', { headers, form })).text);
    };
    for (const name of ['ceo@corp', 'ceo.', 'аlice', 'root']) {
      const sentences = await Promise.all(['en', 'de', 'ar'].map((language) => said(name, language)));
      expect([name, new Set(sentences).size, sentences.includes(undefined)]).toEqual([name, 3, false]);
    }
  });

  test('an invitation takes none of them either, but the very address that it proves', async () => {
    const about = { email: 'guest@corp.example', mail: true, locale: 'en' };
    await server.core.invitations.invite(about, { via: 'cli' });
    const link = linkIn(await mailTo(server, about.email, 'invitation'));
    for (const name of [...never, ...reserved, 'other@corp.example']) {
      const page = await fill(new Agent(server), link, { username: name, password });
      expect([name, page.status, fieldError(page.text) !== undefined]).toEqual([name, 422, true]);
      expect(await find(name)).toBeUndefined();
    }
    // A stranger's claim from before this rule does not keep the person from it.
    const squatter = await buildPerson(server, {
      username: about.email,
      email: about.email,
      verified: false,
      unprovedName: true,
    });
    await fill(new Agent(server), link, { username: 'Guest@corp.example', password });
    expect(await find(about.email)).toMatchObject({
      username: 'Guest@corp.example',
      email: about.email,
      verified: true,
    });
    expect(await server.core.accounts.findBySubject(squatter.subject)).toMatchObject({ email: null });
  });

  test('an invitation that proves nothing proves no name', async () => {
    const made = await server.core.invitations.invite(
      { email: 'shown@corp.example', mail: false, locale: 'en' },
      { via: 'cli' },
    );
    const path = made.outcome === 'made' ? made.path : '';
    const form = { username: 'shown@corp.example', email: 'shown@corp.example', password };
    expect((await fill(new Agent(server), path, form)).status).toBe(422);
    expect(await find(form.username)).toBeUndefined();
  });

  test('the set-up of the first administrator refuses what no one may have, and takes a reserved name', async () => {
    const fresh = await startServer();
    try {
      const link = await fresh.core.setup.createSetupLink();
      const path = `/setup?token=${link?.token}`;
      for (const name of never) {
        // A form has no say in the address either.
        const form = { username: name, email: 'ceo@corp.example', password };
        const page = await fill(new Agent(fresh), path, form);
        expect([name, page.status, page.text.includes('username-error')]).toEqual([name, 422, true]);
      }
      const form = { username: 'admin', email: 'ceo@corp.example', password };
      expect((await fill(new Agent(fresh), path, form)).status).toBe(200);
      expect(await fresh.core.accounts.findByUsername('admin')).toMatchObject({ admin: true, email: null });
    } finally {
      await fresh.close();
    }
  });

  test('the command line refuses what no one may have; an operator may make a reserved name and a proved address', async () => {
    for (const name of ['ceo@corp.example', 'ceo@corp', 'ceo.', 'pаypal']) {
      const made = await cli('accounts', 'create', name, '--no-password');
      expect([name, made.code, made.err]).toEqual([name, 1, expect.stringContaining('The username was refused.')]);
    }
    const elsewhere = ['--email', 'else@corp.example', '--verified', '--no-password'];
    expect((await cli('accounts', 'create', 'ceo@corp.example', ...elsewhere)).code).toBe(1);
    expect((await cli('accounts', 'create', 'root', '--admin', '--no-password')).code).toBe(0);
    const vouched = ['--email', 'boss@corp.example', '--verified', '--no-password'];
    expect((await cli('accounts', 'create', 'boss@corp.example', ...vouched)).code).toBe(0);
    expect(await find('boss@corp.example')).toMatchObject({ verified: true });
  });

  test('accounts that have such a name sign in at every door, under that name', async () => {
    const { stores, signIn } = server.core;
    const { passwordHash } = await buildPerson(server);
    for (const username of ['support', 'helpdesk.', 'pаypal', 'old@corp.example', 'old@corp', 'old.']) {
      const key = usernameKey(username) ?? '';
      const email = username === 'old@corp.example' ? username : null;
      const made = await stores.accounts.insert({
        ...{
          subject: randomToken(16),
          username,
          usernameKey: key,
          firstName: '',
          lastName: '',
          email,
          emailKey: email,
        },
        ...{ verified: false, twoFactor: false, admin: false, passwordHash, createdAt: 1 },
      });
      expect(made.outcome).toBe('created');
      const doors = [
        (await call(server, { path: '/v1/login', headers: [basic(username)] })).status,
        (await call(server, posting('/login', { username, password }))).status,
        (await call(server, posting('/security/login', { username, password }))).status,
      ];
      expect([username, doors]).toEqual([username, [200, 200, 200]]);
      const request = { username, password, via: 'browser', address: '192.0.2.1', requestId: 'r' };
      expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in', account: { username } });
    }
  });
});

describeStorages('S12: NAMES_WITH_AT=surfaces', (storage) => {
  let server: TestServer;
  let surfaces: Awaited<ReturnType<typeof surfacesOf>>;
  beforeAll(async () => {
    server = await storage.start({ ...limits, NAMES_WITH_AT: 'surfaces' });
    surfaces = await surfacesOf(server);
  });
  afterAll(() => server.close());

  test('takes names that read as an address at the JSON surfaces', async () => {
    for (const [surface, register] of Object.entries(surfaces)) {
      for (const [n, name] of [`${surface}@corp.example`, `${surface}＠corp`].entries())
        expect([surface, n, (await register(name)).status < 300]).toEqual([surface, n, true]);
      for (const name of [...others, 'admin', 'ad.min@'])
        expect([surface, name, (await register(name)).status]).toEqual([surface, name, 400]);
    }
  });

  test('takes them nowhere else', async () => {
    const form = { username: 'page@corp.example', email: 'page@corp.example', password };
    expect((await fill(new Agent(server), '/sign-up', form)).status).toBe(422);
    const made = await server.core.accounts.create({ ...form, firstName: '', lastName: '' });
    expect(made).toMatchObject({ outcome: 'invalid', reason: 'unproved-address' });
  });

  describe.each(['told@corp.example', 'told@corp'])('%s', (name) => {
    let client: Awaited<ReturnType<typeof buildClient>>;
    beforeAll(async () => {
      client = await buildClient(server);
      expect((await surfaces.tinyoauth(name)).status).toBe(200);
    });
    const tokens = async (scope: string, extra: Record<string, string> = {}) => {
      const account = await server.core.accounts.findByUsername(name);
      if (account === undefined) throw new Error(`${name} is not there`);
      return (await tokensFor(server, client, { scope, person: { ...account, password }, extra })).body;
    };

    test('is told to applications neither as a name nor as an address', async () => {
      const asked = { preferred_username: null, email: null, email_verified: null, name: null };
      const claims = JSON.stringify({ id_token: asked, userinfo: asked });
      const body = await tokens('openid profile email', { claims });
      const info = (await (await userinfo(server, body.access_token)).json()) as object;
      for (const told of [claimsOf(body.id_token), info, body]) {
        expect(JSON.stringify(told)).not.toContain('told@');
        for (const member of ['preferred_username', 'email', 'email_verified', 'name', 'username'])
          expect(told).not.toHaveProperty(member);
      }
    });

    test('is the username of the user API, and no address there', async () => {
      const body = await tokens('user');
      expect(body).toMatchObject({ username: name });
      const answer = await fetch(`${server.url}/user/info?username=${encodeURIComponent(name)}`, {
        headers: { authorization: `Bearer ${body.access_token}` },
      });
      expect([answer.status, await answer.json()]).toMatchObject([
        200,
        { user_data: { username: name, email: '', verified: false } },
      ]);
    });

    test('is told to no one as a first or last name either', async () => {
      const account = await server.core.accounts.findByUsername(name);
      const names = { firstName: 'told@corp.example', lastName: 'told＠', locale: null };
      await server.core.accounts.setProfile(account?.subject ?? '', names, { via: 'cli' });
      const body = await tokens('openid profile email');
      const info = (await (await userinfo(server, body.access_token)).json()) as object;
      for (const member of ['name', 'given_name', 'family_name']) expect(info).not.toHaveProperty(member);
      const { access_token } = await tokens('user');
      const answer = await fetch(`${server.url}/user/info`, { headers: { authorization: `Bearer ${access_token}` } });
      expect(await answer.json()).toMatchObject({ user_data: { first_name: '', last_name: '' } });
      await server.core.accounts.setProfile(
        account?.subject ?? '',
        { firstName: '', lastName: '', locale: null },
        { via: 'cli' },
      );
    });

    test('is told to no service behind the gateway', async () => {
      const login = await call(server, posting('/login', { username: name, password }));
      const { token } = JSON.parse(login.text) as { token: string };
      const verified = await call(server, { path: '/gateway/verify/token?tokens=tinyoauth', headers: [bearer(token)] });
      expect(verified.status).toBe(200);
      expect(verified.headers['x-gatehouse-subject']).toMatch(/./);
      expect(verified.headers['x-gatehouse-username'] ?? '').toBe('');
      expect(JSON.stringify(verified.headers)).not.toContain('told@');
    });

    test('is not shown on the consent page as the owner of an application', async () => {
      const owner = await server.core.accounts.findByUsername(name);
      const own = await server.app.clients.register(
        { client_name: 'Bookshelf', redirect_uris: ['https://app.example.com/cb'] },
        { origin: 'person', owner: owner?.subject ?? '' },
      );
      if (own.outcome !== 'registered') throw new Error(own.outcome);
      const agent = new Agent(server);
      const query = new URLSearchParams({
        ...{ response_type: 'code', client_id: own.client.id, scope: 'openid' },
        ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
      });
      const { username } = await buildPerson(server);
      const login = await agent.go(`/oauth/authorize?${query}`);
      const consent = await agent.submit(login, { username, password });
      expect(consent.text).toContain('value="allow"');
      expect(consent.text).not.toContain('told@');
    });
  });

  test('is never matched as an address: no reset, no sign-in, no sign-up in its place', async () => {
    const address = 'matched@corp.example';
    await surfaces.identity(address);
    await server.core.mails.settled();
    await fill(new Agent(server), '/forgot', { username: address });
    expect((await mailsTo(server, address)).map(({ kind }) => kind)).not.toContain('reset-password');
    expect(await server.core.stores.accounts.byVerifiedEmailKey(address)).toBeUndefined();

    const form = { username: 'matched-owner', email: address, password: 'nine pears above water' };
    expect((await fill(new Agent(server), '/sign-up', form)).status).toBe(200);
    const [mail] = (await mailsTo(server, address)).filter(({ kind }) => kind === 'confirm-email');
    await fill(new Agent(server), linkIn(mail ?? { link: undefined }), { password: form.password });
    expect(await server.core.stores.accounts.byVerifiedEmailKey(address)).toMatchObject({ username: form.username });
    const signIn = (typed: string) => call(server, posting('/security/login', { username: address, password: typed }));
    expect([(await signIn(form.password)).status, (await signIn(password)).status]).toEqual([200, 401]);
  });

  test('once its address is proved it is told like any name', async () => {
    const name = 'proves@corp.example';
    await surfaces.identity(name);
    await fill(new Agent(server), linkIn(await mailTo(server, name, 'confirm-email')), { password });
    const login = await call(server, posting('/login', { username: name, password }));
    const { token } = JSON.parse(login.text) as { token: string };
    const verified = await call(server, { path: '/gateway/verify/token?tokens=tinyoauth', headers: [bearer(token)] });
    expect(verified.headers['x-gatehouse-username']).toBe(name);
  });
});

describe('S13: HIDE_ACCOUNT_EXISTENCE=true', () => {
  let server: TestServer;
  let surfaces: Awaited<ReturnType<typeof surfacesOf>>;
  const proved = 'proved@corp.example';
  const named = 'named@corp.example';
  beforeAll(async () => {
    server = await startServer({ env: { ...limits, HIDE_ACCOUNT_EXISTENCE: 'true' } });
    surfaces = await surfacesOf(server);
    await buildPerson(server, { username: 'known', email: proved });
    await buildPerson(server, { username: named, email: named });
    await buildPerson(server, {
      username: 'claimed@corp.example',
      email: 'claimed@corp.example',
      verified: false,
      unprovedName: true,
    });
  });
  afterAll(() => server.close());

  /** Without what differs from answer to answer. */
  const plain = ({ status, headers, text }: CallAnswer) => ({
    status,
    headers: { ...headers, date: '', 'x-request-id': '' },
    text: text.replace(/"timestamp":[\d.]+/, '"timestamp":0'),
  });

  test.each(Object.keys(formats))(
    '%s: an address as a name is refused alike, whether or not an account has it',
    async (surface) => {
      const register = surfaces[surface as keyof typeof surfaces];
      const unknown = plain(await register('strang@corp.example'));
      expect(unknown.status).toBe(400);
      for (const name of [proved, named, 'claimed@corp.example']) expect(plain(await register(name))).toEqual(unknown);
    },
  );

  test('and without a look at any account', async () => {
    const { accounts } = server.core.stores;
    const looks = ['byUsernameKey', 'byVerifiedEmailKey', 'insert'] as const;
    const real = looks.map((name) => accounts[name]);
    const seen: string[] = [];
    const watch = (name: (typeof looks)[number]) =>
      Object.assign(accounts, {
        [name]: (...given: never[]) => {
          seen.push(name);
          return (real[looks.indexOf(name)] as (...all: never[]) => unknown)(...given);
        },
      });
    for (const name of looks) watch(name);
    try {
      for (const name of ['strang@corp.example', proved, named]) {
        await surfaces.identity(name);
        await surfaces.tinyoauth(name);
      }
      expect(seen).toEqual([]);
      await surfaces.tinyoauth('plain-name');
      expect(seen).toContain('insert');
    } finally {
      for (const [n, name] of looks.entries()) Object.assign(accounts, { [name]: real[n] });
    }
  });

  test('login, change and logout answer alike for a known and an unknown name', async () => {
    const wrong = 'not the password of it';
    const change = (name: string) => posting('/v1/password/change', { new_password: password }, basic(name, wrong));
    const calls: Record<string, (name: string) => Promise<CallAnswer>> = {
      'GET /v1/login': (name) => call(server, { path: '/v1/login', headers: [basic(name, wrong)] }),
      'POST /v1/password/change': (name) => call(server, change(name)),
      'POST /login': (username) => call(server, posting('/login', { username, password: wrong })),
      'POST /security/login': (username) => call(server, posting('/security/login', { username, password: wrong })),
    };
    for (const [what, ask] of Object.entries(calls)) {
      const unknown = plain(await ask('strang'));
      const address = plain(await ask('strang@corp.example'));
      expect([what, address]).toEqual([what, unknown]);
      for (const name of ['known', proved, named, 'claimed@corp.example'])
        expect([what, name, plain(await ask(name))]).toEqual([what, name, unknown]);
    }
    const logout = (token: string) => call(server, posting('/v1/logout', {}, bearer(token)));
    expect(plain(await logout('f'.repeat(64)))).toEqual(plain(await logout('not a token'.replaceAll(' ', ''))));
  });

  test('the pages answer alike for a known and an unknown address', async () => {
    const page = async (path: string, form: Record<string, string>, secrets: string[]) => {
      const { status, url, text } = await fill(new Agent(server), path, form);
      const bare = text.replaceAll(/name="csrf" value="[^"]+"/g, 'csrf');
      return { status, url, text: secrets.reduce((all, secret) => all.replaceAll(secret, '…'), bare) };
    };
    const forgot = (username: string) => page('/forgot', { username }, [username]);
    expect(await forgot(proved)).toEqual(await forgot('strang@corp.example'));
    expect(await forgot('known')).toEqual(await forgot('strang'));
    const signUp = (username: string, email: string) =>
      page('/sign-up', { username, email, password }, [username, email]);
    expect(await signUp('fresh-one', proved)).toEqual(await signUp('fresh-two', 'strang@corp.example'));
    expect(await signUp(proved, 'a@b.example')).toEqual(await signUp('strang@corp.example', 'a@b.example'));
  });
});
