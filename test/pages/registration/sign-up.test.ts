/** Accounts that people make for themselves: by the page alone, in the middle of an authorization, and whom that tells what. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, csrfOf, pkce } from '../../support/agent.ts';
import { claimsOf, comeBack, redeem, stopClock, travel } from '../../support/flow.ts';
import { fill, headingOf, landed, linkIn, mailsTo, mailTo, send } from '../../support/mail.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { visit } from '../account/visitor.ts';

let number = 0;
const fresh = () => {
  number += 1;
  return { username: `newcomer${number}`, email: `newcomer${number}@example.org`, password };
};
const found = (server: TestServer, { username }: { username: string }) => server.core.accounts.findByUsername(username);

describeStorages('the sign-up page', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const signUp = (form: Record<string, string>, agent = new Agent(server)) => fill(agent, '/sign-up', form);

  test('a name, an address and a password make an account, whose address is its own when it is proved', async () => {
    const form = fresh();
    const done = await signUp(form);
    expect([done.status, new URL(done.url).pathname, headingOf(done)]).toEqual([200, '/sign-up', 'Check your e-mail']);
    expect(await found(server, form)).toMatchObject({ username: form.username, email: null, verified: false });
    await mailTo(server, form.email, 'confirm-email');
  });

  test('the form is answered by 303, and its page may be reloaded', async () => {
    const agent = new Agent(server);
    const page = await agent.go('/sign-up');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const answer = await agent.go('/sign-up', { form: { csrf, ...fresh() }, follow: false });
    expect([answer.status, new URL(answer.location ?? '').pathname]).toEqual([303, '/oauth/authorize']);
    const done = await landed(agent, await agent.go(answer.location ?? ''));
    const reloaded = await agent.go(done.url);
    expect([done, reloaded].map(headingOf)).toEqual(Array(2).fill('Check your e-mail'));
  });

  test('B6: whether an address has an account is told to its owner, and to nobody else', async () => {
    const owner = await buildPerson(server);
    // Apart from what the browser itself has typed, and the value that its form is bound to.
    const plain = ({ status, url, text: page, headers }: Answer, email: string) => {
      const names = [...headers.keys()].filter((name) => name !== 'set-cookie').sort();
      expect(page).toContain(`<strong>${email}</strong>`);
      const text = page.replaceAll(email, '').replace(/name="csrf" value="[^"]+"/, '');
      return { status, path: new URL(url).pathname + new URL(url).search, text, names };
    };
    const known = { ...fresh(), email: (owner.email ?? '').toUpperCase() };
    const unknown = fresh();
    expect(plain(await signUp(known), known.email)).toEqual(plain(await signUp(unknown), unknown.email));
    const mail = await mailTo(server, owner.email ?? '', 'address-known');
    expect(mail.text).not.toContain(known.username);
    expect(mail.link).toBe(`${server.url}/forgot`);
    // Both have an account without an address, and the owner's is as it was.
    expect(await found(server, known)).toMatchObject({ email: null });
    expect(await found(server, unknown)).toMatchObject({ email: null });
    expect(await found(server, owner)).toMatchObject({ email: owner.email, verified: true });
  });

  test('the link is sent again to the address that this browser has named, so many times and no more', async () => {
    const form = fresh();
    const agent = new Agent(server);
    const sent = await signUp(form, agent);
    const again = await send(agent, sent, {});
    expect([again.status, new URL(again.url).search, again.text.includes('We sent the link again.')]).toEqual([
      200,
      '?done=again',
      true,
    ]);
    expect(await mailsTo(server, form.email)).toHaveLength(2);
    // What a form claims does not count.
    await send(agent, sent, { email: 'elsewhere@example.org' });
    expect(await mailsTo(server, 'elsewhere@example.org')).toEqual([]);
    let last = again;
    for (let n = 0; n < 10 && last.status === 200; n += 1) last = await send(agent, sent, {});
    expect([last.status, last.headers.get('retry-after'), headingOf(last)]).toEqual([
      429,
      expect.stringMatching(/^\d+$/),
      'Check your e-mail',
    ]);
    expect(last.text).toContain('Too many attempts.');
  });

  test('B5: an old sign-in cannot have a link sent to an address that was typed on the page for another one', async () => {
    const { agent, page } = await visit(server, '/account/profile');
    const { email } = fresh();
    travel(302);
    const csrf = csrfOf(page);
    const refused = await agent.go('/account/email', { form: { csrf, email }, follow: false });
    expect(refused.location).toContain('max_age=');
    expect((await agent.go('/sign-up?done=mail')).text).not.toContain(email);
    const asked = await agent.go('/sign-up/again', { form: { csrf }, follow: false });
    expect([asked.status, asked.location]).toEqual([303, `${server.url}/account/email`]);
    expect(await mailsTo(server, email)).toEqual([]);
  });

  test('where the address is confirmed, the page for the mail sends no link any more', async () => {
    const form = fresh();
    const agent = new Agent(server);
    const sent = await signUp(form, agent);
    // The browser that signed up confirms by opening the link.
    const opened = await agent.go(linkIn(await mailTo(server, form.email, 'confirm-email')));
    expect(headingOf(opened)).toBe('Your address is confirmed');
    const asked = await send(agent, sent, {});
    expect(new URL(asked.url).pathname).toBe('/account/email');
    expect(await mailsTo(server, form.email)).toHaveLength(1);
  });

  test('the page for the mail tells the address to its own browser, for some minutes', async () => {
    const form = fresh();
    const agent = new Agent(server);
    const sent = await signUp(form, agent);
    const stranger = new Agent(server);
    const elsewhere = await stranger.go('/sign-up?done=mail');
    expect([elsewhere.status, headingOf(elsewhere), elsewhere.text.includes('<form')]).toEqual([
      200,
      'Check your e-mail',
      false,
    ]);
    const csrf = /name="csrf" value="([^"]+)"/.exec((await stranger.go('/sign-up')).text)?.[1] ?? '';
    const asked = await stranger.go('/sign-up/again', { form: { csrf }, follow: false });
    expect([asked.status, asked.location]).toEqual([303, `${server.url}/account/email`]);
    expect((await agent.go('/sign-up/again', { form: {} })).status).toBe(403);
    // Sealed for the account: another person who signs in in this browser is not told.
    const { agent: other } = await visit(server, '/account');
    for (const [key, cookie] of agent.cookies) if (cookie.name === 'gatehouse-note') other.cookies.set(key, cookie);
    expect(other.cookie('gatehouse-note')).toBeDefined();
    expect((await other.go('/sign-up?done=mail')).text).not.toContain(form.email);
    expect(sent.text).toContain(form.email);
    travel(901);
    expect((await agent.go('/sign-up?done=mail')).text).not.toContain(form.email);
  });

  test('what is wrong is said at each field, all at once, and what was typed is kept, but never the password', async () => {
    const page = await signUp({ username: 'two words', email: 'nobody@', password: '' });
    expect(page.status).toBe(422);
    expect([...page.text.matchAll(/id="(\w+)-error"/g)].map((match) => match[1])).toEqual([
      'username',
      'email',
      'password',
    ]);
    expect(page.text).toContain('value="two words"');
    expect(page.text).toContain('value="nobody@"');
    const weak = await signUp({ ...fresh(), password: 'correct horse ba' });
    expect(weak.text).not.toContain('correct horse');
  });

  test.each([
    ['too short', 'short one'],
    ['too common', 'password password'],
    ['a pattern', 'abababababababab'],
  ])('a password that is %s is refused, and nothing is made', async (_, weak) => {
    const form = { ...fresh(), password: weak };
    const page = await signUp(form);
    expect([page.status, page.text.includes('id="password-error"')]).toEqual([422, true]);
    expect(await found(server, form)).toBeUndefined();
  });

  test('a password may not be made of the address either', async () => {
    const form = { ...fresh(), email: 'winterlandschaft@example.org', password: 'winterlandschaft1' };
    expect((await signUp(form)).status).toBe(422);
    expect(await found(server, form)).toBeUndefined();
  });

  test('a name in the form of an address is refused: nobody has proved it', async () => {
    const form = { ...fresh(), username: 'somebody@example.org' };
    expect((await signUp(form)).text).toContain('id="username-error"');
    expect(await found(server, form)).toBeUndefined();
  });

  test('a name that is taken, in any spelling, is said to be', async () => {
    const form = fresh();
    await signUp(form);
    const page = await signUp({ ...fresh(), username: form.username.toUpperCase() });
    expect([page.status, page.text.includes('This is already taken')]).toEqual([422, true]);
  });

  test('a second press of the button is the first one again; another browser’s is not', async () => {
    const form = fresh();
    const agent = new Agent(server);
    const page = await agent.go('/sign-up');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const press = () => agent.go('/sign-up', { form: { csrf, ...form }, follow: false });
    const answers = await Promise.all([press(), press(), press()]);
    // A browser follows the last.
    for (const { location } of answers)
      expect(new URL(location ?? '').searchParams.get('login_hint')).toBe(form.username);
    const [last] = answers;
    expect(headingOf(await landed(agent, await agent.go(last?.location ?? '')))).toBe('Check your e-mail');
    expect(await mailsTo(server, form.email)).toHaveLength(1);
    expect((await signUp(form)).status).toBe(422);
    expect((await send(agent, page, { ...form, password: `${password}!` })).status).toBe(422);
  });

  test('of twenty who want one name at once, one gets it', async () => {
    const form = fresh();
    const answers = await Promise.all(Array.from({ length: 20 }, () => signUp(form)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(19);
  });

  test('a form without its token, or from another site, makes nothing', async () => {
    const form = fresh();
    const agent = new Agent(server);
    const page = await agent.go('/sign-up');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const attempts = [
      await agent.go('/sign-up', { form }),
      await new Agent(server).go('/sign-up', { form: { ...form, csrf } }),
      await agent.go('/sign-up', { form: { ...form, csrf }, headers: { 'sec-fetch-site': 'cross-site' } }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await found(server, form)).toBeUndefined();
  });

  describe('in the middle of an authorization', () => {
    const { verifier, challenge } = pkce();
    const begin = (agent: Agent, clientId: string) =>
      agent.go(
        `/oauth/authorize?${new URLSearchParams({
          response_type: 'code',
          client_id: clientId,
          scope: 'openid email',
          code_challenge: challenge,
          code_challenge_method: 'S256',
        })}`,
      );

    test('whoever makes an account goes on with it, signed in', async () => {
      const client = await buildClient(server);
      const agent = new Agent(server);
      const login = await begin(agent, client.id);
      const way = /href="(\/interaction\/[^"]+\/sign-up)"/.exec(login.text)?.[1] ?? '';
      const page = await agent.go(way);
      expect(headingOf(page)).toContain('Bookshelf');
      const form = fresh();
      const consent = await send(agent, page, form);
      expect(consent.text).toContain('value="allow"');
      const code = codeOf(await agent.submit(consent, { answer: 'allow' }));
      const { body } = await redeem(server, client, { code, code_verifier: verifier });
      const account = await found(server, form);
      expect(claimsOf(body.id_token)).toMatchObject({ sub: account?.subject, amr: ['pwd'] });
      // In this browser, opening the link in the mail is enough.
      const confirmed = await agent.go(linkIn(await mailTo(server, form.email, 'confirm-email')));
      expect([confirmed.url, headingOf(confirmed)]).toEqual([
        `${server.url}/verify-email?done=yes`,
        'Your address is confirmed',
      ]);
      expect(await found(server, form)).toMatchObject({ email: form.email, verified: true });
    });

    test('the page is there for its own browser, and only where a sign-in is asked for', async () => {
      const client = await buildClient(server);
      const agent = new Agent(server);
      const login = await begin(agent, client.id);
      const way = `${new URL(login.url).pathname}/sign-up`;
      expect((await new Agent(server).go(way)).status).toBe(400);
      const consent = await send(agent, await agent.go(way), fresh());
      expect((await agent.go(`${new URL(consent.url).pathname}/sign-up`)).status).toBe(400);
      // Back, after it was used.
      expect((await agent.go(way)).status).toBe(400);
    });
  });

  test('what an API surface registers has its address at once, unproved, and is mailed the link', async () => {
    const form = fresh();
    const { username, email } = form;
    const made = await server.core.signUp.signUp(
      { username, email, password },
      { address: '192.0.2.7', requestId: 'r', via: 'identity' },
    );
    expect(made).toMatchObject({ outcome: 'created', account: { email, verified: false } });
    const agent = new Agent(server);
    await fill(agent, linkIn(await mailTo(server, email, 'confirm-email')), { password });
    expect(await found(server, form)).toMatchObject({ email, verified: true });
  });
});

describe('SIGN_UP', () => {
  test.each([
    ['off', 'You cannot create an account here'],
    ['invite', 'By invitation only'],
  ])('%s: the page says so, takes no form, and no page leads there', async (SIGN_UP, heading) => {
    const server = await startServer({ env: { SIGN_UP } });
    try {
      const agent = new Agent(server);
      const page = await agent.go('/sign-up');
      expect([page.status, headingOf(page)]).toEqual([403, heading]);
      const client = await buildClient(server, {}, 'register');
      const login = await agent.go(`/oauth/authorize?response_type=code&scope=openid&client_id=${client.id}`);
      expect(login.text).not.toContain('/sign-up');
      const csrf = /name="csrf" value="([^"]+)"/.exec(login.text)?.[1] ?? '';
      for (const way of ['/sign-up', `${new URL(login.url).pathname}/sign-up`]) {
        const form = fresh();
        expect((await agent.go(way, { form: { ...form, csrf } })).status).toBe(403);
        expect(await found(server, form)).toBeUndefined();
      }
    } finally {
      await server.close();
    }
  });
});

test('too many accounts from one address have to wait', async () => {
  const server = await startServer({ env: { THROTTLE_ADDRESS_LIMIT: '3', THROTTLE_WINDOW: '900' } });
  try {
    stopClock();
    for (let n = 0; n < 3; n += 1) expect((await fill(new Agent(server), '/sign-up', fresh())).status).toBe(200);
    const form = fresh();
    const page = await fill(new Agent(server), '/sign-up', form);
    expect([page.status, page.headers.get('retry-after')]).toEqual([429, '900']);
    expect(page.text).toContain(`value="${form.email}"`);
    travel(901);
    expect((await fill(new Agent(server), '/sign-up', form)).status).toBe(200);
  } finally {
    comeBack();
    await server.close();
  }
});
