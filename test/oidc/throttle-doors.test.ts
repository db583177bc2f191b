/**
 * B7, B8: one count for all doors and spellings, however many guess at once; a session of the person, which no stranger
 * has, counts for itself; and a person who is remembered here still gets in.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, csrfOf } from '../support/agent.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const limit = 10;
const wrong = 'not the right one by far';
const wide = (text: string) =>
  text.replace(/[!-~]/g, (sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0));

describeStorages('guessing at every door', (storage) => {
  let server: TestServer;
  let clientId: string;
  beforeAll(async () => {
    // Everything comes from one address here, whose own limit is not what this is about.
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '100000', THROTTLE_ACCOUNT_LIMIT: String(limit) });
    clientId = (await buildClient(server)).id;
  });
  afterAll(() => server.close());

  type Person = Awaited<ReturnType<typeof buildPerson>>;
  type Guess = (username: string, secret: string) => Promise<boolean>;

  async function loginPage(agent: Agent): Promise<Answer> {
    const asked = { response_type: 'code', client_id: clientId, scope: 'openid' };
    const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
    return agent.go(`/oauth/authorize?${new URLSearchParams({ ...asked, ...pkce })}`);
  }
  const basic = (username: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`,
  });
  const post = (path: string, headers: Record<string, string>, json?: unknown) =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { ...headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });

  /** Whether they let a person in. */
  const doors: Record<string, (person: Person) => Promise<Guess>> = {
    async 'the sign-in page'() {
      const agent = new Agent(server);
      const page = await loginPage(agent);
      return async (username, secret) => {
        const { text, status } = await agent.submit(page, { username, password: secret });
        return status < 400 && !text.includes('name="password"');
      };
    },
    async 'the account pages'(person) {
      const agent = new Agent(server);
      await agent.submit(await agent.go('/account/password'), { username: person.username, password });
      const page = await agent.go('/account/password');
      expect(page.text).toContain('name="current"');
      return async (_username, secret) => {
        const form = { csrf: csrfOf(page), current: secret, password: 'short' };
        const { text } = await agent.go('/account/password', { form });
        // Let through to what is wrong with the new password.
        return text.includes('id="password-error"') && !text.includes('id="current-error"');
      };
    },
    'identity: login': async () => async (username, secret) => (await post('/v1/login', basic(username, secret))).ok,
    'identity: password': async () => async (username, secret) =>
      (await post('/v1/password/change', basic(username, secret), { new_password: 'x'.repeat(20) })).ok,
    'security service': async () => async (username, secret) =>
      (await post('/security/login', {}, { username, password: secret })).ok,
    // Whose refusals are 200 as well.
    tinyoauth: async () => async (username, secret) =>
      /"result":"succeeded"/.test(await (await post('/login', {}, { username, password: secret })).text()),
  };

  test(`of 200 at once, at all doors and in all spellings, ${limit} are looked at, and as many in a session; then no door opens`, async () => {
    const person = await buildPerson(server);
    const spellings = [
      person.username,
      person.username.toUpperCase(),
      wide(person.username),
      ` ${person.username} `,
      `${person.username}@example.org`,
      `${person.username}@EXAMPLE.org`.toUpperCase(),
    ];
    const opened = Object.entries(doors);
    // One session at the account pages: several would have to sign in at once, which counts as well.
    const account = await doors['the account pages']?.(person);
    const guesses = await Promise.all(
      Array.from({ length: 200 }, (_, n) => {
        const [name, open] = opened[n % opened.length] ?? [];
        return name === 'the account pages' ? account : open?.(person);
      }),
    );
    const failures = async () => {
      // Notes are written a moment later: a record comes after those that were noted before it.
      await server.core.audit.record('sign_out', { subject: person.subject });
      return server.core.stores.audit.list({ subject: person.subject, event: 'sign_in.failed' }, 1000);
    };
    expect(await failures()).toEqual([]);

    const answers = await Promise.all(guesses.map((guess, n) => guess?.(spellings[n % 7] ?? person.username, wrong)));
    const letIn = answers.flatMap((yes, n) => (yes ? [`${opened[n % opened.length]?.[0]} ${spellings[n % 7]}`] : []));
    expect(letIn).toEqual([]);
    const atDoors = async () => {
      const vias = (await failures()).map(({ detail }) => detail.via);
      const inSession = vias.filter((via) => via === 'account').length;
      return { elsewhere: vias.length - inSession, inSession };
    };
    expect(await atDoors()).toEqual({ elsewhere: limit, inSession: limit });

    for (const [name, open] of Object.entries(doors)) {
      if (name === 'the account pages') continue;
      const guess = await open(person);
      for (const spelling of spellings) expect([name, await guess(spelling, password)]).toEqual([name, false]);
    }
    expect(await account?.(person.username, password)).toBe(false);
    expect(await atDoors()).toEqual({ elsewhere: limit, inSession: limit });
  });

  test('a person who is remembered in their browser signs in all the same, and the lock stays for everybody else', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const signIn = async (from: Agent, username = person.username, secret: string = password) =>
      from.submit(await loginPage(from), { username, password: secret, keep: 'yes' });
    const signedIn = ({ text }: Answer) => text.includes('value="allow"');
    expect(signedIn(await signIn(agent))).toBe(true);
    const device = [...agent.cookies.values()].find(({ name }) => name.endsWith('gatehouse-device'));

    /** Only what remembers: no one is signed in there any more. */
    const browser = (value = device?.value ?? '') => {
      const fresh = new Agent(server);
      if (device) fresh.cookies.set(device.name + device.path, { ...device, value });
      return fresh;
    };
    const guess = await doors.tinyoauth?.(person);
    await Promise.all(Array.from({ length: 50 }, () => guess?.(person.username, wrong)));

    const other = await buildPerson(server);
    expect((await signIn(new Agent(server))).status).toBe(429);
    expect((await signIn(browser('A'.repeat(43)))).status).toBe(429);
    for (const spelling of [person.username, person.username.toUpperCase(), `${person.username}@example.org`])
      expect(signedIn(await signIn(browser(), spelling))).toBe(true);
    expect((await signIn(new Agent(server))).status).toBe(429);

    // Its own count ends as well, and for no one else.
    for (let n = 0; n < limit; n += 1) expect((await signIn(browser(), person.username, wrong)).status).toBe(422);
    expect((await signIn(browser())).status).toBe(429);
    expect(signedIn(await signIn(browser(), other.username))).toBe(true);
  });
});
