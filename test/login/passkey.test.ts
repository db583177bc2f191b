/**
 * Passkeys as a browser sends them, page by page: what is bound to what, what can be skipped, what a page gives away.
 * B3, B4, B6, B12.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { claimsOf, comeBack, redeem, refresh, stopClock, travel } from '../support/flow.ts';
import { enrolPasskey, type Lies, type SoftPasskey } from '../support/passkey.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

type Person = Awaited<ReturnType<typeof buildPerson>>;

describeStorages('passkeys on the pages', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ACCOUNT_LIMIT: '100', THROTTLE_ADDRESS_LIMIT: '10000' });
    client = await buildClient(server, { grant_types: ['authorization_code', 'refresh_token'] });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const { verifier, challenge } = pkce();
  function begin(agent: Agent, extra: Record<string, string> = {}, where = client): Promise<Answer> {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: where.id,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...extra,
    });
    return agent.go(`/oauth/authorize?${query}`);
  }

  async function owner(making: { synced?: boolean } = {}): Promise<{ person: Person; passkey: SoftPasskey }> {
    const person = await buildPerson(server);
    const passkey = await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url, ...making });
    return { person, passkey };
  }

  /** What the page asks the browser for. */
  const optionsOf = ({ text }: Answer): string =>
    (/data-passkey="([^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&#34;', '"').replaceAll('&amp;', '&');
  const isLogin = ({ text }: Answer): boolean => text.includes('name="password"');
  const isStep = ({ text }: Answer): boolean => text.includes('name="second_passkey"');
  const isConsent = ({ text }: Answer): boolean => text.includes('value="allow"');
  const isSignedIn = async (agent: Agent): Promise<boolean> => {
    const { location } = await begin(agent, { prompt: 'none' });
    return new URL(location ?? '').searchParams.get('error') !== 'login_required';
  };
  /** What differs from one showing of a page to the next. */
  const lasting = ({ text }: Answer): string =>
    text.replace(/(name="csrf" value|data-passkey|action|href)="[^"]*"/g, '$1').replace(/\d+ (seconds|minutes)/g, '');

  const give = (agent: Agent, page: Answer, passkey: SoftPasskey, lies: Lies = {}): Promise<Answer> =>
    agent.submit(page, { passkey: passkey.assert(optionsOf(page), lies) });
  const giveSecond = (agent: Agent, page: Answer, passkey: SoftPasskey, lies: Lies = {}): Promise<Answer> =>
    agent.submit(page, { second_passkey: passkey.assert(optionsOf(page), lies) });

  /** At the page after the password. */
  async function halfway(person: Person, agent = new Agent(server)): Promise<{ agent: Agent; page: Answer }> {
    const page = await agent.submit(await begin(agent), { username: person.username, password });
    expect([page.status, isStep(page)]).toEqual([200, true]);
    return { agent, page };
  }

  async function claimsAfter(agent: Agent, consent: Answer) {
    expect(isConsent(consent)).toBe(true);
    const code = codeOf(await agent.submit(consent, { answer: 'allow' }));
    const { body } = await redeem(server, client, { code, code_verifier: verifier });
    return { claims: claimsOf(body.id_token), body };
  }

  test('alone: signed in without a name or a password, and the ID token says how and when, after a refresh too', async () => {
    const { person, passkey } = await owner();
    const agent = new Agent(server);
    const page = await begin(agent);
    const before = Math.floor(Date.now() / 1000);
    const { claims, body } = await claimsAfter(agent, await give(agent, page, passkey));
    expect(claims).toMatchObject({ sub: person.subject, amr: ['hwk', 'user', 'mfa'] });
    expect(Number(claims.auth_time ?? before)).toBeGreaterThanOrEqual(before);
    const again = await refresh(server, client, body.refresh_token);
    expect(claimsOf(again.body.id_token)).toMatchObject({ sub: person.subject, amr: ['hwk', 'user', 'mfa'] });
  });

  test('auth_time is of the latest passkey where the application asks for it', async () => {
    const { passkey } = await owner({ synced: true });
    const agent = new Agent(server);
    const consent = await give(agent, await begin(agent), passkey);
    await agent.submit(consent, { answer: 'allow' });
    travel(60);
    const before = Math.floor(Date.now() / 1000);
    const login = await begin(agent, { max_age: '30' });
    expect(isLogin(login)).toBe(true);
    const answer = await give(agent, login, passkey);
    const code = codeOf(answer);
    const { body } = await redeem(server, client, { code, code_verifier: verifier });
    expect(claimsOf(body.id_token)).toMatchObject({ amr: ['swk', 'user', 'mfa'] });
    expect(Number(claimsOf(body.id_token).auth_time)).toBeGreaterThanOrEqual(before);
    expect(Number(claimsOf(body.id_token).auth_time)).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
  });

  test('after the password, and the ID token names both', async () => {
    const { person, passkey } = await owner();
    const { agent, page } = await halfway(person);
    expect(await isSignedIn(agent)).toBe(false);
    const { claims } = await claimsAfter(agent, await giveSecond(agent, page, passkey, { userVerified: false }));
    expect(claims).toMatchObject({ sub: person.subject, amr: ['pwd', 'hwk', 'user', 'mfa'] });
  });

  test('on the page after the password an app or a recovery code do as well', async () => {
    const { person } = await owner();
    const app = await enrol(server.core.factors, person.subject);
    const { agent, page } = await halfway(person);
    const other = await agent.go(`${new URL(page.url).pathname}?method=totp`);
    expect(isConsent(await agent.submit(other, { code: app.code() }))).toBe(true);
  });

  test('the sign-in page is the same with passkeys and without', async () => {
    const [{ person }, plain] = [await owner(), await buildPerson(server)];
    const pages = [];
    for (const username of [person.username, plain.username, 'nobody-at-all']) {
      const agent = new Agent(server);
      const page = await begin(agent, { login_hint: username });
      const options = JSON.parse(optionsOf(page));
      expect(options).toMatchObject({ allowCredentials: [], userVerification: 'required', rpId: 'localhost' });
      const wrong = await agent.submit(page, { username, password: 'not the password' });
      pages.push([page, wrong].map((one) => lasting(one).replaceAll(username, '')));
    }
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[2]).toEqual(pages[0]);
  });

  test('all that is refused gets one and the same page', async () => {
    const { person, passkey } = await owner();
    const [other, gone, disabled] = [await owner(), await owner(), await owner()];
    await server.core.accounts.remove(gone.person.subject);
    await server.core.accounts.disable(disabled.person.subject);
    const first = new Agent(server);
    expect(isConsent(await give(first, await begin(first), passkey))).toBe(true);
    const answers: [number, string][] = [];
    const cases: [SoftPasskey, Lies][] = [
      [passkey, { origin: 'https://evil.example' }],
      [passkey, { rpId: 'evil.example' }],
      [passkey, { userVerified: false }],
      [passkey, { otherKey: true }],
      [passkey, { challenge: 'AAAA' }],
      [passkey, { counter: 0 }],
      [passkey, { userHandle: other.passkey.handle }],
      [passkey, { credentialId: other.passkey.credentialId }],
      [passkey, { credentialId: 'A'.repeat(43) }],
      [gone.passkey, {}],
      [disabled.passkey, {}],
    ];
    for (const [whose, lies] of cases) {
      const agent = new Agent(server);
      const answer = await give(agent, await begin(agent), whose, lies);
      expect(await isSignedIn(agent)).toBe(false);
      answers.push([answer.status, lasting(answer)]);
    }
    const agent = new Agent(server);
    const nonsense = await agent.submit(await begin(agent), { passkey: '{"id":"x"}' });
    answers.push([nonsense.status, lasting(nonsense)]);
    for (const answer of answers) expect(answer).toEqual([422, answers[0]?.[1]]);
    expect(nonsense.text).toContain('That passkey did not work.');
    expect(person.subject).not.toBe(other.person.subject);
  });

  test('what was signed in one interaction or browser is worth nothing in another (B3, B12)', async () => {
    const { passkey } = await owner();
    const [agent, stranger] = [new Agent(server), new Agent(server)];
    const [page, other, foreign] = [await begin(agent), await begin(agent), await begin(stranger)];
    const assertion = passkey.assert(optionsOf(page));
    expect((await agent.submit(other, { passkey: assertion })).status).toBe(422);
    expect((await stranger.submit(foreign, { passkey: assertion })).status).toBe(422);
    const csrf = /name="csrf" value="([^"]+)"/.exec(foreign.text)?.[1] ?? '';
    expect((await stranger.go(new URL(page.url).pathname, { form: { csrf, passkey: assertion } })).status).toBe(400);
    expect(isConsent(await agent.submit(page, { passkey: assertion }))).toBe(true);
    // Signed in; the same again finds a finished interaction.
    expect((await agent.submit(page, { passkey: assertion })).status).toBe(400);
  });

  test('no step is skipped: a passkey for the second step is none for the first, nor before the password (B4)', async () => {
    const { person, passkey } = await owner();
    const agent = new Agent(server);
    const login = await begin(agent);
    for (const form of [{ second_passkey: passkey.assert(optionsOf(login)) }, { passkey: '' }, {}] as Record<
      string,
      string
    >[]) {
      const answer = await agent.submit(login, form);
      expect([answer.status, isLogin(answer)]).toEqual([422, true]);
    }
    const half = await halfway(person);
    // What was made for the step is no whole sign-in: it need not have been verified.
    const spent = await half.agent.submit(half.page, { passkey: passkey.assert(optionsOf(half.page)) });
    expect([spent.status, isLogin(spent)]).toEqual([422, true]);
    expect(await isSignedIn(half.agent)).toBe(false);
    const skipped = await half.agent.submit(half.page, { answer: 'allow' });
    expect([skipped.status, isStep(skipped)]).toEqual([422, true]);
    expect(isConsent(await giveSecond(half.agent, skipped, passkey))).toBe(true);
  });

  test("another person's passkey does not finish this person's sign-in", async () => {
    const [mine, other] = [await owner(), await owner()];
    const { agent, page } = await halfway(mine.person);
    const answer = await giveSecond(agent, page, other.passkey);
    expect([answer.status, isStep(answer)]).toEqual([422, true]);
    expect(answer.text).toContain('That passkey did not work.');
    expect(isConsent(await giveSecond(agent, answer, mine.passkey))).toBe(true);
  });

  test('a page that is older than five minutes: refused with a fresh challenge, which works', async () => {
    const { passkey } = await owner();
    const agent = new Agent(server);
    const page = await begin(agent);
    travel(301);
    const late = await give(agent, page, passkey);
    expect([late.status, isLogin(late)]).toEqual([422, true]);
    expect(isConsent(await give(agent, late, passkey))).toBe(true);
  });

  test('the form needs its token (B1)', async () => {
    const { passkey } = await owner();
    const agent = new Agent(server);
    const page = await begin(agent);
    const form = { csrf: 'x', passkey: passkey.assert(optionsOf(page)) };
    expect((await agent.submit(page, form)).status).toBe(403);
  });

  test('of 50 browsers with one assertion none but its own gets in; 50 times in one browser it arrives once (X4)', async () => {
    const { passkey } = await owner({ synced: true });
    const agent = new Agent(server);
    const page = await begin(agent);
    const assertion = passkey.assert(optionsOf(page));
    const path = new URL(page.url).pathname;
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => agent.go(path, { form: { csrf, passkey: assertion }, follow: false })),
    );
    // The second one goes where the first went, or finds that it is over.
    expect([...new Set(answers.map(({ status }) => status))].filter((status) => ![303, 400].includes(status))).toEqual(
      [],
    );
    const signedIn = await server.core.stores.audit.list({ event: 'sign_in.succeeded' }, 1000);
    const hers = signedIn.filter(({ detail }) => JSON.stringify(detail.amr) === '["swk","user","mfa"]');
    const subject = (await server.core.stores.passkeys.find(passkey.credentialId))?.subject;
    expect(hers.filter((event) => event.subject === subject)).toHaveLength(1);
  });

  test('too many from one address: 429 with the time to wait', async () => {
    const tight = await storage.start({ THROTTLE_ADDRESS_LIMIT: '3' });
    try {
      const person = await buildPerson(tight);
      const passkey = await enrolPasskey(tight.core.passkeys, person.subject, { origin: tight.url });
      const own = await buildClient(tight);
      const agent = new Agent(tight);
      let page = await begin(agent, {}, own);
      for (let n = 0; n < 3; n += 1) {
        page = await give(agent, page, passkey, { otherKey: true });
        expect(page.status).toBe(422);
      }
      const refused = await give(agent, page, passkey);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
    } finally {
      await tight.close();
    }
  });

  test('the user API says that there is a second factor, and that there is none any more', async () => {
    const person = await buildPerson(server);
    const twoFactor = async () => (await server.core.accounts.findBySubject(person.subject))?.twoFactor;
    expect(await twoFactor()).toBe(false);
    const { id } = await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url });
    expect(await twoFactor()).toBe(true);
    expect(await server.core.passkeys.remove(person.subject, id)).toBe('removed');
    expect(await twoFactor()).toBe(false);
  });

  test('the JSON surfaces name what fits into a header, and take a recovery code', async () => {
    const person = await buildPerson(server);
    const { recoveryCodes } = await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url });
    const basic = Buffer.from(`${person.username}:${password}`).toString('base64');
    const login = (headers: Record<string, string> = {}) =>
      fetch(`${server.url}/v1/login`, { headers: { authorization: `Basic ${basic}`, ...headers } });
    const refused = await login();
    expect([refused.status, refused.headers.get('x-otp')]).toEqual([401, 'required; recovery-code']);
    expect((await login({ 'x-otp': recoveryCodes[0] ?? '' })).status).toBe(200);
  });

  test('codes by e-mail: sent after the right password only, to the page and to the JSON surfaces', async () => {
    const person = await buildPerson(server);
    expect(await server.core.factors.switchOn('email-code', person.subject)).toMatchObject({ outcome: 'added' });
    const letters = () =>
      (server.core.mailbox?.list() ?? []).filter(({ kind, to }) => kind === 'sign-in-code' && to === person.email);
    const latest = () => /\d{4} \d{4}/.exec(letters()[0]?.subject ?? '')?.[0] ?? '';
    const agent = new Agent(server);
    const login = await begin(agent);
    await agent.submit(login, { username: person.username, password: 'not the password' });
    await server.core.mails.settled();
    expect(letters()).toHaveLength(0);
    stopClock();
    const page = await agent.submit(login, { username: person.username, password });
    await server.core.mails.settled();
    expect(letters()).toHaveLength(1);
    expect(page.text).toContain('name="email_code"');
    const early = await agent.submit(page, { answer: 'mail' });
    expect([early.status, early.headers.get('retry-after')]).toEqual([429, '60']);
    const wrong = await agent.submit(page, { email_code: '00000000' });
    expect([wrong.status, wrong.text.includes('name="email_code"')]).toEqual([422, true]);
    travel(61);
    const again = await agent.submit(page, { answer: 'mail' });
    await server.core.mails.settled();
    expect([again.status, letters().length]).toEqual([200, 2]);
    expect(isConsent(await agent.submit(again, { email_code: latest() }))).toBe(true);
    travel(122);
    const basic = Buffer.from(`${person.username}:${password}`).toString('base64');
    const api = (headers: Record<string, string> = {}) =>
      fetch(`${server.url}/v1/login`, { headers: { authorization: `Basic ${basic}`, ...headers } });
    expect((await api()).headers.get('x-otp')).toBe('required; email-code, recovery-code');
    await server.core.mails.settled();
    const answer = await api({ 'x-otp': latest() });
    expect([answer.status, letters().length, await answer.text()]).toEqual([200, 3, expect.anything()]);
  });
});
