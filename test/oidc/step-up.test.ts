/**
 * How surely a person was proved: what tokens say of it, and what happens where an application wants more. The decision
 * itself is tabled in test/core/factors/assurance.test.ts. A8, A9, B4, B11.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { Agent, type Answer, codeOf, pkce, savedCode } from '../support/agent.ts';
import { codeOf as codeOfApp, enrol } from '../support/authenticator.ts';
import { type Claims, claimsOf, comeBack, redeem, refresh, tokensFor, travel } from '../support/flow.ts';
import { enrolPasskey, makePasskey } from '../support/passkey.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

type Person = Awaited<ReturnType<typeof buildPerson>>;
type Client = Awaited<ReturnType<typeof buildClient>>;
type Extra = Record<string, string>;

const multi = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor';
const day = 86_400;
const { verifier, challenge } = pkce();

const isLogin = ({ text }: Answer): boolean => text.includes('name="password"');
const isCode = ({ text }: Answer): boolean =>
  text.includes('autocomplete="one-time-code"') && !text.includes('class="qr"');
const isConsent = ({ text }: Answer): boolean => text.includes('value="allow"');
const isEnrol = ({ text }: Answer): boolean => text.includes('value="app"');
const isInvitation = ({ text }: Answer): boolean => text.includes('value="later"');
const isQr = ({ text }: Answer): boolean => text.includes('class="qr"');
const isCodes = ({ text }: Answer): boolean => text.includes('<ol class="codes"');
const secretOn = ({ text }: Answer): string =>
  /class="secret-key"[^>]*>([A-Z2-7 ]+)</.exec(text)?.[1]?.replaceAll(' ', '') ?? '';
const unescaped = (text: string) => text.replaceAll('&#34;', '"').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
const errorOf = ({ location }: Answer) => new URL(location ?? 'x:').searchParams.get('error');
const essential = (...values: string[]) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }),
});

describeStorages('how surely a person was proved', (storage) => {
  let server: TestServer;
  let plain: Client;
  let strict: Client;
  let single: string;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ACCOUNT_LIMIT: '100', THROTTLE_ADDRESS_LIMIT: '10000' });
    plain = await buildClient(server);
    strict = await buildClient(server, { second_factor: 'required' });
    single = `${server.url}/acr/single-factor`;
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  function begin(agent: Agent, client: Client = plain, extra: Extra = {}): Promise<Answer> {
    const query = { response_type: 'code', client_id: client.id, scope: 'openid', ...extra };
    const pkceToo = { code_challenge: challenge, code_challenge_method: 'S256' };
    return agent.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...pkceToo })}`);
  }

  const signIn = (agent: Agent, page: Answer, { username }: Person) => agent.submit(page, { username, password });

  /** Allows, where it is asked, and redeems. */
  async function claims(agent: Agent, page: Answer, client: Client = plain): Promise<Claims> {
    const answer = isConsent(page) ? await agent.submit(page, { answer: 'allow' }) : page;
    const { body } = await redeem(server, client, { code: codeOf(answer), code_verifier: verifier });
    return claimsOf(body.id_token);
  }

  /** Signed in with a password alone at the application that wants no more. */
  async function signedIn(person?: Person) {
    const someone = person ?? (await buildPerson(server));
    const agent = new Agent(server);
    const said = await claims(agent, await signIn(agent, await begin(agent), someone));
    return { agent, person: someone, said };
  }

  /** From the page that asks for a second factor to the one behind it. */
  async function addApp(agent: Agent, page: Answer): Promise<{ page: Answer; secret: string; codes: string[] }> {
    const qr = await agent.submit(page, { answer: 'app' });
    expect([qr.status, isQr(qr)]).toEqual([200, true]);
    const secret = secretOn(qr);
    const shown = await agent.submit(qr, { code: codeOfApp(secret) });
    expect([shown.status, isCodes(shown)]).toEqual([200, true]);
    const codes = [...shown.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code);
    return { page: await agent.submit(shown, savedCode(shown)), secret, codes };
  }

  test('discovery names what can be asked for', async () => {
    const found = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
    expect(found).toMatchObject({ acr_values_supported: [single, multi, 'phr'] });
  });

  test('a password alone, and what an API’s token says of it', async () => {
    const before = nowSeconds();
    const { agent, person, body } = await tokensFor(server, plain);
    const said = claimsOf(body.id_token);
    expect(said).toMatchObject({ acr: single, amr: ['pwd'] });
    expect(Number(said.auth_time)).toBeGreaterThanOrEqual(before);
    const forApi = await tokensFor(server, plain, { scope: 'user', agent, person });
    expect(claimsOf(forApi.body.access_token)).toMatchObject({ acr: single, auth_time: said.auth_time });
  });

  test('a password and a code', async () => {
    const person = await buildPerson(server);
    const app = await enrol(server.core.factors, person.subject);
    const agent = new Agent(server);
    const page = await signIn(agent, await begin(agent), person);
    expect(await claims(agent, await agent.submit(page, { code: app.fresh() }))).toMatchObject({
      acr: multi,
      amr: ['pwd', 'otp', 'mfa'],
    });
  });

  test('a passkey alone, and after a password', async () => {
    const person = await buildPerson(server);
    const passkey = await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url });
    const optionsOn = ({ text }: Answer) => unescaped(/data-passkey="([^"]+)"/.exec(text)?.[1] ?? '');
    const alone = new Agent(server);
    const login = await begin(alone);
    const page = await alone.submit(login, { passkey: passkey.assert(optionsOn(login)) });
    expect(await claims(alone, page)).toMatchObject({ sub: person.subject, acr: 'phr', amr: ['hwk', 'user', 'mfa'] });
    // More than enough for who wants two factors, in that one's own word.
    const wanted = await begin(alone, strict, essential(multi));
    expect(await claims(alone, wanted, strict)).toMatchObject({ acr: multi });
    const after = new Agent(server);
    const second = await signIn(after, await begin(after), person);
    const answered = await after.submit(second, { second_passkey: passkey.assert(optionsOn(second)) });
    expect(await claims(after, answered)).toMatchObject({ acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
  });

  test('a passkey is added on the way, and is a second factor at once', async () => {
    const { agent, person } = await signedIn();
    const page = await begin(agent, strict, essential('phr'));
    const options = unescaped(/data-new-passkey="([^"]+)"/.exec(page.text)?.[1] ?? '');
    const refused = await agent.submit(page, { credential: '{}' });
    expect([refused.status, refused.text.includes('role="alert"')]).toEqual([200, true]);
    const { credential } = makePasskey(options, { origin: server.url, synced: true });
    const shown = await agent.submit(page, { credential });
    expect(isCodes(shown)).toBe(true);
    const said = await claims(agent, await agent.submit(shown, savedCode(shown)), strict);
    expect(said).toMatchObject({ sub: person.subject, acr: 'phr', amr: ['pwd', 'swk', 'user', 'mfa'] });
  });

  test('a later step-up asks for the second factor only, is no sign-in, and changes no token of before', async () => {
    const person = await buildPerson(server);
    const { agent, body } = await tokensFor(server, plain, { person });
    const first = claimsOf(body.id_token);
    const app = await enrol(server.core.factors, person.subject);
    travel(3000);
    expect(errorOf(await begin(agent, strict, { prompt: 'none' }))).toBe('login_required');
    const page = await begin(agent, strict);
    expect([isCode(page), isLogin(page)]).toEqual([true, false]);
    expect((await agent.submit(page, { code: app.wrong() })).status).toBe(422);
    const second = await claims(agent, await agent.submit(page, { code: app.fresh() }), strict);
    expect(second).toMatchObject({ sub: person.subject, acr: multi, amr: ['pwd', 'otp', 'mfa'] });
    expect(second.auth_time).toBe(first.auth_time);
    // The other application in the same session hears of it when it asks again …
    const third = await claims(agent, await begin(agent));
    expect(third).toMatchObject({ acr: multi, auth_time: first.auth_time });
    // … and not by refreshing what it has.
    const refreshed = claimsOf((await refresh(server, plain, body.refresh_token)).body.id_token);
    expect(refreshed).toMatchObject({ acr: single, amr: ['pwd'], auth_time: first.auth_time });
  });

  test('max_age: too old a sign-in is repeated whole, whatever step-up came after it', async () => {
    const { agent, person } = await signedIn();
    const app = await enrol(server.core.factors, person.subject);
    travel(1000);
    const login = await begin(agent, strict, { max_age: '500' });
    expect(isLogin(login)).toBe(true);
    const code = await signIn(agent, login, person);
    const said = await claims(agent, await agent.submit(code, { code: app.fresh() }), strict);
    expect(Number(said.auth_time)).toBeGreaterThanOrEqual(nowSeconds() - 60);

    const other = await signedIn();
    const own = await enrol(server.core.factors, other.person.subject);
    travel(2000);
    const step = await begin(other.agent, strict, { max_age: '5000' });
    expect(isCode(step)).toBe(true);
    await other.agent.submit(step, { code: own.fresh() });
    expect(errorOf(await begin(other.agent, plain, { max_age: '100', prompt: 'none' }))).toBe('login_required');
    expect(isLogin(await begin(other.agent, plain, { max_age: '100' }))).toBe(true);
    expect(errorOf(await begin(other.agent, plain, { max_age: '5000', prompt: 'none' }))).toBeNull();
  });

  test('max_age: a step-up that took too long counts for no sign-in of its own request either', async () => {
    const { agent, person } = await signedIn();
    const app = await enrol(server.core.factors, person.subject);
    travel(400);
    const step = await begin(agent, strict, { max_age: '500' });
    expect(isCode(step)).toBe(true);
    travel(200);
    const login = await agent.submit(step, { code: app.fresh() });
    expect(isLogin(login)).toBe(true);
    travel(30);
    const code = await signIn(agent, login, person);
    const said = await claims(agent, await agent.submit(code, { code: app.fresh() }), strict);
    expect(Number(said.auth_time)).toBeGreaterThanOrEqual(nowSeconds() - 60);
  });

  test('a sign-in that needs a second step for this application is one whole sign-in, even with max_age=0', async () => {
    const { agent, person } = await signedIn();
    const login = await begin(agent, strict, { max_age: '0' });
    expect(isLogin(login)).toBe(true);
    travel(1);
    const page = await signIn(agent, login, person);
    expect(isEnrol(page)).toBe(true);
    const at = nowSeconds();
    travel(100);
    const { page: after } = await addApp(agent, page);
    const said = await claims(agent, after, strict);
    expect(said).toMatchObject({ acr: multi, amr: ['pwd', 'otp', 'mfa'] });
    // The password was given then, and nothing since.
    expect(Math.abs(Number(said.auth_time) - at)).toBeLessThan(60);
  });

  test('a second factor alone opens none of the pages that need a fresh sign-in', async () => {
    const { agent, person } = await signedIn();
    const app = await enrol(server.core.factors, person.subject);
    travel(3000);
    expect(
      (await claims(agent, await agent.submit(await begin(agent, strict), { code: app.fresh() }), strict)).acr,
    ).toBe(multi);
    for (const path of ['/account/password', '/account/email', '/account/factors', '/account/delete']) {
      expect(isLogin(await agent.go(path))).toBe(true);
    }
    expect((await agent.go('/account')).status).toBe(200);
  });

  test('nor does it let another factor be added: that takes the password once more', async () => {
    const { agent, person } = await signedIn();
    const app = await enrol(server.core.factors, person.subject);
    travel(3000);
    // One request that wants more than the code, so that the step-up is part of it, and one after it.
    const step = await begin(agent, strict, essential('phr'));
    expect(isCode(step)).toBe(true);
    expect(isLogin(await agent.submit(step, { code: app.fresh() }))).toBe(true);
    const login = await begin(agent, strict, essential('phr'));
    expect(isLogin(login)).toBe(true);
    travel(30);
    const code = await signIn(agent, login, person);
    const page = await agent.submit(code, { code: app.fresh() });
    expect(page.text).toContain('data-new-passkey');
  });

  test('of two tabs the one with the whole sign-in says when that was', async () => {
    const { agent, person } = await signedIn();
    const app = await enrol(server.core.factors, person.subject);
    travel(3000);
    const step = await begin(agent, strict);
    expect(isCode(step)).toBe(true);
    // Signed in anew in the second tab, while the first waits for its code.
    const other = await signIn(agent, await begin(agent, plain, { prompt: 'login' }), person);
    const whole = await claims(agent, await agent.submit(other, { code: app.fresh() }));
    travel(200);
    const stepped = await claims(agent, await agent.submit(step, { code: app.fresh() }), strict);
    expect(stepped.auth_time).toBe(whole.auth_time);
    // And a step-up in one tab is worth no sign-in in another that waits for one.
    travel(3000);
    const login = await begin(agent, plain, { max_age: '100' });
    expect(isLogin(login)).toBe(true);
    expect(isCode(await signIn(agent, login, person))).toBe(true);
    expect(errorOf(await begin(agent, plain, { max_age: '100', prompt: 'none' }))).toBe('login_required');
  });

  test('a person who has none must add one, and no way leads around it (B4)', async () => {
    const { agent, person } = await signedIn();
    const page = await begin(agent, strict);
    expect([page.status, isEnrol(page), isInvitation(page)]).toEqual([200, true, false]);
    const uid = new URL(page.url).pathname.split('/').at(-1) ?? '';
    for (const fields of [
      { answer: 'allow' },
      { answer: 'later' },
      { answer: 'done' },
      { code: '123456' },
      {},
    ] as Extra[]) {
      const answer = await agent.submit(page, fields);
      expect([answer.status, isEnrol(answer)]).toEqual([200, true]);
    }
    // On without it; in another tab; for another application that wants it as well; without a page.
    expect(isEnrol(await agent.go(`/oauth/authorize/${uid}`))).toBe(true);
    const tab = await begin(agent, strict);
    expect(isEnrol(tab)).toBe(true);
    const another = await buildClient(server, { second_factor: 'required' });
    expect(isEnrol(await begin(agent, another))).toBe(true);
    expect(errorOf(await begin(agent, strict, { prompt: 'none' }))).toBe('interaction_required');
    // The other application goes on as before.
    expect(errorOf(await begin(agent, plain, { prompt: 'none' }))).toBeNull();
    expect(errorOf(await agent.submit(tab, { answer: 'cancel' }))).toBe('access_denied');
    expect((await server.core.factors.list(person.subject)).factors).toEqual([]);
  });

  test('app, code, recovery codes, application; the next time it asks for the code', async () => {
    const { agent, person } = await signedIn();
    const entry = await begin(agent, strict);
    const qr = await agent.submit(entry, { answer: 'app' });
    const [wrong, empty] = [await agent.submit(qr, { code: '000000' }), await agent.submit(qr, { code: '' })];
    expect([wrong.status, secretOn(wrong), empty.status]).toEqual([422, secretOn(qr), 422]);
    const shown = await agent.submit(qr, { code: codeOfApp(secretOn(qr)) });
    expect(isCodes(shown)).toBe(true);
    // The secret is not shown again (B11); the codes are, until they have been kept.
    const again = await agent.go(new URL(qr.url).pathname);
    expect([isCodes(again), secretOn(again)]).toEqual([true, '']);
    const file = await agent.submit(shown, { answer: 'file' });
    expect(file.headers.get('content-disposition')).toContain('recovery-codes.txt');
    expect(file.text.trim().split('\r\n')).toHaveLength(10);
    expect(shown.text).toContain(file.text.split('\r\n')[0] ?? 'none');
    // On only with one of the codes: none, a wrong one, or a form of another step does not do.
    for (const fields of [{ recovery_code: '' }, { recovery_code: 'abcd-efgh-jkmn-pqrs' }] as Extra[]) {
      const refused = await agent.submit(shown, fields);
      expect([refused.status, isCodes(refused)]).toEqual([422, true]);
    }
    for (const fields of [{ answer: 'done' }, { code: '000000' }, {}] as Extra[])
      expect(isCodes(await agent.submit(shown, fields))).toBe(true);
    expect((await server.core.factors.list(person.subject)).recoveryCodesSaved).toBe(false);
    const said = await claims(agent, await agent.submit(shown, savedCode(shown)), strict);
    expect(said).toMatchObject({ sub: person.subject, acr: multi, amr: ['pwd', 'otp', 'mfa'] });
    const later = new Agent(server);
    expect(isCode(await signIn(later, await begin(later), person))).toBe(true);
  });

  test('going on before the codes have been kept: the code is asked for', async () => {
    const { agent } = await signedIn();
    const qr = await agent.submit(await begin(agent, strict), { answer: 'app' });
    await agent.submit(qr, { code: codeOfApp(secretOn(qr)) });
    const uid = new URL(qr.url).pathname.split('/').at(-1) ?? '';
    expect(isCode(await agent.go(`/oauth/authorize/${uid}`))).toBe(true);
  });

  test('none is added without a fresh sign-in (B11)', async () => {
    const { agent, person } = await signedIn();
    travel(301);
    expect(errorOf(await begin(agent, strict, { prompt: 'none' }))).toBe('login_required');
    const login = await begin(agent, strict);
    expect(isLogin(login)).toBe(true);
    const page = await signIn(agent, login, person);
    expect(isEnrol(page)).toBe(true);
    // Nor is one begun on a page that was left open.
    travel(602);
    expect(isLogin(await agent.submit(page, { answer: 'app' }))).toBe(true);
  });

  test('who has one by now gives it: a stolen password adds none of the thief’s own', async () => {
    const person = await buildPerson(server);
    const { agent: thief } = await signedIn(person);
    const page = await begin(thief, strict);
    const qr = await thief.submit(await begin(thief, strict), { answer: 'app' });
    const app = await enrol(server.core.factors, person.subject);
    for (const answer of [
      await thief.submit(page, { answer: 'app' }),
      await thief.submit(qr, { code: codeOfApp(secretOn(qr)) }),
      await begin(thief, strict),
    ]) {
      expect([isCode(answer), isEnrol(answer)]).toEqual([true, false]);
    }
    const { factors } = await server.core.factors.list(person.subject);
    expect(factors.map(({ id }) => id)).toEqual([app.factorId]);
  });

  test('an interaction of one session is of no use to another (B3)', async () => {
    const { agent } = await signedIn();
    const page = await begin(agent, strict);
    const path = new URL(page.url).pathname;
    const stranger = (await signedIn()).agent;
    expect((await stranger.go(path)).status).toBe(400);
    const csrf = /name="csrf" value="([^"]+)"/.exec((await begin(stranger, strict)).text)?.[1] ?? '';
    expect((await stranger.go(path, { form: { csrf, answer: 'app' } })).status).toBe(400);
  });

  test('when the session has ended by then, nothing goes on, and it begins with the sign-in', async () => {
    for (const factor of [false, true]) {
      const { agent, person } = await signedIn();
      if (factor) await enrol(server.core.factors, person.subject);
      const page = await begin(agent, strict);
      expect(isCode(page)).toBe(factor);
      await server.core.sessions.endAll(person.subject);
      expect((await agent.go(new URL(page.url).pathname)).status).toBe(400);
      expect((await agent.submit(page, { answer: 'app', code: '123456' })).status).toBe(400);
      expect(isLogin(await begin(agent, strict))).toBe(true);
    }
  });

  test('“not you?” at a step-up signs another person in', async () => {
    const { agent, person } = await signedIn();
    await enrol(server.core.factors, person.subject);
    const login = await agent.submit(await begin(agent, strict), { answer: 'restart' });
    expect(isLogin(login)).toBe(true);
  });

  test('acr_values is a wish: asked of who can, and the answer says what came of it', async () => {
    const { agent, person } = await signedIn();
    expect(await claims(agent, await begin(agent, plain, { acr_values: multi }))).toMatchObject({ acr: single });
    const app = await enrol(server.core.factors, person.subject);
    // Nothing is asked where nothing can be.
    const silent = await begin(agent, plain, { acr_values: multi, prompt: 'none' });
    expect(await claims(agent, silent)).toMatchObject({ acr: single });
    const page = await begin(agent, plain, { acr_values: `urn:unknown ${multi}` });
    expect(isCode(page)).toBe(true);
    expect(await claims(agent, await agent.submit(page, { code: app.fresh() }))).toMatchObject({ acr: multi });
    // A name that is true though there is a better one, and one that is not.
    expect(await claims(agent, await begin(agent, plain, { acr_values: single }))).toMatchObject({ acr: single });
    expect(await claims(agent, await begin(agent, plain, { acr_values: 'phr' }))).toMatchObject({ acr: multi });
  });

  test('an essential acr is reached or refused, whatever the client’s defaults are', async () => {
    const defaults = await buildClient(server, { default_acr_values: [single] });
    const { agent, person } = await signedIn();
    expect(errorOf(await begin(agent, defaults, { ...essential(multi), prompt: 'none' }))).toBe('interaction_required');
    expect(isEnrol(await begin(agent, defaults, essential(multi)))).toBe(true);
    const app = await enrol(server.core.factors, person.subject);
    const page = await begin(agent, defaults, essential(multi));
    expect(isCode(page)).toBe(true);
    const said = await claims(agent, await agent.submit(page, { code: app.fresh() }), defaults);
    expect(said).toMatchObject({ acr: multi });
    // A passkey is another matter: the page has no code to offer.
    const passkey = await begin(agent, defaults, essential('phr'));
    expect([passkey.text.includes('data-new-passkey'), isEnrol(passkey)]).toEqual([true, false]);
    expect(isQr(await agent.submit(passkey, { answer: 'app' }))).toBe(false);
    // What no person could reach is refused before any question.
    for (const visitor of [agent, new Agent(server)])
      for (const extra of [essential('urn:unknown'), { ...essential('urn:unknown'), prompt: 'none' }])
        expect(errorOf(await begin(visitor, plain, extra))).toBe('unmet_authentication_requirements');
  });

  test('a malformed request for an acr is refused at the application', async () => {
    for (const acr of [
      7,
      'phr',
      [multi],
      { essential: 'true' },
      { essential: true, values: 'phr' },
      { values: [null] },
    ]) {
      const answer = await begin(new Agent(server), plain, { claims: JSON.stringify({ id_token: { acr } }) });
      expect(errorOf(answer)).toBe('invalid_request');
    }
    expect(isLogin(await begin(new Agent(server), plain, { claims: '{"id_token":{"acr":null}}' }))).toBe(true);
  });

  test('a program that asks in a person’s place has an error where their session has no second factor', async () => {
    const person = await buildPerson(server);
    const own = await buildClient(server, {}, 'person');
    const changed = await server.app.clients.update(
      own.id,
      { ...own.record.metadata, second_factor: 'required' },
      'cli',
    );
    expect(changed.outcome).toBe('updated');
    const caller = { via: 'browser', address: '192.0.2.7', requestId: 'test' };
    const authorizeWith = async (amr: string[]) => {
      const holder = { account: person };
      const { uid } = await server.core.sessions.begin({ door: 'tinyoauth', holder, lifetime: 3600, amr, caller });
      const outcome = await server.app.protocol.authorizer.authorize({
        parameters: Object.entries({
          ...{ response_type: 'code', client_id: own.id, redirect_uri: 'https://app.example.com/cb' },
          ...{ scope: 'openid', code_challenge: challenge, code_challenge_method: 'S256' },
        }),
        ...{ subject: person.subject, sessionUid: uid, caller },
      });
      return new URL(outcome.outcome === 'redirect' ? outcome.location : 'x:').searchParams;
    };
    expect((await authorizeWith(['pwd'])).get('error')).toBe('interaction_required');
    await enrol(server.core.factors, person.subject);
    expect((await authorizeWith(['pwd'])).get('error')).toBe('login_required');
    const code = (await authorizeWith(['pwd', 'otp', 'mfa'])).get('code') ?? '';
    const { body } = await redeem(server, own, { code, code_verifier: verifier });
    expect(claimsOf(body.id_token)).toMatchObject({ acr: multi, amr: ['pwd', 'otp', 'mfa'] });
  });

  test('the invitation comes once, not on the first day, and “not now” goes on', async () => {
    const { agent, person } = await signedIn();
    travel(day);
    const login = await begin(agent, plain, { prompt: 'login' });
    const page = await signIn(agent, login, person);
    expect([page.status, isInvitation(page), isEnrol(page)]).toEqual([200, true, true]);
    expect(codeOf(await agent.submit(page, { answer: 'later' }))).not.toBe('');
    const again = await signIn(agent, await begin(agent, plain, { prompt: 'login' }), person);
    expect(codeOf(again)).not.toBe('');
  });

  test('a person who accepts the invitation goes on with two factors; one who has them is not invited', async () => {
    const { agent, person } = await signedIn();
    travel(day);
    const page = await signIn(agent, await begin(agent, plain, { prompt: 'login' }), person);
    const { page: after, codes } = await addApp(agent, page);
    expect(codes).toHaveLength(10);
    expect(await claims(agent, after)).toMatchObject({ acr: multi, amr: ['pwd', 'otp', 'mfa'] });
    const other = await buildPerson(server);
    const app = await enrol(server.core.factors, other.subject);
    travel(day);
    const visitor = new Agent(server);
    const code = await signIn(visitor, await begin(visitor), other);
    expect(isConsent(await visitor.submit(code, { code: app.fresh() }))).toBe(true);
  });

  test('no one else weakens what an admin has said of a client', async () => {
    const { clients } = server.app;
    const made = await buildClient(server, { second_factor: 'required' }, 'register');
    expect(made.record.metadata).not.toHaveProperty('second_factor');
    const members = { redirect_uris: ['https://app.example.com/cb'] };
    const update = async (input: object, by: 'admin' | 'register') => {
      const outcome = await clients.update(made.id, { ...members, ...input }, by);
      return outcome.outcome === 'updated' ? outcome.client.metadata.second_factor : outcome;
    };
    expect(await update({ second_factor: 'required' }, 'admin')).toBe('required');
    expect(await update({ second_factor: 'none' }, 'register')).toBe('required');
    expect(await update({}, 'register')).toBe('required');
    expect(await update({ second_factor: 'always' }, 'admin')).toMatchObject({ outcome: 'invalid' });
    expect(await update({}, 'admin')).toBeUndefined();
  });
});

