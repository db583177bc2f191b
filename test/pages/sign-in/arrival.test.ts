/**
 * Setting a password signs in: after the set-up, a reset, a sign-up, an invitation and the proof of an address, in this browser alone,
 * by no more than was proved, and on to the application whose sign-in led there. B4, B11, B13.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, csrfOf, pkce, type TokenAnswer, token } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { claimsOf, comeBack, travel } from '../../support/flow.ts';
import { fill, headingOf, landed, linkIn, mailsTo, mailTo, send } from '../../support/mail.ts';
import { buildClient, buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const another = 'eleven quiet foxes by the pond';
type Person = Awaited<ReturnType<typeof buildPerson>>;

describeStorages('somebody who has just set a password', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000', MAIL_LIMIT: '10' });
    client = await buildClient(server);
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const keys = pkce();
  const begin = (agent: Agent, extra: Record<string, string> = {}): Promise<Answer> =>
    agent.go(
      `/oauth/authorize?${new URLSearchParams({
        ...{ response_type: 'code', client_id: client.id, scope: 'openid', state: 'xyz' },
        ...{ code_challenge: keys.challenge, code_challenge_method: 'S256', ...extra },
      })}`,
    );
  const redeem = (answer: Answer): Promise<TokenAnswer> =>
    token(server, client, { grant_type: 'authorization_code', code: codeOf(answer), code_verifier: keys.verifier });

  /** From the sign-in page of the application to the link that comes by mail. */
  async function forgotten(agent: Agent, login: Answer, person: Person): Promise<string> {
    const way = /href="(\/forgot\?from=[^"]+)"/.exec(login.text)?.[1] ?? '';
    await fill(agent, way, { username: person.username });
    return mailedTo(person);
  }
  async function mailedTo({ email }: Person): Promise<string> {
    const mail = (await mailsTo(server, email ?? '')).find(({ kind }) => kind === 'reset-password');
    return linkIn({ link: mail?.link });
  }
  async function linkFor(person: Person): Promise<string> {
    await fill(new Agent(server), '/forgot', { username: person.username });
    return mailedTo(person);
  }
  const isSignIn = ({ url, text }: Answer): boolean =>
    new URL(url).pathname.startsWith('/interaction/') && text.includes('autocomplete="current-password"');
  const account = async (agent: Agent): Promise<Answer> => landed(agent, await agent.go('/account'));
  const isIn = async (agent: Agent, { username }: { username: string }): Promise<boolean> => {
    const page = await account(agent);
    return new URL(page.url).pathname === '/account' && page.text.includes(username);
  };
  const signIns = async (subject: string) => {
    const events = await server.core.stores.audit.list({ subject, event: 'sign_in.succeeded' }, 10);
    return events.map(({ detail }) => detail);
  };

  test('a reset signs in and goes on to the application: password, one factor, no more', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const link = await forgotten(agent, await begin(agent), person);
    const consent = await fill(agent, link, { password: another });
    expect(consent.text).toContain('value="allow"');
    const answer = await agent.submit(consent, { answer: 'allow' });
    expect(new URL(answer.location ?? '').searchParams.get('state')).toBe('xyz');
    const { body } = await redeem(answer);
    const claims = claimsOf(body.id_token);
    expect(claims).toMatchObject({ sub: person.subject, amr: ['pwd'], acr: `${server.url}/acr/single-factor` });
    expect(await isIn(agent, person)).toBe(true);
    expect(await signIns(person.subject)).toEqual([
      expect.objectContaining({ via: 'browser', amr: ['pwd'], after: 'reset-link' }),
    ]);
    expect((await agent.go('/account/sessions')).text).toContain('this browser');
    expect(agent.cookie('gatehouse-pass')).toBeUndefined();
  });

  test('remembered consent: one form, and the application has its code', async () => {
    const person = await buildPerson(server);
    const remembered = await buildClient(server, { redirect_uris: ['https://app.example.com/cb'] });
    const first = new Agent(server);
    const extra = { client_id: remembered.id };
    const page = await first.submit(await begin(first, extra), { username: person.username, password });
    codeOf(await first.submit(page, { answer: 'allow' }));
    const agent = new Agent(server);
    const link = await forgotten(agent, await begin(agent, extra), person);
    const form = await agent.go(link);
    // Chromium holds every redirect after a form to this list.
    expect(form.headers.get('content-security-policy')).toContain("form-action 'self' https:");
    const answer = await send(agent, form, { password: another });
    expect(new URL(answer.location ?? '').origin).toBe('https://app.example.com');
    codeOf(answer);
  });

  test('in another browser than the sign-in began in: that one is signed in, on the account page, and the first is not', async () => {
    const person = await buildPerson(server);
    const [desk, phone] = [new Agent(server), new Agent(server)];
    const login = await begin(desk);
    const link = await forgotten(desk, login, person);
    const done = await fill(phone, link, { password: another });
    expect(new URL(done.url).pathname).toBe('/account');
    expect(await isIn(phone, person)).toBe(true);
    expect(isSignIn(await desk.go(new URL(login.url).pathname))).toBe(true);
    expect(isSignIn(await account(desk))).toBe(true);
  });

  test('a browser that has not opened the link sets nothing and is not signed in', async () => {
    const person = await buildPerson(server);
    const link = await linkFor(person);
    const [opened, stranger] = [new Agent(server), new Agent(server)];
    const page = await opened.go(link);
    const own = csrfOf(await stranger.go('/forgot'));
    const other = csrfOf(await stranger.go(await linkFor(await buildPerson(server))));
    for (const csrf of [own, other, csrfOf(page)]) {
      const answer = await stranger.go(link, { form: { csrf, password: another } });
      expect([answer.status, stranger.cookie('gatehouse-pass')]).toEqual([403, undefined]);
    }
    await send(opened, page, { password: another });
    expect([await isIn(opened, person), isSignIn(await account(stranger))]).toEqual([true, true]);
  });

  test('B11: a second factor is asked for first, and then it is two', async () => {
    const person = await buildPerson(server);
    const app = await enrol(server.core.factors, person.subject);
    const agent = new Agent(server);
    const link = await forgotten(agent, await begin(agent), person);
    const asked = await fill(agent, link, { password: another });
    expect(asked.text).toContain('autocomplete="one-time-code"');
    // Neither the application nor the account pages are open before it.
    expect(isSignIn(await account(agent))).toBe(true);
    const wrong = await agent.submit(asked, { code: app.wrong() });
    expect(wrong.status).toBe(422);
    const consent = await agent.submit(asked, { code: app.fresh() });
    const { body } = await redeem(await agent.submit(consent, { answer: 'allow' }));
    expect(claimsOf(body.id_token).amr).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('without an application the second factor comes before the account page', async () => {
    const person = await buildPerson(server);
    const app = await enrol(server.core.factors, person.subject);
    const agent = new Agent(server);
    const asked = await fill(agent, await linkFor(person), { password: another });
    expect(asked.text).toContain('autocomplete="one-time-code"');
    const done = await landed(agent, await agent.submit(asked, { code: app.fresh() }));
    expect(new URL(done.url).pathname).toBe('/account');
  });

  test('an application that wants two factors is not content with a reset', async () => {
    const strict = await buildClient(server, { second_factor: 'required' });
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const link = await forgotten(agent, await begin(agent, { client_id: strict.id }), person);
    const page = await fill(agent, link, { password: another });
    expect(page.text).not.toContain('value="allow"');
    expect(page.location).toBeUndefined();
  });

  test('the session in which the request began ends with the old password, and the request goes on', async () => {
    const person = await buildPerson(server);
    const [agent, elsewhere] = [new Agent(server), new Agent(server)];
    for (const one of [agent, elsewhere]) {
      const page = await one.submit(await begin(one), { username: person.username, password });
      codeOf(page.location === undefined ? await one.submit(page, { answer: 'allow' }) : page);
    }
    const login = await begin(agent, { prompt: 'login' });
    expect(isSignIn(login)).toBe(true);
    const link = await forgotten(agent, login, person);
    // Consent is remembered.
    const { body } = await redeem(await fill(agent, link, { password: another }));
    expect(claimsOf(body.id_token).sub).toBe(person.subject);
    expect(isSignIn(await account(elsewhere))).toBe(true);
  });

  test('somebody else who is signed in there gives way to the one whose password it is', async () => {
    const [person, other] = [await buildPerson(server), await buildPerson(server)];
    const agent = new Agent(server);
    const page = await agent.submit(await begin(agent), { username: other.username, password });
    codeOf(await agent.submit(page, { answer: 'allow' }));
    const asked = await fill(agent, await linkFor(person), { password: another });
    // The engine ends the other session by a form of its own.
    const done = await landed(agent, asked.text.includes('name="xsrf"') ? await agent.confirmLogout(asked) : asked);
    expect(new URL(done.url).pathname).toBe('/account');
    expect(await isIn(agent, person)).toBe(true);
  });

  test('a sign-in that is over meanwhile: the account page', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const link = await forgotten(agent, await begin(agent), person);
    const lost = new URL(link);
    lost.searchParams.set('from', 'a'.repeat(43));
    const done = await fill(agent, lost.href, { password: another });
    expect(new URL(done.url).pathname).toBe('/account');
    expect(done.text).toContain('Your password is set. You are signed out everywhere else.');
  });

  test('the pass is good once, for five minutes, for this password, and not for somebody disabled', async () => {
    const passOf = async (person: Person): Promise<Agent> => {
      const agent = new Agent(server);
      const page = await agent.go(await linkFor(person));
      const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
      await agent.go(action, { form: { csrf: csrfOf(page), password: another }, follow: false });
      expect(agent.cookie('gatehouse-pass')).toMatch(/^[\w-]{43}$/);
      return agent;
    };
    const copy = (agent: Agent): Agent => {
      const thief = new Agent(server);
      for (const [key, cookie] of agent.cookies) thief.cookies.set(key, cookie);
      return thief;
    };
    const people = await Promise.all([1, 2, 3, 4].map(() => buildPerson(server)));
    const [once, changed, disabled, late] = people as [Person, Person, Person, Person];
    const first = await passOf(once);
    const second = copy(first);
    expect([await isIn(first, once), isSignIn(await account(second))]).toEqual([true, true]);

    const stale = await passOf(changed);
    await server.core.accounts.setPassword(changed.subject, `${another} again`, { endSessions: true });
    expect(isSignIn(await account(stale))).toBe(true);

    const gone = await passOf(disabled);
    await server.core.accounts.disable(disabled.subject);
    expect(isSignIn(await account(gone))).toBe(true);

    const slow = await passOf(late);
    travel(301);
    expect(isSignIn(await account(slow))).toBe(true);
  });

  test('a pass of the account pages is not spent by an application’s sign-in, and one node’s is good on the other', async () => {
    const other = await storage.join(server);
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const page = await agent.go(await linkFor(person));
    const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    await agent.go(action, { form: { csrf: csrfOf(page), password: another }, follow: false });
    expect(isSignIn(await begin(agent))).toBe(true);
    const value = agent.cookie('gatehouse-pass') ?? '';
    expect(await other.core.passes.take(value)).toMatchObject({
      after: 'reset-link',
      proof: { subject: person.subject },
    });
    expect(await server.core.passes.take(value)).toBeUndefined();
  });

  test('a sign-up, an invitation and the proof of an address sign in too', async () => {
    const made = { username: 'grace-h', email: 'grace@example.org', password };
    const newcomer = new Agent(server);
    expect(headingOf(await fill(newcomer, '/sign-up', made))).toBe('Check your e-mail');
    expect(await isIn(newcomer, made)).toBe(true);
    const { subject } = (await server.core.accounts.findByUsername(made.username)) ?? { subject: '' };
    expect(await signIns(subject)).toEqual([expect.objectContaining({ after: 'sign-up', amr: ['pwd'] })]);

    const invited = new Agent(server);
    const invitation = await server.core.invitations.invite({ mail: false, locale: 'en' }, { via: 'cli' });
    if (invitation.outcome !== 'made') throw new Error(invitation.outcome);
    const guest = { username: 'katherine-j', email: 'katherine@example.org', password };
    expect(headingOf(await fill(invited, invitation.path, guest))).toBe('Check your e-mail');
    expect(await isIn(invited, guest)).toBe(true);

    const elsewhere = new Agent(server);
    const link = linkIn(await mailTo(server, made.email, 'confirm-email'));
    expect(headingOf(await fill(elsewhere, link, { password }))).toBe('Your address is confirmed');
    expect(await isIn(elsewhere, made)).toBe(true);
  });

  test('the first administrator is signed in and shown what comes next, which nobody else is', async () => {
    const fresh = await storage.start();
    try {
      const agent = new Agent(fresh);
      const link = await fresh.core.setup.createSetupLink();
      const form = { username: 'keeper', password };
      const next = await fill(agent, `/setup?token=${link?.token}`, form);
      expect(new URL(next.url).pathname).toBe('/setup/done');
      for (const words of ['npm run cli -- clients register', 'npm run cli -- accounts invite', 'docs/first-flow.md'])
        expect(next.text).toContain(words);
      expect(next.text).toContain('href="/account/security"');
      const { subject } = (await fresh.core.accounts.findByUsername('keeper')) ?? { subject: '' };
      const events = await fresh.core.stores.audit.list({ subject }, 10);
      expect(
        events.map(({ event, detail }) => [event, detail.after]).filter(([name]) => /setup|sign_in/.test(String(name))),
      ).toEqual(
        expect.arrayContaining([
          ['setup.completed', undefined],
          ['sign_in.succeeded', 'setup'],
        ]),
      );
      expect((await agent.go('/account/sessions')).text).toContain('this browser');
      expect((await agent.go('/account/factors')).status).toBe(200);

      expect(new URL((await new Agent(fresh).go('/setup/done')).url).pathname).toBe('/');
      const person = await buildPerson(fresh);
      const other = new Agent(fresh);
      await landed(other, await other.submit(await other.go('/account'), { username: person.username, password }));
      expect(new URL((await other.go('/setup/done')).url).pathname).toBe('/');
    } finally {
      await fresh.close();
    }
  });

  test('where everybody needs a second factor the first administrator adds one on the way', async () => {
    const fresh = await storage.start({ SECOND_FACTOR: 'required' });
    try {
      const agent = new Agent(fresh);
      const link = await fresh.core.setup.createSetupLink();
      const form = { username: 'keeper', password };
      const page = await fill(agent, `/setup?token=${link?.token}`, form);
      expect([new URL(page.url).pathname, page.text.includes('value="app"')]).toEqual([
        expect.stringMatching(/^\/interaction\//),
        true,
      ]);
      expect(isSignIn(page)).toBe(false);
    } finally {
      await fresh.close();
    }
  });
});
