/** The pages in between: whose they are, in which order, and how often they can be used. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import { digest } from '../../src/base/secrets.ts';
import { Agent, type Answer, codeOf, csrfOf, pkce } from '../support/agent.ts';
import { claimsOf, codeFor, redeem } from '../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('interaction', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start();
    client = await buildClient(server);
  });
  afterAll(() => server.close());

  const { verifier, challenge } = pkce();
  function start(agent: Agent, parameters: Record<string, string> = {}): Promise<Answer> {
    const query = new URLSearchParams({
      ...{ client_id: client.id, response_type: 'code', scope: 'openid' },
      ...{ code_challenge: challenge, code_challenge_method: 'S256', ...parameters },
    });
    return agent.go(`/oauth/authorize?${query}`);
  }
  const pathOf = (page: Answer) => new URL(page.url).pathname;
  const cookieOf = (agent: Agent) => agent.cookie('gatehouse');
  const post = (agent: Agent, page: Answer, fields: Record<string, string>) =>
    agent.go(pathOf(page), { form: { csrf: csrfOf(page), ...fields }, follow: false });

  function expectNoCode(answer: Answer): void {
    expect(answer.location ?? '').not.toMatch(/[?&]code=/);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  }

  describe('B1: whose form it is', () => {
    const foreign: [string, Record<string, string>, (own: string, others: string) => string | undefined][] = [
      ['no token', {}, () => undefined],
      ["another browser's token", {}, (_own, others) => others],
      ['an empty token', {}, () => ''],
      ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, (own) => own],
      ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, (own) => own],
      ['a foreign Origin', { origin: 'https://evil.example' }, (own) => own],
      ['Origin: null', { origin: 'null' }, (own) => own],
    ];
    test.each(foreign)('B1: %s is 403, and no one is signed in', async (_name, headers, tokenOf) => {
      const [agent, other] = [new Agent(server), new Agent(server)];
      const person = await buildPerson(server);
      const [page, others] = [await start(agent), await start(other)];
      const csrf = tokenOf(csrfOf(page), csrfOf(others));
      const form = { username: person.username, password, ...(csrf === undefined ? {} : { csrf }) };
      const answer = await agent.go(pathOf(page), { form, headers, follow: false });
      expect(answer.status).toBe(403);
      expect((await start(agent, { prompt: 'none' })).location).toContain('error=login_required');
    });
  });

  test("B2: the session's value changes with each login and with the logout, and no old one is a session", async () => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    const login = await start(agent);
    const values = [cookieOf(agent)];
    codeOf(
      await agent.authorize(person, {
        client_id: client.id,
        scope: 'openid',
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }),
    );
    values.push(cookieOf(agent));
    const again = await start(agent, { prompt: 'login' });
    await agent.submit(again, { username: person.username, password });
    values.push(cookieOf(agent));
    expect((await start(agent, { prompt: 'none' })).location).toContain('code=');
    const page = await agent.go('/oauth/logout');
    await agent.confirmLogout(page);
    values.push(cookieOf(agent));
    const held = values.filter((value) => value !== undefined);
    expect([held.length >= 2, new Set(held).size]).toEqual([true, held.length]);
    expect(pathOf(login)).toMatch(/^\/interaction\//);

    for (const value of held) {
      const thief = new Agent(server);
      thief.cookies.set('gatehouse/', { name: 'gatehouse', value, path: '/' });
      expect((await start(thief, { prompt: 'none' })).location).toContain('error=login_required');
    }
  });

  test('B3: an interaction, its form and its resume address belong to the browser it began in', async () => {
    const [mine, foreign] = [new Agent(server), new Agent(server)];
    const person = await buildPerson(server);
    const page = await start(mine);
    const theirs = await start(foreign);
    expectNoCode(await foreign.go(pathOf(page)));
    expectNoCode(
      await foreign.go(pathOf(page), { form: { csrf: csrfOf(theirs), username: person.username, password } }),
    );

    const resume = (await post(mine, page, { username: person.username, password })).location ?? '';
    expect(new URL(resume).pathname).toMatch(/^\/oauth\/authorize\//);
    expectNoCode(await foreign.go(resume));
    const withCookies = {
      headers: { cookie: foreign.cookiesFor(pathOf(theirs)), accept: 'text/html' },
      redirect: 'manual',
    } as const;
    for (const address of [page.url, resume]) expect((await fetch(address, withCookies)).status).toBe(400);
    const consent = await mine.go(resume);
    expectNoCode(await foreign.go(pathOf(consent), { form: { csrf: csrfOf(theirs), answer: 'allow' } }));
    expect(codeOf(await mine.submit(consent, { answer: 'allow' }))).not.toBe('');
  });

  test('B4: steps cannot be skipped', async () => {
    const agent = new Agent(server);
    const page = await start(agent);
    const resume = pathOf(page).replace('/interaction/', '/oauth/authorize/');
    for (const fields of [{}, { answer: 'allow' }, { consent: 'yes' }, { accountId: 'x', 'login[accountId]': 'x' }]) {
      const answer = await agent.go(pathOf(page), { form: { csrf: csrfOf(page), ...fields }, follow: false });
      expectNoCode(answer);
      expect(answer.status).toBe(422);
    }
    for (const path of [`${pathOf(page)}/login`, `${pathOf(page)}/consent`, `${pathOf(page)}/confirm`]) {
      expectNoCode(await agent.go(path, { form: { csrf: csrfOf(page), answer: 'allow' } }));
    }
    // Resumed before the login the engine asks for it again.
    const early = await agent.go(resume);
    expect(early.location ?? '').not.toContain('code=');
    expect(early.text).toContain('name="password"');
  });

  test('B4: a finished interaction is finished: its pages, its forms and its resume address give no second code', async () => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    const login = await start(agent);
    const resumed = (await post(agent, login, { username: person.username, password })).location ?? '';
    const consent = await agent.go(resumed);
    const allowed = (await post(agent, consent, { answer: 'allow' })).location ?? '';
    const kept = new Map(agent.cookies);
    const done = await agent.go(allowed, { follow: false });
    expect(codeOf(done)).not.toBe('');
    for (const [key, cookie] of kept) agent.cookies.set(key, cookie);
    for (const address of [login.url, consent.url, resumed, allowed])
      expectNoCode(await agent.go(address, { follow: false }));
    expectNoCode(await post(agent, consent, { answer: 'allow' }));
    expectNoCode(await post(agent, login, { username: person.username, password }));
  });

  test('B4: a refused resume writes nothing, so it cannot undo what another request does to the session', async () => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    await agent.submit(await start(agent), { username: person.username, password });
    const stored = async () =>
      (await server.core.stores.engine.readSession(digest(cookieOf(agent) ?? ''), undefined))?.session;
    const before = await stored();
    expect(before?.subject).toBe(person.subject);
    expectNoCode(await agent.go('/oauth/authorize/abc'));
    expect(await stored()).toEqual(before);
  });

  test('B4: of 50 parallel resumes of one interaction one gets a code, and that code is good', async () => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    const login = await start(agent);
    const consent = await agent.go((await post(agent, login, { username: person.username, password })).location ?? '');
    const resume = (await post(agent, consent, { answer: 'allow' })).location ?? '';
    const cookie = agent.cookiesFor(new URL(resume).pathname);
    const all = await Promise.all(
      Array.from({ length: 50 }, () => fetch(resume, { redirect: 'manual', headers: { cookie, accept: 'text/html' } })),
    );
    const codes = all
      .map(({ headers }) => new URL(headers.get('location') ?? 'about:blank').searchParams.get('code'))
      .filter((code) => code !== null);
    expect(codes).toHaveLength(1);
    expect(all.filter(({ status }) => status >= 500)).toHaveLength(0);
    expect((await redeem(server, client, { code: codes[0] ?? '', code_verifier: verifier })).status).toBe(200);
  });

  test('B4: of 20 parallel posts of one consent no more than one code comes out', async () => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    const login = await start(agent);
    const consent = await agent.go((await post(agent, login, { username: person.username, password })).location ?? '');
    const cookie = agent.cookiesFor(pathOf(consent));
    const one = async () => {
      const answer = await fetch(consent.url, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie },
        body: new URLSearchParams({ csrf: csrfOf(consent), answer: 'allow' }),
      });
      const next = answer.headers.get('location');
      if (!next) return answer.status;
      const itsCookies = agent.cookiesFor(new URL(next, server.url).pathname);
      const resumed = await fetch(next, { redirect: 'manual', headers: { cookie: itsCookies, accept: 'text/html' } });
      return new URL(resumed.headers.get('location') ?? 'about:blank').searchParams.get('code') ?? resumed.status;
    };
    const all = await Promise.all(Array.from({ length: 20 }, one));
    expect(all.filter((answer) => typeof answer === 'string')).toHaveLength(1);
    expect(all.filter((answer) => typeof answer === 'number' && answer >= 500)).toHaveLength(0);
  });

  test('a storage that fails in the last request signs no one out, and a reload ends the sign-in', async () => {
    const agent = new Agent(server);
    const person = await buildPerson(server);
    const consent = await agent.submit(await start(agent), { username: person.username, password });
    const before = cookieOf(agent);
    const store = server.core.stores.engine;
    const answer = await agent.go(pathOf(consent), { form: { csrf: csrfOf(consent), answer: 'allow' }, follow: false });
    const resume = new URL(answer.location ?? '').pathname;
    for (const name of ['readGrant', 'commit']) {
      const whole: unknown = Reflect.get(store, name);
      Reflect.set(store, name, () => Promise.reject(new Unavailable('database')));
      const failed = await agent.go(resume, { follow: false });
      Reflect.set(store, name, whole);
      expect([name, failed.status, failed.headers.get('set-cookie')]).toEqual([name, 503, null]);
    }
    expect(cookieOf(agent)).toBe(before);
    codeOf(await agent.go(resume, { follow: false }));
  });

  test("B5: after A's logout, B in the same browser is asked for everything and gets B's tokens", async () => {
    const agent = new Agent(server);
    const [a, b] = [await buildPerson(server), await buildPerson(server)];
    await codeFor(server, client, { person: a, agent });
    const page = await agent.go('/oauth/logout');
    await agent.confirmLogout(page);
    const login = await start(agent);
    expect(login.text).not.toContain(a.username);
    const consent = await agent.submit(login, { username: b.username, password });
    expect(consent.text).toContain('value="allow"');
    const answer = await agent.submit(consent, { answer: 'allow' });
    const { body } = await redeem(server, client, { code: codeOf(answer), code_verifier: verifier });
    expect(claimsOf(body.id_token).sub).toBe(b.subject);
  });

  test('B5: B signing in over a live session of A (prompt=login) is B from then on, with a consent of B’s own', async () => {
    const agent = new Agent(server);
    const [a, b] = [await buildPerson(server), await buildPerson(server)];
    await codeFor(server, client, { person: a, agent });
    // The engine first ends A's session, by a page that sends itself.
    const farewell = await agent.submit(await start(agent, { prompt: 'login' }), { username: b.username, password });
    expect(farewell.text).toContain('/oauth/logout/confirm');
    const consent = await agent.confirmLogout(farewell);
    expect(consent.text).toContain('value="allow"');
    const answer = await agent.submit(consent, { answer: 'allow' });
    const { body } = await redeem(server, client, { code: codeOf(answer), code_verifier: verifier });
    expect(claimsOf(body.id_token).sub).toBe(b.subject);
  });
});
