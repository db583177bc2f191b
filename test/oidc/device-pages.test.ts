/** What a person meets at /device: typing, guessing, being deceived, and another account. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, csrfOf } from '../support/agent.ts';
import { allow, answer, begin, confirm, deviceClient, enter, poll, press, xsrfOf } from '../support/device.ts';
import { comeBack, type TestClient } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { at, describeStorages } from '../support/storages.ts';

const words = ({ text }: Pick<Answer, 'text'>) =>
  text
    .replace(/^.*?<main>/s, '')
    .replace(/<\/main>.*$/s, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
const heading = ({ text }: Pick<Answer, 'text'>) => /<h1[^>]*>(.*?)<\/h1>/s.exec(text)?.[1]?.replaceAll(/<[^>]+>/g, '');
const wrongCode = (n: number) => `BCDFGHJ${'BCDFGHJKLMNPQRSTVWXZ'[n % 20]}`;

describeStorages('the pages of the device flow', (storage) => {
  let server: TestServer;
  let second: TestServer;
  let client: TestClient;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ACCOUNT_LIMIT: '3', THROTTLE_ADDRESS_LIMIT: '5', TRUST_PROXY: '1' });
    second = await storage.join(server, { THROTTLE_ACCOUNT_LIMIT: '3', THROTTLE_ADDRESS_LIMIT: '5', TRUST_PROXY: '1' });
    client = await buildClient(server, { ...deviceClient, client_name: 'Living Room' });
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  /** A browser at an address of its own, so that the limits of one test do not reach the next. */
  let addresses = 0;
  const newAddress = () => {
    addresses += 1;
    return `198.51.100.${addresses}`;
  };
  const browser = (node = server, address = newAddress()) => {
    const agent = new Agent(node);
    const { go } = agent;
    agent.go = (to, request = {}) =>
      go.call(agent, to, { ...request, headers: { ...request.headers, 'X-Forwarded-For': address } });
    return agent;
  };

  test('a code is taken in any spelling that people type', async () => {
    for (const spell of [
      (code: string) => code.toLowerCase(),
      (code: string) => ` ${code.replace('-', ' ')} `,
      (code: string) => code.replace('-', '').split('').join('.'),
      (code: string) => code.replace('-', '–'),
      // Full-width letters of East Asian keyboards.
      (code: string) =>
        code.replaceAll(/[A-Z]/g, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)),
    ]) {
      const { user_code } = await begin(server, client);
      const page = await enter(browser(), spell(user_code));
      expect([page.status, heading(page), words(page)]).toEqual([
        200,
        'Sign in to Living Room on a device?',
        expect.stringContaining(user_code),
      ]);
    }
  });

  test('verification_uri_complete shows the code, and waits for the person', async () => {
    const codes = await begin(server, client);
    const agent = browser();
    const page = await agent.go(codes.verification_uri_complete);
    expect(words(page)).toContain(`Check that your device shows this code: ${codes.user_code}`);
    expect((await poll(server, client, codes)).body.error).toBe('authorization_pending');
    const person = await buildPerson(server);
    const end = await answer(agent, person, await press(agent, page, { user_code: codes.user_code, confirm: 'yes' }));
    expect(heading(end)).toBe('Go back to your device');
    expect((await poll(server, client, codes)).status).toBe(200);
    expect(words(await agent.go(codes.verification_uri_complete))).toContain('That code is already in use.');
  });

  test('RFC 8628, 5.4: the page names the application, that it is unreviewed, the requesting place, and the danger', async () => {
    const unreviewed = await buildClient(server, { ...deviceClient, client_name: 'Free <Money>' }, 'person');
    const headers = { 'user-agent': 'SmartTV/2.1 (Linux; Tizen)', 'x-forwarded-for': '203.0.113.77' };
    const codes = await begin(server, unreviewed, { scope: 'openid' }, headers);
    const agent = browser();
    const page = await enter(agent, codes.user_code);
    const said = words(page);
    for (const part of [
      'Sign in to Free &lt;Money&gt; on a device?',
      'not reviewed',
      'Gatehouse has not checked this application.',
      'SmartTV on Linux',
      'Address 203.0.113.77',
      'Continue only if you started this yourself, on a device in front of you.',
      'If the code came in a call, a message or from a website, cancel',
    ])
      expect(said).toContain(part);
    const asked = /<time datetime="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect(Math.abs(Date.parse(asked) - Date.now())).toBeLessThan(60_000);
    // The consent page says once more for what the answer is, and does not speak of an address to go back to.
    const login = await press(agent, page, { user_code: codes.user_code, confirm: 'yes' });
    const { username } = await buildPerson(server);
    const consent = words(await agent.submit(login, { username, password }));
    expect(consent).toContain('Your answer is for the device whose code you entered.');
    expect(consent).toContain('We ask each time, because nothing shows which device is asking.');
    expect(consent).not.toContain('takes you back');
  });

  test('RFC 8628, 5.1: guesses are limited per browser session, across nodes; only wrong codes count', async () => {
    const [one, codes] = [browser(), await begin(server, client)];
    for (let n = 0; n < 5; n += 1) expect((await enter(one, codes.user_code)).status).toBe(200);
    for (let n = 0; n < 3; n += 1) {
      const wrong = await enter(one, wrongCode(n));
      expect([wrong.status, words(wrong)]).toEqual([400, expect.stringContaining('That code is incorrect.')]);
      expect(wrong.text).toContain(`value="${wrongCode(n)}"`);
    }
    // What no device can show is a slip, and no guess.
    expect((await enter(one, 'hello')).status).toBe(400);
    const stopped = await enter(one, codes.user_code);
    expect([stopped.status, stopped.headers.get('retry-after'), words(stopped)]).toEqual([
      429,
      expect.stringMatching(/^\d+$/),
      expect.stringContaining('Sign in and come back, or try again in 15 minutes.'),
    ]);
    if (storage.kind === 'postgres') {
      const other = browser(at(second));
      for (const [name, cookie] of one.cookies) other.cookies.set(name, cookie);
      expect((await enter(other, codes.user_code)).status).toBe(429);
    }
  });

  test('RFC 8628, 5.1: per address, and a query in the address counts as well', async () => {
    const address = '192.0.2.44';
    for (let n = 0; n < 5; n += 1)
      expect((await browser(server, address).go(`/device?user_code=${wrongCode(n)}`)).status).toBe(400);
    const { user_code } = await begin(server, client);
    expect((await browser(server, address).go(`/device?user_code=${user_code}`)).status).toBe(429);
    expect((await enter(browser(), user_code)).status).toBe(200);
    // A person who is signed in counts alone, so that a neighbour does not keep them from their device.
    const agent = browser(server, address);
    const { username } = await buildPerson(server);
    await agent.submit(await agent.go('/account/password'), { username, password });
    expect((await enter(agent, user_code)).status).toBe(200);
    for (let n = 0; n < 3; n += 1) expect((await enter(agent, wrongCode(n))).status).toBe(400);
    const stopped = await enter(agent, user_code);
    expect([stopped.status, words(stopped)]).toEqual([429, expect.stringContaining('Try again in 15 minutes.')]);
  });

  test('RFC 8628, 5.1: in all, however many addresses guess; concurrent guesses do not pass the limit', async () => {
    const crowded = await storage.start({ THROTTLE_ADDRESS_LIMIT: '1', TRUST_PROXY: '1' });
    try {
      const guesses = await Promise.all(
        Array.from({ length: 40 }, (_, n) => browser(crowded, `10.1.${n}.1`).go(`/device?user_code=${wrongCode(n)}`)),
      );
      const count = (status: number) => guesses.filter((one) => one.status === status).length;
      expect([count(400), count(429)]).toEqual([30, 10]);
      await eventually('the audit trail has it once', async () => {
        const events = await crowded.core.stores.audit.list({ event: 'device_code.throttled' }, 10);
        return events.length === 1;
      });
    } finally {
      await crowded.close();
    }
  });

  test('one browser decides: another is refused, the same may come back, in a second tab too', async () => {
    const person = await buildPerson(server);
    const codes = await begin(server, client);
    const [one, other] = [browser(), browser()];
    const early = await enter(other, codes.user_code);
    await confirm(one, codes.user_code);
    const late = await press(other, early, { user_code: codes.user_code, confirm: 'yes' });
    expect([late.status, words(late)]).toEqual([400, expect.stringContaining('That code is already in use.')]);
    const stopped = await press(other, early, { user_code: codes.user_code, abort: 'yes' });
    expect(words(stopped)).toContain('That code is already in use.');
    expect((await enter(other, codes.user_code)).status).toBe(400);
    // A reload, or a tab that was closed during the sign-in.
    expect(heading(await allow(one, person, codes.user_code))).toBe('Go back to your device');
    expect((await poll(server, client, codes)).status).toBe(200);
  });

  test('of two browsers that confirm at once exactly one decides', async () => {
    const codes = await begin(server, client);
    const agents = [browser(), browser(), browser(), browser()];
    const pages = await Promise.all(agents.map((agent) => enter(agent, codes.user_code)));
    const form = { user_code: codes.user_code, confirm: 'yes' };
    const next = await Promise.all(pages.map((page, n) => press(agents[n] as Agent, page, form)));
    expect(next.map((page) => page.url.includes('/interaction/')).filter(Boolean)).toHaveLength(1);
  });

  test('forms of two tabs work; one without its token, or from another browser, does not', async () => {
    const codes = await begin(server, client);
    const agent = browser();
    const [first, other] = [await agent.go('/device'), await agent.go('/device')];
    expect(xsrfOf(first)).toBe(xsrfOf(other));
    expect((await press(agent, first, { user_code: codes.user_code })).status).toBe(200);
    for (const xsrf of ['', 'x', xsrfOf(await browser().go('/device'))]) {
      const form = { xsrf, user_code: codes.user_code, confirm: 'yes' };
      const refused = await agent.go('/device', { form });
      expect([refused.status, words(refused)]).toEqual([400, expect.stringContaining('This page is out of date.')]);
      expect(refused.text).toContain(`value="${codes.user_code.replace('-', '')}"`);
    }
    expect((await poll(server, client, codes)).body.error).toBe('authorization_pending');
  });

  test('a reload of the last page, or a foreign address, asks for the code again', async () => {
    const [agent, person] = [browser(), await buildPerson(server)];
    const end = await allow(agent, person, (await begin(server, client)).user_code);
    const stranger = browser();
    for (const [at, page] of [
      [agent, await agent.go(end.url)],
      [stranger, await stranger.go('/device/0123456789abcdef')],
      [stranger, await stranger.go('/device', { form: { xsrf: 'x', user_code: 'x', confirm: 'yes' } })],
    ] as const) {
      expect([page.status, words(page)]).toEqual([400, expect.stringContaining('This page is out of date.')]);
      // Its form works, with or without a token.
      const { user_code } = await begin(server, client);
      const next = /<form method="get"/.test(page.text)
        ? await at.go(`/device?user_code=${user_code}`)
        : await press(at, page, { user_code });
      expect(heading(next)).toBe('Sign in to Living Room on a device?');
    }
  });

  test('B4: the end of the pages cannot be reached twice, not even at once', async () => {
    const [agent, person] = [browser(), await buildPerson(server)];
    const codes = await begin(server, client);
    const login = await confirm(agent, codes.user_code);
    const consent = await agent.submit(login, { username: person.username, password });
    const form = { csrf: csrfOf(consent), answer: 'allow' };
    const { location = '' } = await agent.go(consent.url, { form, follow: false });
    const cookies = new Map(agent.cookies);
    const tabs = [browser(), browser(), browser()];
    for (const tab of tabs) for (const [name, cookie] of cookies) tab.cookies.set(name, cookie);
    const ends = await Promise.all(tabs.map((tab) => tab.go(location)));
    expect(ends.map(heading).sort()).toEqual(['Connect a device', 'Connect a device', 'Go back to your device']);
    expect((await poll(server, client, codes)).status).toBe(200);
  });

  test('a reviewed client that authenticates is remembered: the confirmation is the whole question', async () => {
    const known = await buildClient(server, { ...deviceClient, token_endpoint_auth_method: 'client_secret_basic' });
    const [agent, person] = [browser(), await buildPerson(server)];
    const first = await begin(server, known);
    expect(heading(await allow(agent, person, first.user_code))).toBe('Go back to your device');
    const codes = await begin(server, known);
    const page = await confirm(agent, codes.user_code);
    expect([page.url, heading(page)]).toEqual([`${server.url}/device`, 'Go back to your device']);
    for (const each of [first, codes]) expect((await poll(server, known, each)).status).toBe(200);
  });

  test('B13: a password that changes during the sign-in leads back to the code, and the device gets nothing', async () => {
    const [agent, person] = [browser(), await buildPerson(server)];
    const codes = await begin(server, client);
    const login = await confirm(agent, codes.user_code);
    const form = { csrf: csrfOf(login), username: person.username, password };
    const { location = '' } = await agent.go(login.url, { form, follow: false });
    await server.core.accounts.setPassword(person.subject, 'nine pears on a shelf', { endSessions: true });
    const back = await agent.go(location, { follow: false });
    expect([back.status, back.location]).toEqual([303, `${server.url}/device`]);
    expect((await poll(server, client, codes)).body.error).toBe('authorization_pending');
  });

  test('another account answers: "Not you?" signs in again, and the device gets that person', async () => {
    const [first, other] = [await buildPerson(server), await buildPerson(server)];
    const codes = await begin(server, client);
    const agent = browser();
    const login = await confirm(agent, codes.user_code);
    const consent = await agent.submit(login, { username: first.username, password });
    const again = await agent.submit(consent, { answer: 'switch' });
    expect(again.text).toContain('name="password"');
    let page = await agent.submit(again, { username: other.username, password });
    // The engine signs the first one out on the way.
    if (page.text.includes('op.logoutForm') || page.text.includes('logout/confirm'))
      page = await agent.confirmLogout(page);
    expect(heading(await answer(agent, other, page))).toBe('Go back to your device');
    const { body } = await poll(server, client, codes);
    expect(JSON.parse(Buffer.from(body.id_token?.split('.')[1] ?? '', 'base64url').toString()).sub).toBe(other.subject);
  });

  test('a finished step offers to start again at /device', async () => {
    const [agent, person] = [browser(), await buildPerson(server)];
    const login = await confirm(agent, (await begin(server, client)).user_code);
    const cookies = new Map(agent.cookies);
    const consent = await agent.submit(login, { username: person.username, password });
    for (const [name, cookie] of cookies) if (!agent.cookies.has(name)) agent.cookies.set(name, cookie);
    const stale = await agent.go(login.url, { form: { csrf: csrfOf(login), username: 'x', password: 'y' } });
    expect(consent.status).toBe(200);
    expect([stale.status, stale.text]).toEqual([400, expect.stringContaining('href="/device"')]);
  });

  test('the engine’s own words and scripts are nowhere: strict policy, no inline script', async () => {
    const { user_code } = await begin(server, client);
    for (const path of ['/device', `/device?user_code=${user_code}`]) {
      const page = await browser().go(path);
      expect(page.headers.get('content-security-policy')).not.toContain('unsafe-inline');
      expect(page.text).not.toMatch(/<script>|onfocus=|op\.device/);
      expect(Buffer.byteLength(page.text)).toBeLessThan(30_000);
      expect(page.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('codes that are begun are limited per address, for public clients alone', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.99' };
    const all = await Promise.all(
      Array.from({ length: 55 }, () =>
        fetch(`${server.url}/oauth/device`, {
          method: 'POST',
          headers,
          body: new URLSearchParams({ client_id: client.id, scope: 'openid' }),
        }),
      ),
    );
    const refused = all.filter(({ status }) => status === 429);
    expect([all.filter(({ status }) => status === 200).length, refused.length]).toEqual([50, 5]);
    expect(await refused[0]?.json()).toMatchObject({ error: 'temporarily_unavailable' });
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    const confidential = await buildClient(server, {
      ...deviceClient,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect((await begin(server, confidential, {}, headers)).interval).toBe(5);
  });
});