describeStorages('a server that requires a second factor', (storage) => {
  let server: TestServer;
  let client: Client;
  beforeAll(async () => {
    server = await storage.start({ SECOND_FACTOR: 'required' });
    // A client cannot be more lenient than its server.
    client = await buildClient(server, { second_factor: 'none' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const begin = (agent: Agent) => {
    const query = { response_type: 'code', client_id: client.id, scope: 'openid' };
    const pkceToo = { code_challenge: challenge, code_challenge_method: 'S256' };
    return agent.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...pkceToo })}`);
  };

  test('asks everybody for one, and opens their own pages no sooner', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const page = await agent.submit(await begin(agent), { username: person.username, password });
    expect([isEnrol(page), isInvitation(page)]).toEqual([true, false]);
    for (const path of ['/account', '/account/password', '/account/factors']) {
      const answer = await agent.go(path);
      expect([new URL(answer.url).pathname.startsWith('/interaction/'), isEnrol(answer)]).toEqual([true, true]);
    }
    const own = await agent.go('/account/factors');
    const qr = await agent.submit(own, { answer: 'app' });
    const shown = await agent.submit(qr, { code: codeOfApp(secretOn(qr)) });
    const { location = '' } = await agent.submit(shown, savedCode(shown));
    const there = await agent.go(location);
    expect([there.status, new URL(there.url).pathname]).toEqual([200, '/account/security']);
  });

  test('a password alone begins no session at an API, and the answer says where to add a factor', async () => {
    const person = await buildPerson(server);
    const login = (headers: Extra = {}) =>
      fetch(`${server.url}/v1/login`, {
        headers: { authorization: `Basic ${btoa(`${person.username}:${password}`)}`, ...headers },
      });
    const refused = await login();
    expect([refused.status, refused.headers.get('x-otp')]).toEqual([401, 'required; enrol']);
    expect(await refused.text()).toContain('/account');
    const app = await enrol(server.core.factors, person.subject);
    const asked = await login();
    expect([asked.status, asked.headers.get('x-otp')]).toEqual([401, 'required; totp, recovery-code']);
    expect((await login({ 'x-otp': app.fresh() })).status).toBe(200);
  });
});

describeStorages('a server that asks for no second factor', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ SECOND_FACTOR: 'none' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  test('invites no one, adds none for an essential acr, and still asks who has one', async () => {
    const client = await buildClient(server);
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const begin = (extra: Extra = {}) => {
      const query = { response_type: 'code', client_id: client.id, scope: 'openid', ...extra };
      const pkceToo = { code_challenge: challenge, code_challenge_method: 'S256' };
      return agent.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...pkceToo })}`);
    };
    travel(day);
    expect(isConsent(await agent.submit(await begin(), { username: person.username, password }))).toBe(true);
    for (const extra of [essential(multi), { ...essential(multi), prompt: 'none' }])
      expect(errorOf(await begin(extra))).toBe('unmet_authentication_requirements');
    await enrol(server.core.factors, person.subject);
    expect(isCode(await begin(essential(multi)))).toBe(true);
    expect(isCode(await agent.submit(await begin({ prompt: 'login' }), { username: person.username, password }))).toBe(
      true,
    );
    const strict = await buildClient(server, { second_factor: 'required' });
    const other = await buildPerson(server);
    const visitor = new Agent(server);
    const query = { response_type: 'code', client_id: strict.id, scope: 'openid', code_challenge: challenge };
    const login = await visitor.go(
      `/oauth/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`,
    );
    expect(isEnrol(await visitor.submit(login, { username: other.username, password }))).toBe(true);
  });
});
