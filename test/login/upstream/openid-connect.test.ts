/** Signing in through an OpenID Connect provider, which is a second instance of this very server. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, csrfOf } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import {
  application,
  buildVisitorFrom,
  comeBackWith,
  failureIn,
  isCodePage,
  isConfirm,
  isConsent,
  isLogin,
  isNew,
  leave,
  onwardFrom,
  pathOf,
  signInThere,
  startUpstream,
  startWith,
  submitTo,
  through,
  unusual,
} from './world.ts';

describeStorages('signing in through an OpenID Connect provider', (storage) => {
  let upstream: TestServer;
  let server: TestServer;
  let app: ReturnType<typeof application>;
  beforeAll(async () => {
    const there = await startUpstream();
    upstream = there.server;
    server = await startWith(storage, (issuer) =>
      Promise.all([
        there.provider(issuer, 'company', { trust_email: true }),
        there.provider(issuer, 'doubtful', { name: 'Doubtful', trust_mfa: true }),
        there.provider(issuer, 'closed', { name: 'Closed', sign_up: false }),
      ]),
    );
    app = application(server, await buildClient(server));
  });
  afterEach(comeBack);
  afterAll(async () => {
    await server?.close();
    await upstream?.close();
  });

  const visitor = (overrides?: Parameters<typeof buildPerson>[1]) => buildVisitorFrom(upstream, server, overrides);
  const isSignedIn = async (agent: Agent): Promise<boolean> => {
    const { location } = await app.begin(agent, { prompt: 'none' });
    return new URL(location ?? '').searchParams.get('error') !== 'login_required';
  };
  /** A person with an account here that is connected with theirs at the provider. */
  async function connected(id = 'company') {
    const who = await visitor();
    const page = await through(who.agent, await app.begin(who.agent), who.there, id);
    const after = await submitTo(who.agent, page, { upstream: 'create', username: who.person.username });
    const { id: claims } = await app.claims(who.agent, after);
    return { ...who, subject: String(claims.sub) };
  }

  test('a new person chooses a name, has an account, and comes back without a page', async () => {
    const { agent, there, person } = await visitor();
    const page = await through(agent, await app.begin(agent), there);
    expect([page.status, isNew(page)]).toEqual([200, true]);
    expect(page.text).toContain(`value="${person.username}"`);
    expect(await isSignedIn(agent)).toBe(false);
    const consent = await submitTo(agent, page, { upstream: 'create', username: person.username });
    expect(isConsent(consent)).toBe(true);
    const { id, user } = await app.claims(agent, consent);
    expect(user).toMatchObject({
      preferred_username: person.username,
      given_name: 'Test',
      family_name: 'Person',
      email: person.email,
      email_verified: true,
    });
    // Another id than there: this server's own.
    expect(id.sub).not.toBe(person.subject);
    expect(id).not.toHaveProperty('amr');

    const later = new Agent(server);
    const again = await through(later, await app.begin(later), there);
    expect((await app.claims(later, again)).id.sub).toBe(id.sub);
    const [identity] = await server.core.stores.identities.list(String(id.sub));
    expect(identity).toMatchObject({ provider: 'company', providerSubject: person.subject, label: person.username });
  });

  test('what is sent to the provider holds PKCE, a nonce and a state that says nothing', async () => {
    const { agent } = await visitor();
    const page = await app.begin(agent);
    const address = new URL(await leave(agent, page));
    expect(address.origin + address.pathname).toBe(`${upstream.url}/oauth/authorize`);
    const { nonce = '', state = '', code_challenge: challenge, ...rest } = Object.fromEntries(address.searchParams);
    expect(rest).toMatchObject({
      response_type: 'code',
      redirect_uri: `${server.url}/upstream/company/callback`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
    });
    expect(challenge).toMatch(/^[\w-]{43}$/);
    expect(nonce).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(state, 'base64url').toString('latin1')).not.toContain(pathOf(page).split('/')[2]);
    const second = new URL(await leave(agent, page));
    for (const name of ['nonce', 'state', 'code_challenge']) {
      expect(second.searchParams.get(name)).not.toBe(address.searchParams.get(name));
    }
  });

  test('an answer is good in the browser that asked for it alone (B3)', async () => {
    const victim = await connected();
    const attacker = await connected();
    // The attacker's own answer, opened in another person's browser: no one is signed in, least of all as the attacker.
    const page = await app.begin(attacker.agent, { prompt: 'login' });
    const answer = await signInThere(attacker.there.agent, await leave(attacker.agent, page), attacker.person);
    const stranger = new Agent(server);
    await app.begin(stranger);
    const refused = await comeBackWith(stranger, answer);
    expect([refused.status, isLogin(refused)]).toEqual([400, false]);
    expect(await isSignedIn(stranger)).toBe(false);
    // The victim's answer, put behind the attacker's own state.
    const victims = new URL(
      await signInThere(
        victim.there.agent,
        await leave(victim.agent, await app.begin(victim.agent, { prompt: 'login' })),
        victim.person,
      ),
    );
    const mixed = new Agent(server);
    const begun = await app.begin(mixed);
    const state = new URL(await leave(mixed, begun)).searchParams.get('state') ?? '';
    victims.searchParams.set('state', state);
    const failed = await comeBackWith(mixed, victims.href);
    expect(isLogin(failed)).toBe(true);
    expect(failureIn(failed)).toBe('The response from Example Company could not be used.');
    expect(await isSignedIn(mixed)).toBe(false);
  });

  test('an answer is good once, also for fifty who bring it at once', async () => {
    const { agent, there, person } = await connected();
    const page = await app.begin(agent, { prompt: 'login' });
    const answer = await signInThere(there.agent, await leave(agent, page), person);
    const forwarded = onwardFrom(await agent.go(answer)) ?? '';
    const answers = await Promise.all(Array.from({ length: 50 }, () => agent.go(forwarded, { follow: false })));
    const resumed = answers.filter(({ location }) => location?.includes('/oauth/authorize/'));
    expect(resumed).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    const late = new Agent(server);
    expect((await comeBackWith(late, answer)).status).toBe(400);
  });

  test('an answer is good for ten minutes', async () => {
    const { agent, there, person } = await connected();
    const page = await app.begin(agent, { prompt: 'login' });
    const answer = await signInThere(there.agent, await leave(agent, page), person);
    travel(601);
    const late = await comeBackWith(agent, answer);
    expect(failureIn(late)).toBe('This sign-in has expired.');
  });

  test('an answer to one provider’s callback is refused at another’s, and an issuer that is not theirs (RFC 9207)', async () => {
    const { agent, there, person } = await connected();
    const page = await app.begin(agent, { prompt: 'login' });
    const answer = new URL(await signInThere(there.agent, await leave(agent, page), person));
    const swapped = answer.href.replace('/upstream/company/', '/upstream/doubtful/');
    expect((await agent.go(swapped)).status).toBe(400);
    const uid = pathOf(page);
    const inside = await agent.go(`${uid}/upstream/doubtful/callback${answer.search}`);
    expect(failureIn(inside)).toBe('This sign-in has expired.');
    expect(answer.searchParams.get('iss')).toBe(upstream.url);
    answer.searchParams.set('iss', 'https://evil.example');
    expect(failureIn(await comeBackWith(agent, answer.href))).toBe(
      'The response from Example Company could not be used.',
    );
  });

  test('states that were not made here, answers without one, and providers there are not', async () => {
    const agent = new Agent(server);
    const page = await app.begin(agent);
    for (const query of [
      '',
      '?state=',
      '?state=abc&code=x',
      `?state=${'A'.repeat(8000)}&code=x`,
      '?error=access_denied',
    ]) {
      expect((await agent.go(`/upstream/company/callback${query}`)).status).toBe(400);
      expect(failureIn(await agent.go(`${pathOf(page)}/upstream/company/callback${query}`))).toBe(
        'This sign-in has expired.',
      );
    }
    for (const id of ['nobody', '__proto__', 'constructor', 'company%00']) {
      expect((await agent.go(`${pathOf(page)}/upstream/${id}`)).status).toBe(400);
      expect((await agent.go(`/upstream/${id}/callback?state=x&code=y`)).status).toBe(400);
    }
  });

  test('who says no there can try again or sign in otherwise, and the log names the reference without the answer', async () => {
    const { agent, there, person } = await visitor();
    const page = await app.begin(agent);
    const login = await there.agent.go(await leave(agent, page));
    const consent = await there.agent.submit(login, { username: person.username, password });
    const { location = '' } = await there.agent.submit(consent, { answer: 'deny' });
    expect(new URL(location).searchParams.get('error')).toBe('access_denied');
    const back = await comeBackWith(agent, location);
    expect([back.status, isLogin(back)]).toEqual([200, true]);
    expect(failureIn(back)).toBe('You did not sign in with Example Company.');
    const reference = /<code dir="ltr">([^<]+)<\/code>/.exec(back.text)?.[1] ?? '';
    const lines = server.logged.filter((line) => line.includes(reference)).join('\n');
    expect(lines).toContain('a sign-in through another provider failed');
    expect(lines).toContain('access_denied');
    const state = new URL(location).searchParams.get('state') ?? '';
    expect(server.logged.join('\n')).not.toContain(state);
    const own = await buildPerson(server);
    expect(isConsent(await agent.submit(back, { username: own.username, password }))).toBe(true);
  });

  test('an address that equals an account’s opens nothing: the account has to be proved, and the person says yes', async () => {
    const email = `${unusual()}@example.org`;
    const own = await buildPerson(server, { email });
    const { agent, there, person } = await visitor({ email });
    const page = await through(agent, await app.begin(agent), there);
    expect(isNew(page)).toBe(true);
    expect(page.text).toContain('An account here already has the address');
    expect(page.text).not.toContain('value="create"');
    // Not by a form of one's own either.
    const forced = await submitTo(agent, page, { upstream: 'create', username: `${unusual()}` });
    expect([isNew(forced), await isSignedIn(agent)]).toEqual([true, false]);
    for (const step of ['connect', 'skip']) {
      expect(isNew(await submitTo(agent, page, { upstream: step }))).toBe(true);
      expect(await isSignedIn(agent)).toBe(false);
    }
    const login = await submitTo(agent, page, { upstream: 'link' });
    expect(isLogin(login)).toBe(true);
    expect(login.text).toContain('Connect Example Company');
    const wrong = await submitTo(agent, login, { username: own.username, password: 'wrong' });
    expect(wrong.status).toBe(422);
    expect(await server.core.stores.identities.list(own.subject)).toEqual([]);
    const confirm = await submitTo(agent, wrong, { username: own.username, password });
    expect([isConfirm(confirm), await isSignedIn(agent)]).toEqual([true, false]);
    expect(await server.core.stores.identities.list(own.subject)).toEqual([]);
    const consent = await submitTo(agent, confirm, { upstream: 'connect' });
    const { id } = await app.claims(agent, consent);
    expect(id).toMatchObject({ sub: own.subject, amr: ['pwd'] });
    expect(await server.core.stores.identities.list(own.subject)).toMatchObject([{ label: person.username }]);
    const later = new Agent(server);
    expect((await app.claims(later, await through(later, await app.begin(later), there))).id.sub).toBe(own.subject);
  });

  test('connecting takes the account’s second factor as well, and “no” signs in without connecting', async () => {
    const own = await buildPerson(server);
    const code = await enrol(server.core.factors, own.subject);
    const { agent, there } = await visitor();
    const page = await through(agent, await app.begin(agent), there);
    const login = await submitTo(agent, page, { upstream: 'link' });
    const second = await submitTo(agent, login, { username: own.username, password });
    expect(isCodePage(second)).toBe(true);
    expect(isCodePage(await submitTo(agent, second, { upstream: 'connect' }))).toBe(true);
    const confirm = await submitTo(agent, second, { code: code.fresh() });
    expect([isConfirm(confirm), await isSignedIn(agent)]).toEqual([true, false]);
    const consent = await submitTo(agent, confirm, { upstream: 'skip' });
    expect((await app.claims(agent, consent)).id).toMatchObject({ sub: own.subject, amr: ['pwd', 'otp', 'mfa'] });
    expect(await server.core.stores.identities.list(own.subject)).toEqual([]);
  });

  test('a page that waits for a yes connects nothing once the password has been changed, or the account disabled', async () => {
    const { accounts } = server.core;
    const caller = { via: 'browser', address: '127.0.0.1', requestId: 'test' };
    for (const end of ['password', 'disabled']) {
      const own = await buildPerson(server);
      const { agent, there } = await visitor();
      const page = await through(agent, await app.begin(agent), there);
      const login = await submitTo(agent, page, { upstream: 'link' });
      const confirm = await submitTo(agent, login, { username: own.username, password });
      expect(isConfirm(confirm)).toBe(true);
      if (end === 'disabled') await accounts.disable(own.subject, caller);
      else await accounts.setPassword(own.subject, `${unusual()} ${unusual()}`, { endSessions: true, caller });
      const after = await submitTo(agent, confirm, { upstream: 'connect' });
      expect(await server.core.stores.identities.list(own.subject)).toEqual([]);
      expect([isLogin(after), await isSignedIn(agent)]).toEqual([true, false]);
    }
  });

  test('what came from the provider belongs to its interaction: another one, and another browser, know nothing of it', async () => {
    const { agent, there } = await visitor();
    const page = await through(agent, await app.begin(agent), there);
    const other = await app.begin(agent);
    expect([isLogin(other), pathOf(other) === pathOf(page)]).toEqual([true, false]);
    expect(isLogin(await submitTo(agent, other, { upstream: 'create', username: unusual() }))).toBe(true);
    const stranger = new Agent(server);
    const theirs = await app.begin(stranger);
    const stolen = await stranger.go(pathOf(page), {
      form: { csrf: csrfOf(theirs), upstream: 'create', username: unusual() },
    });
    expect(stolen.status).toBe(400);
    expect((await agent.go(pathOf(page), { form: { upstream: 'create', username: unusual() } })).status).toBe(403);
    travel(601);
    const late = await submitTo(agent, page, { upstream: 'create', username: unusual() });
    expect(failureIn(late)).toBe('This sign-in has expired.');
  });

  test('a name that is taken, none, or one that cannot be is said in place', async () => {
    const taken = await buildPerson(server);
    const { agent, there } = await visitor({ username: taken.username, email: `${unusual()}@example.org` });
    const page = await through(agent, await app.begin(agent), there);
    expect(page.text).not.toContain(`value="${taken.username}"`);
    for (const [username, word] of [
      [taken.username, 'This is already taken'],
      [taken.username.toUpperCase(), 'This is already taken'],
      ['', 'Fill in this field'],
      ['no spaces', 'Use only letters'],
      ['<script>', 'Use only letters'],
    ]) {
      const answer = await submitTo(agent, page, { upstream: 'create', username: username ?? '' });
      expect([username, answer.status, answer.text.includes(word ?? '?')]).toEqual([username, 422, true]);
    }
    expect(await isSignedIn(agent)).toBe(false);
    const consent = await submitTo(agent, page, { upstream: 'create', username: unusual() });
    expect(isConsent(consent)).toBe(true);
  });

  test('S12: an address is a name here only where the provider’s word proves it', async () => {
    const trusted = await visitor();
    for (const id of ['doubtful', 'company']) {
      const page = await through(trusted.agent, await app.begin(trusted.agent), trusted.there, id);
      for (const username of [`x-${trusted.person.email}`, 'admin', 'dave.', 'dаve']) {
        const answer = await submitTo(trusted.agent, page, { upstream: 'create', username });
        expect([id, username, answer.status]).toEqual([id, username, 422]);
      }
      const own = await submitTo(trusted.agent, page, { upstream: 'create', username: trusted.person.email ?? '' });
      expect([id, isConsent(own)]).toEqual([id, id === 'company']);
      if (id === 'company')
        expect((await app.claims(trusted.agent, own)).user).toMatchObject({
          ...{ preferred_username: trusted.person.email, email: trusted.person.email, email_verified: true },
        });
    }
  });

  test('pressed twice, one account is made and both presses go on', async () => {
    const { agent, there } = await visitor();
    const page = await through(agent, await app.begin(agent), there);
    const before = await server.core.stores.accounts.count();
    const answers = await Promise.all(
      [1, 2, 3].map((n) => submitTo(agent, page, { upstream: 'create', username: `${unusual()}${n}` })),
    );
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect((await server.core.stores.accounts.count()) - before).toBe(1);
    expect(answers.some(isConsent)).toBe(true);
  });

  test('an address that the provider’s word does not stand for is not the account’s, and tells no one whose it is', async () => {
    const email = `${unusual()}@example.org`;
    await buildPerson(server, { email });
    const { agent, there } = await visitor({ email });
    const page = await through(agent, await app.begin(agent), there, 'doubtful');
    expect(page.text).not.toContain('An account here already has the address');
    const consent = await submitTo(agent, page, { upstream: 'create', username: unusual() });
    expect((await app.claims(agent, consent)).user).not.toHaveProperty('email');
    const unverified = await visitor({ verified: false });
    const other = await through(unverified.agent, await app.begin(unverified.agent), unverified.there);
    const after = await submitTo(unverified.agent, other, { upstream: 'create', username: unusual() });
    expect((await app.claims(unverified.agent, after)).user).not.toHaveProperty('email');
  });

  test('where no accounts are made this way, one that there is can be connected', async () => {
    const { agent, there } = await visitor();
    const page = await through(agent, await app.begin(agent), there, 'closed');
    expect(page.text).toContain('you cannot create one this way');
    expect(page.text).not.toContain('value="create"');
    const before = await server.core.stores.accounts.count();
    expect(isNew(await submitTo(agent, page, { upstream: 'create', username: unusual() }))).toBe(true);
    expect((await server.core.stores.accounts.count()) - before).toBe(0);
    const own = await buildPerson(server);
    const login = await submitTo(agent, page, { upstream: 'link' });
    const confirm = await submitTo(agent, login, { username: own.username, password });
    expect(isConsent(await submitTo(agent, confirm, { upstream: 'connect' }))).toBe(true);
  });

  test('the second factor of the account here is asked for, unless the provider says that it has asked for one and is trusted', async () => {
    const { there, subject } = await connected();
    const code = await enrol(server.core.factors, subject);
    const fresh = new Agent(server);
    const second = await through(fresh, await app.begin(fresh), there);
    expect([isCodePage(second), await isSignedIn(fresh)]).toEqual([true, false]);
    const consent = await submitTo(fresh, second, { code: code.fresh() });
    expect((await app.claims(fresh, consent)).id).toMatchObject({ sub: subject, amr: ['otp', 'mfa'] });

    const trusted = await connected('doubtful');
    await enrol(server.core.factors, trusted.subject);
    const other = new Agent(server);
    // A password there is no second factor, and says so.
    const asked = await through(other, await app.begin(other), trusted.there, 'doubtful');
    expect(isCodePage(asked)).toBe(true);
    const theirs = await enrol(upstream.core.factors, trusted.person.subject);
    const both = new Agent(upstream);
    const login = await both.go(await leave(other, await app.begin(other), 'doubtful'));
    const codePage = await both.submit(login, { username: trusted.person.username, password });
    // Allowed there before.
    const { location = '' } = await both.submit(codePage, { code: theirs.fresh() });
    // What the provider said of how it proved the person, in words that there are.
    const after = await comeBackWith(other, location);
    expect((await app.claims(other, after)).id).toMatchObject({ sub: trusted.subject, amr: ['mfa', 'otp', 'pwd'] });
  });

  test('max_age and prompt=login are asked of the provider, and auth_time is its own', async () => {
    const { agent, there, person, subject } = await connected();
    // Signed in there a while ago.
    travel(300);
    const page = await app.begin(agent, { max_age: '60' });
    const address = await leave(agent, page);
    expect(new URL(address).searchParams.get('max_age')).toBe('60');
    const atSignIn = Math.floor(Date.now() / 1000);
    const answer = await signInThere(there.agent, address, person);
    travel(30);
    const { id } = await app.claims(agent, await comeBackWith(agent, answer));
    expect(id.sub).toBe(subject);
    expect(Math.abs(Number(id.auth_time) - atSignIn)).toBeLessThanOrEqual(10);
    travel(120);
    const login = new URL(await leave(agent, await app.begin(agent, { prompt: 'login' })));
    expect(login.searchParams.get('prompt')).toBe('login');
    // One who takes the wish out of the address is not signed in by an old session there.
    login.searchParams.delete('prompt');
    const old = await signInThere(there.agent, login.href, person);
    expect(failureIn(await comeBackWith(agent, old))).toBe('Example Company did not ask you to sign in again.');
  });

  test('a disabled person is refused, and a deleted one is a new person', async () => {
    const { there, subject } = await connected();
    await server.core.accounts.disable(subject);
    const agent = new Agent(server);
    const refused = await through(agent, await app.begin(agent), there);
    expect(failureIn(refused)).toBe('You cannot sign in here with Example Company.');
    expect(await isSignedIn(agent)).toBe(false);
    await server.core.accounts.remove(subject);
    expect(isNew(await through(agent, await app.begin(agent), there))).toBe(true);
  });

  test('the trail has the sign-in with its provider, and the connection', async () => {
    const { subject } = await connected();
    const events = await server.core.stores.audit.list({ subject }, 50);
    const kept = events.map(({ event, detail }) => [event, detail.upstream]);
    expect(kept).toEqual(
      expect.arrayContaining([
        ['identity.linked', 'company'],
        ['sign_in.succeeded', 'company'],
      ]),
    );
  });

  test('the sign-in page offers every provider, and forms cannot lead elsewhere', async () => {
    const agent = new Agent(server);
    const page = await app.begin(agent);
    for (const id of ['company', 'doubtful', 'closed']) {
      expect(page.text).toContain(`href="${pathOf(page)}/upstream/${id}"`);
    }
    expect(page.headers.get('content-security-policy')).not.toContain(upstream.url);
  });
});
