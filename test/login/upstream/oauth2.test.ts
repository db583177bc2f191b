/** Signing in through an OAuth 2 provider in GitHub's manner: no ID token, but a person who holds an access token. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer } from '../../support/agent.ts';
import { buildClient, buildPerson, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { type ProviderServer, startProvider } from './provider-server.ts';
import { application, comeBackWith, failureIn, isNew, leave, pathOf, startWith, submitTo, unusual } from './world.ts';

const unusable = 'The response from GitHub could not be used.';

describeStorages('signing in through an OAuth 2 provider', (storage) => {
  let provider: ProviderServer;
  let server: TestServer;
  let app: ReturnType<typeof application>;
  beforeAll(async () => {
    provider = await startProvider();
    const github = (id: string, more: object = {}) => ({
      id,
      name: 'GitHub',
      type: 'oauth2',
      authorization_endpoint: `${provider.url}/authorize`,
      token_endpoint: `${provider.url}/token`,
      userinfo_endpoint: `${provider.url}/userinfo`,
      client_id: 'us',
      client_secret: 'a secret of theirs',
      scopes: ['read:user', 'user:email'],
      ...more,
    });
    server = await startWith(storage, () => [
      github('github'),
      github('strict', { fresh_sign_in: 'never', issuer: 'https://github.example' }),
    ]);
    app = application(server, await buildClient(server));
  });
  afterEach(() => provider.reset());
  afterAll(async () => {
    await server?.close();
    await provider?.close();
  });

  async function attempt(agent = new Agent(server), page?: Answer, id = 'github'): Promise<Answer> {
    const begun = page ?? (await app.begin(agent));
    return comeBackWith(agent, await provider.answer(await leave(agent, begun, id)));
  }

  test('PKCE and a state, no nonce; the secret in the form; the person by a Bearer token, as JSON', async () => {
    const agent = new Agent(server);
    const address = new URL(await leave(agent, await app.begin(agent), 'github'));
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      client_id: 'us',
      scope: 'read:user user:email',
      code_challenge_method: 'S256',
      redirect_uri: `${server.url}/upstream/github/callback`,
    });
    expect([address.searchParams.has('nonce'), address.searchParams.has('prompt')]).toEqual([false, false]);
    expect(isNew(await comeBackWith(agent, await provider.answer(address.href)))).toBe(true);
    const [token, userinfo] = ['/token', '/userinfo'].map((path) => provider.asked.find((one) => one.path === path));
    expect(Object.fromEntries(token?.form ?? [])).toMatchObject({
      client_id: 'us',
      client_secret: 'a secret of theirs',
    });
    expect(token?.headers.authorization).toBeUndefined();
    expect(userinfo?.headers).toMatchObject({
      authorization: 'Bearer their-access-token',
      accept: 'application/json',
    });
  });

  test('whose it is, is decided by the number, whatever the name', async () => {
    provider.userinfo = { id: 815, login: unusual(), name: 'Ada Lovelace', email: `${unusual()}@example.org` };
    const agent = new Agent(server);
    const page = await attempt(agent);
    expect(page.text).toContain(`value="${String(provider.userinfo.login)}"`);
    const consent = await submitTo(agent, page, { upstream: 'create', username: String(provider.userinfo.login) });
    const { id, user } = await app.claims(agent, consent);
    // The name is not taken apart, and the address is not proved.
    expect(user).toMatchObject({ given_name: 'Ada Lovelace' });
    expect(user).not.toHaveProperty('family_name');
    expect(user).not.toHaveProperty('email');
    expect(id).not.toHaveProperty('amr');

    provider.userinfo = { id: 815, login: 'renamed', name: null, email: null };
    const later = new Agent(server);
    expect((await app.claims(later, await attempt(later))).id.sub).toBe(id.sub);
    // A person who has taken the old name there is another.
    provider.userinfo = { id: 816, login: String(user.preferred_username) };
    expect(isNew(await attempt())).toBe(true);
  });

  test('a number is the same as its text, and what has lost its digits is refused', async () => {
    provider.userinfo = { id: 99, login: unusual() };
    const agent = new Agent(server);
    const page = await attempt(agent);
    await submitTo(agent, page, { upstream: 'create', username: unusual() });
    expect(await server.core.stores.identities.find('github', '99')).toMatchObject({ providerSubject: '99' });
    for (const id of [2 ** 53, -0.5, Number.MAX_VALUE, null, true, [], {}, '', '\u0000', 'x'.repeat(300), undefined]) {
      provider.userinfo = { id, login: unusual() };
      expect(failureIn(await attempt())).toBe(unusable);
    }
  });

  test('what the provider says of a person is what they may have typed', async () => {
    const own = await buildPerson(server);
    for (const login of [
      own.username,
      '<script>alert(1)</script>',
      'a b',
      '\u202e',
      'ada@example.org',
      7,
      null,
      ['x'],
      'x'.repeat(5000),
    ]) {
      provider.userinfo = {
        id: 4_000_000 + Math.floor(Math.random() * 1e6),
        login,
        name: '\u202egpj.exe',
        email: 'no',
      };
      const page = await attempt();
      expect([page.status, isNew(page)]).toEqual([200, true]);
      expect(page.text).toMatch(/name="username"[^>]* value="" /);
      expect(page.text).not.toContain('<script>alert');
    }
  });

  test('no one takes an address as a name that they have not proved, nor learns whose it is', async () => {
    const person = await buildPerson(server, { email: `${unusual()}@example.org`, verified: true });
    const answers: Answer[] = [];
    for (const username of [`${unusual()}@example.org`, person.email ?? '', `${unusual()}＠example.org`]) {
      provider.userinfo = { id: 5_000_000 + Math.floor(Math.random() * 1e6), login: unusual() };
      const agent = new Agent(server);
      answers.push(await submitTo(agent, await attempt(agent), { upstream: 'create', username }));
      expect(await server.core.stores.accounts.byUsernameKey(username.normalize('NFKC'))).toBeUndefined();
    }
    expect(answers.map((answer) => [answer.status, isNew(answer)])).toEqual(answers.map(() => [422, true]));
    const said = answers.map(({ text }) => /class="error"[^>]*>([^<]+)/.exec(text)?.[1]);
    expect(new Set(said).size).toBe(1);
  });

  test('refusals with status 200, as GitHub words them, and a userinfo that says no', async () => {
    const json = { 'Content-Type': 'application/json' };
    provider.instead.set(
      '/token',
      (res) => void res.writeHead(200, json).end('{"error":"bad_verification_code","error_description":"x"}'),
    );
    expect(failureIn(await attempt())).toBe(unusable);
    provider.reset();
    for (const [status, body, failure] of [
      [401, '{"message":"Bad credentials"}', unusable],
      [200, '[]', unusable],
      [200, '"text"', unusable],
      [200, 'no json', unusable],
      [302, '', unusable],
      [502, '', 'GitHub is not responding.'],
    ] as const) {
      provider.instead.set('/userinfo', (res) => void res.writeHead(status, json).end(body));
      expect(failureIn(await attempt())).toBe(failure);
    }
  });

  test('an issuer in the answer is compared where the settings have one (RFC 9207)', async () => {
    const answerFrom = async (id: string, iss: string) => {
      const agent = new Agent(server);
      const address = new URL(await provider.answer(await leave(agent, await app.begin(agent), id)));
      address.searchParams.set('iss', iss);
      return comeBackWith(agent, address.href);
    };
    expect(failureIn(await answerFrom('strict', 'https://evil.example'))).toBe(unusable);
    expect(isNew(await answerFrom('strict', 'https://github.example'))).toBe(true);
    expect(isNew(await answerFrom('github', 'https://github.example'))).toBe(true);
  });

  test('for a fresh sign-in it is asked to ask, or not offered, as the settings have it', async () => {
    const agent = new Agent(server);
    const page = await app.begin(agent, { max_age: '60' });
    expect(page.text).toContain(`${pathOf(page)}/upstream/github`);
    expect(page.text).not.toContain(`${pathOf(page)}/upstream/strict`);
    expect((await agent.go(`${pathOf(page)}/upstream/strict`)).status).toBe(400);
    const address = new URL(await leave(agent, page, 'github'));
    expect(address.searchParams.get('prompt')).toBe('select_account');
    expect(isNew(await attempt(agent, page))).toBe(true);
  });
});
