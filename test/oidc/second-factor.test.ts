/**
 * A sign-in on two pages, as a browser sends it: what is bound to what, what can be skipped, what is stored. B3, B4,
 * B11.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { Agent, type Answer, codeOf, pkce } from '../support/agent.ts';
import { type Authenticator, enrol } from '../support/authenticator.ts';
import { claimsOf, comeBack, redeem, refresh, tokensFor, travel, userinfo } from '../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

type Person = Awaited<ReturnType<typeof buildPerson>>;

describeStorages('the second factor on two pages', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start({
      THROTTLE_ACCOUNT_LIMIT: '100',
      THROTTLE_ADDRESS_LIMIT: '10000',
      LOG_LEVEL: 'trace',
    });
    client = await buildClient(server, { grant_types: ['authorization_code', 'refresh_token'] });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  async function enrolled(): Promise<{ person: Person; app: Authenticator }> {
    const person = await buildPerson(server);
    return { person, app: await enrol(server.core.factors, person.subject) };
  }

  const { verifier, challenge } = pkce();
  function begin(agent: Agent, extra: Record<string, string> = {}): Promise<Answer> {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.id,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...extra,
    });
    return agent.go(`/oauth/authorize?${query}`);
  }

  /** At the page that asks for the code. */
  async function halfway(person: Person, agent = new Agent(server)): Promise<{ agent: Agent; page: Answer }> {
    const page = await agent.submit(await begin(agent), { username: person.username, password });
    expect([page.status, isCodePage(page)]).toEqual([200, true]);
    return { agent, page };
  }

  const isCodePage = ({ text }: Answer): boolean => text.includes('autocomplete="one-time-code"');
  const isLogin = ({ text }: Answer): boolean => text.includes('name="password"');
  const isConsent = ({ text }: Answer): boolean => text.includes('value="allow"');
  const isSignedIn = async (agent: Agent): Promise<boolean> => {
    const { location } = await begin(agent, { prompt: 'none' });
    return new URL(location ?? '').searchParams.get('error') !== 'login_required';
  };

  test('password, code, consent, and the ID token says how it was proved, after a refresh too', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    expect(await isSignedIn(new Agent(server))).toBe(false);
    const consent = await agent.submit(page, { code: app.fresh() });
    expect(isConsent(consent)).toBe(true);
    const code = codeOf(await agent.submit(consent, { answer: 'allow' }));
    const { body } = await redeem(server, client, { code, code_verifier: verifier });
    const proved = { sub: person.subject, amr: ['pwd', 'otp', 'mfa'] };
    expect(claimsOf(body.id_token)).toMatchObject(proved);
    const again = await refresh(server, client, body.refresh_token);
    expect(claimsOf(again.body.id_token)).toMatchObject(proved);
    // It says something of the sign-in, not of the person.
    expect(await (await userinfo(server, body.access_token)).json()).not.toHaveProperty('amr');
  });

  test('without a second factor the ID token says so', async () => {
    const { body } = await tokensFor(server, client);
    expect(claimsOf(body.id_token)).toMatchObject({ amr: ['pwd'] });
  });

  test('between the two pages no one is signed in, and no step can be skipped (B4)', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    expect(await isSignedIn(agent)).toBe(false);
    const uid = new URL(page.url).pathname.split('/').at(-1) ?? '';
    // A code before the password; the answers of another page; nothing at all.
    const early = new Agent(server);
    const login = await begin(early);
    for (const fields of [{ code: app.code() }, { recovery_code: app.recoveryCodes[0] ?? '' }]) {
      const answer = await early.submit(login, fields);
      expect([answer.status, isLogin(answer)]).toEqual([422, true]);
    }
    for (const fields of [{ answer: 'allow' }, {}, { code: '' }] as Record<string, string>[]) {
      const answer = await agent.submit(page, fields);
      expect([answer.status, isCodePage(answer)]).toEqual([422, true]);
    }
    // Going on without the code: the password does not count any more.
    const skipped = await agent.go(`/oauth/authorize/${uid}`);
    expect([skipped.status, isLogin(skipped)]).toEqual([200, true]);
    expect(await isSignedIn(agent)).toBe(false);
    const late = await agent.submit(page, { code: app.code() });
    expect(late.status).toBe(400);
    expect(await isSignedIn(agent)).toBe(false);
  });

  test('the password that was right belongs to its browser and its interaction (B3)', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    const uid = new URL(page.url).pathname;
    const stranger = new Agent(server);
    const own = await begin(stranger);
    expect((await stranger.go(uid)).status).toBe(400);
    const stolen = await stranger.go(uid, {
      form: { csrf: /name="csrf" value="([^"]+)"/.exec(own.text)?.[1] ?? '', code: app.code() },
    });
    expect(stolen.status).toBe(400);
    expect(await isSignedIn(stranger)).toBe(false);
    // A second interaction of the same browser asks for the password itself.
    const other = await begin(agent);
    expect(isLogin(other)).toBe(true);
    expect((await agent.submit(other, { code: app.code() })).status).toBe(422);
    expect(isConsent(await agent.submit(page, { code: app.code() }))).toBe(true);
  });

  test('who goes back and gives another password is asked for that account, with its own code', async () => {
    const [first, second] = [await enrolled(), await enrolled()];
    const plain = await buildPerson(server);
    const { agent, page } = await halfway(first.person);
    const changed = await agent.submit(page, { username: second.person.username, password });
    expect(isCodePage(changed)).toBe(true);
    expect((await agent.submit(page, { code: first.app.code() })).status).toBe(422);
    const consent = await agent.submit(page, { username: plain.username, password });
    expect(isConsent(consent)).toBe(true);
    const code = codeOf(await agent.submit(consent, { answer: 'allow' }));
    const { body } = await redeem(server, client, { code, code_verifier: verifier });
    expect(claimsOf(body.id_token)).toMatchObject({ sub: plain.subject, amr: ['pwd'] });
  });

  test('a wrong password on the way back leads no further than before', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    expect((await agent.submit(page, { username: person.username, password: 'wrong' })).status).toBe(422);
    expect(isConsent(await agent.submit(page, { code: app.code() }))).toBe(true);
  });

  test('“not you?” forgets the password', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    const login = await agent.submit(page, { answer: 'restart' });
    expect([login.status, isLogin(login), /role="alert"|id="problem"/.test(login.text)]).toEqual([200, true, false]);
    const answer = await agent.submit(page, { code: app.code() });
    expect([answer.status, isLogin(answer)]).toEqual([422, true]);
    expect(await isSignedIn(agent)).toBe(false);
  });

  test('too late, or after the password was changed: the password once more, and the name is still there', async () => {
    for (const spoil of [
      async () => travel(300),
      async ({ subject }: Person) => {
        await server.core.accounts.setPassword(subject, password, { endSessions: false });
      },
    ]) {
      const { person, app } = await enrolled();
      const { agent, page } = await halfway(person);
      await spoil(person);
      const login = await agent.submit(page, { code: app.fresh() });
      // The address shows the same from now on.
      expect(isLogin(await agent.go(new URL(page.url).pathname))).toBe(true);
      expect([isLogin(login), login.text.includes('Enter your password again')]).toEqual([true, true]);
      expect(login.text).toContain(`value="${person.username}"`);
      const again = await agent.submit(login, { username: person.username, password });
      expect(isCodePage(again)).toBe(true);
      expect(isConsent(await agent.submit(again, { code: app.fresh() }))).toBe(true);
      comeBack();
    }
  });

  test('a page that is opened too late asks for the password', async () => {
    const { person } = await enrolled();
    const { agent, page } = await halfway(person);
    const path = new URL(page.url).pathname;
    expect(isCodePage(await agent.go(path))).toBe(true);
    travel(300);
    expect(isLogin(await agent.go(path))).toBe(true);
  });

  test('a disabled person gets no further', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    await server.core.accounts.disable(person.subject);
    expect(isLogin(await agent.submit(page, { code: app.code() }))).toBe(true);
    expect(await isSignedIn(agent)).toBe(false);
  });

  test('the form needs its token (B1)', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    expect((await agent.submit(page, { csrf: 'x', code: app.code() })).status).toBe(403);
    const crossSite = await agent.go(new URL(page.url).pathname, {
      form: { csrf: /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '', code: app.code() },
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(crossSite.status).toBe(403);
    expect(isConsent(await agent.submit(page, { code: app.code() }))).toBe(true);
  });

  test('of 50 browsers with one code exactly one is signed in (B11, X4)', async () => {
    const { person, app } = await enrolled();
    const browsers = [];
    for (let n = 0; n < 50; n += 1) browsers.push(await halfway(person));
    const code = app.code();
    const answers = await Promise.all(browsers.map(({ agent, page }) => agent.submit(page, { code })));
    expect(answers.filter(isConsent)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 422 && isCodePage(answer))).toHaveLength(49);
  });

  test('one code sent twice by one browser arrives once, at the same place', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    const code = app.code();
    const path = new URL(page.url).pathname;
    const form = { csrf: /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '', code };
    const answers = await Promise.all([1, 2].map(() => agent.go(path, { form, follow: false })));
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(answers[0]?.location).toBe(answers[1]?.location);
    expect(isConsent(await agent.go(answers[1]?.location ?? ''))).toBe(true);
    expect((await agent.submit(page, { code })).status).toBe(400);
  });

  test('aborting a second sign-in halfway leaves the first as it was (A9)', async () => {
    const { person, app } = await enrolled();
    const first = await buildPerson(server);
    const agent = new Agent(server);
    await agent.authorize(first, {
      client_id: client.id,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const login = await begin(agent, { prompt: 'login' });
    const page = await agent.submit(login, { username: person.username, password });
    expect(isCodePage(page)).toBe(true);
    const { location } = await agent.submit(page, { answer: 'cancel' });
    expect(new URL(location ?? '').searchParams.get('error')).toBe('access_denied');
    expect(await isSignedIn(agent)).toBe(true);
    expect(app.recoveryCodes).toHaveLength(10);
  });

  test('too many wrong codes: 429 with the time to wait, for the right one too', async () => {
    const tight = await storage.start({ THROTTLE_ACCOUNT_LIMIT: '3' });
    try {
      const person = await buildPerson(tight);
      const app = await enrol(tight.core.factors, person.subject);
      const own = await buildClient(tight);
      const agent = new Agent(tight);
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: own.id,
        scope: 'openid',
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
      const page = await agent.submit(await agent.go(`/oauth/authorize?${query}`), {
        username: person.username,
        password,
      });
      for (let n = 0; n < 3; n += 1) expect((await agent.submit(page, { code: app.wrong() })).status).toBe(422);
      const refused = await agent.submit(page, { code: app.code() });
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
    } finally {
      await tight.close();
    }
  });

  test('what was shown once is nowhere in the database or the log', async () => {
    const { person, app } = await enrolled();
    const { agent, page } = await halfway(person);
    const [recovery = ''] = app.recoveryCodes;
    await agent.submit(page, { recovery_code: recovery });
    const values = [app.secret, ...app.recoveryCodes.flatMap((code) => [code, code.replaceAll('-', '')])];
    const bytes = await stored();
    expect(bytes.includes(person.username)).toBe(true);
    expect(values.filter((value) => bytes.includes(value))).toEqual([]);
    const log = server.logged.join('\n');
    expect(values.filter((value) => log.includes(value))).toEqual([]);
  });

  async function stored(): Promise<Buffer> {
    const { database } = server.core.config;
    if (database.kind === 'sqlite') {
      const files = readdirSync(server.dataDir).filter((name) => name.includes('.sqlite'));
      return Buffer.concat(files.map((name) => readFileSync(join(server.dataDir, name))));
    }
    const connection = new pg.Client({ connectionString: database.url });
    await connection.connect();
    const all: string[] = [];
    for (const table of ['factors', 'accounts', 'tokens', 'sessions', 'audit', 'changes']) {
      const { rows } = await connection.query<{ text: string }>(`select t::text as text from "${table}" t`);
      all.push(...rows.map(({ text }) => text));
    }
    await connection.end();
    return Buffer.from(all.join('\n'));
  }
});
