/** Proving an address, and changing it: what a link does, what it takes beside the link, and what ends it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { fill, headingOf, linkIn, mailsTo, mailTo, send } from '../../support/mail.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { visit } from '../account/visitor.ts';

const caller = { via: 'browser', address: '192.0.2.1', requestId: 'r', locale: 'en' };
let number = 0;
const freshAddress = () => {
  number += 1;
  return `address${number}@example.org`;
};

describeStorages('an e-mail address', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000', MAIL_LIMIT: '3' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const account = (subject: string) => server.core.accounts.findBySubject(subject);

  async function linkFor(subject: string, email: string): Promise<string> {
    expect(await server.core.emails.requestChange(subject, email, caller)).toEqual({ outcome: 'asked' });
    return linkIn(await mailTo(server, email, 'confirm-email'));
  }

  const confirm = (link: string, typed = password, agent = new Agent(server)) => fill(agent, link, { password: typed });

  test('opening the link, as a mail scanner does, changes nothing; the form does, once', async () => {
    const person = await buildPerson(server, { verified: false });
    const link = await linkFor(person.subject, person.email ?? '');
    for (let n = 0; n < 3; n += 1) {
      const opened = await fetch(link);
      expect(opened.status).toBe(200);
      await opened.arrayBuffer();
    }
    expect(await account(person.subject)).toMatchObject({ verified: false });
    expect(headingOf(await confirm(link))).toBe('Your address is confirmed');
    expect(await account(person.subject)).toMatchObject({ email: person.email, verified: true });
    const again = await new Agent(server).go(link);
    expect([again.status, headingOf(again)]).toEqual([410, 'This link no longer works']);
    // A link that is over offers a new one.
    expect(again.text).toContain('href="/account/email"');
  });

  test('a proved address signs in, an unproved one does not', async () => {
    const person = await buildPerson(server, { verified: false });
    const signIn = async () =>
      (
        await server.core.signIn.signIn({
          ...{ username: person.email ?? '', password, address: '192.0.2.9', via: 'browser', requestId: 'r' },
        })
      ).outcome;
    expect(await signIn()).toBe('refused');
    await confirm(await linkFor(person.subject, person.email ?? ''));
    expect(await signIn()).toBe('signed-in');
  });

  test('the link alone is not enough: a stranger with the mail has no password', async () => {
    const person = await buildPerson(server);
    const link = await linkFor(person.subject, freshAddress());
    const agent = new Agent(server);
    const missing = await fill(agent, link, {});
    expect([missing.status, missing.text.includes('name="password"')]).toEqual([422, true]);
    expect((await confirm(link, 'not the password at all', agent)).status).toBe(422);
    expect(await account(person.subject)).toMatchObject({ email: person.email });
    expect(headingOf(await confirm(link, password, agent))).toBe('Your address is confirmed');
  });

  test('whoever has no password signs in another way, and comes back to the page', async () => {
    const person = await buildPerson(server);
    const email = freshAddress();
    const link = await linkFor(person.subject, email);
    const agent = new Agent(server);
    const page = await agent.go(link);
    const way = /href="(\/verify-email\/sign-in[^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const login = await agent.go(way);
    expect([new URL(login.url).pathname, login.text]).toEqual([
      expect.stringMatching(/^\/interaction\//),
      expect.stringContaining(`value="${person.username}"`),
    ]);
    const back = await agent.submit(login, { username: person.username, password });
    expect(back.location).toContain('/account/callback');
    // What the link holds stands in none of the addresses on the way.
    const secret = new URL(link).searchParams.get('token') ?? '';
    expect([login.url, back.url, back.location].join()).not.toContain(secret);
    const again = await agent.go(back.location ?? '');
    expect([new URL(again.url).pathname, again.text.includes('name="password"')]).toEqual(['/verify-email', false]);
    expect(headingOf(await send(agent, again, {}))).toBe('Your address is confirmed');
    expect(await account(person.subject)).toMatchObject({ email, verified: true });
    expect(agent.cookie('gatehouse-confirm')).toBeUndefined();
  });

  test('somebody else who is signed in there is asked to sign in, and so is a stranger with a link of no account', async () => {
    const [person, other] = [await buildPerson(server), await buildPerson(server)];
    const link = await linkFor(person.subject, freshAddress());
    const { agent } = await visit(server, '/account', other);
    const secret = new URL(link).searchParams.get('token') ?? '';
    const login = await agent.go(`/verify-email/sign-in?token=${secret}`);
    expect(login.text).toContain('autocomplete="current-password"');
    expect((await agent.go('/verify-email/sign-in?token=nothing')).status).toBe(410);
    expect((await new Agent(server).go('/verify-email')).status).toBe(410);
  });

  test('with a second factor the password proves enough: nobody is signed in by it', async () => {
    const person = await buildPerson(server);
    await enrol(server.core.factors, person.subject);
    const agent = new Agent(server);
    const link = await linkFor(person.subject, freshAddress());
    expect(headingOf(await confirm(link, password, agent))).toBe('Your address is confirmed');
    expect([...agent.cookies.values()].map(({ name }) => name)).toEqual(['gatehouse-browser']);
  });

  test('a change is told to the address that was', async () => {
    const person = await buildPerson(server);
    const next = freshAddress();
    await confirm(await linkFor(person.subject, next));
    expect(await account(person.subject)).toMatchObject({ email: next, verified: true });
    const notice = await mailTo(server, person.email ?? '', 'email-changed');
    expect(notice.text).toContain(person.username);
    expect(notice.text).not.toContain(next);
    const events = await server.core.stores.audit.list({ subject: person.subject }, 20);
    expect(events.map(({ event }) => event)).toContain('account.email_changed');
  });

  test('the latest choice stands: links to other addresses end with it', async () => {
    const person = await buildPerson(server);
    const [typo, meant] = [freshAddress(), freshAddress()];
    const first = await linkFor(person.subject, typo);
    await confirm(await linkFor(person.subject, meant));
    expect((await new Agent(server).go(first)).status).toBe(410);
    expect(await account(person.subject)).toMatchObject({ email: meant });
  });

  test('it ends after its time, and of ten presses at once one counts', async () => {
    const person = await buildPerson(server);
    const late = await linkFor(person.subject, freshAddress());
    travel(server.core.config.mail.emailLinkTtl + 1);
    expect((await new Agent(server).go(late)).status).toBe(410);
    comeBack();
    const token = new URL(late).searchParams.get('token') ?? '';
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => server.core.emails.confirm(token, { via: 'cli' })),
    );
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['confirmed', ...Array(9).fill('gone')]);
  });

  test('who proves an address gets it from whoever only named it', async () => {
    const address = freshAddress();
    const squatter = await buildPerson(server, { email: address, verified: false });
    const owner = await buildPerson(server);
    await confirm(await linkFor(owner.subject, address));
    expect(await account(owner.subject)).toMatchObject({ email: address, verified: true });
    expect(await account(squatter.subject)).toMatchObject({ email: null, verified: false });
  });

  test('of two who are mailed the link for one address, whoever proves it first has it', async () => {
    const address = freshAddress();
    const [one, other] = [await buildPerson(server), await buildPerson(server)];
    const links = [await linkFor(one.subject, address), await linkFor(other.subject, address)];
    await confirm(links[0] ?? '');
    const late = await confirm(links[1] ?? '');
    expect([late.status, headingOf(late)]).toEqual([409, 'This address belongs to another account']);
    expect(await account(other.subject)).toMatchObject({ email: other.email });
  });

  test('whose name is an address is called by the new one: the old one may be somebody else’s one day', async () => {
    const [old, next] = [freshAddress(), freshAddress()];
    const person = await buildPerson(server, { username: old, email: old });
    await confirm(await linkFor(person.subject, next));
    expect(await account(person.subject)).toMatchObject({ username: next, email: next });
    expect(await server.core.accounts.findByUsername(old)).toBeUndefined();
  });

  test('a mailbox is sent so many links and no more, whoever asks', async () => {
    const address = freshAddress();
    for (let n = 0; n < 5; n += 1) {
      const person = await buildPerson(server);
      const tagged = n % 2 === 0 ? address : address.replace('@', `+${n}@`);
      expect(await server.core.emails.requestChange(person.subject, tagged, caller)).toEqual({ outcome: 'asked' });
    }
    await server.core.mails.settled();
    const sent = server.core.mailbox?.list().filter(({ to }) => to.replace(/\+\d@/, '@') === address);
    expect(sent).toHaveLength(3);
  });

  test('an account is mailed so many links and no more, whatever address it names', async () => {
    const person = await buildPerson(server);
    const addresses = [freshAddress(), freshAddress(), freshAddress(), freshAddress()];
    for (const address of addresses) await server.core.emails.requestChange(person.subject, address, caller);
    const sent = await Promise.all(addresses.map((address) => mailsTo(server, address)));
    expect(sent.flat()).toHaveLength(3);
  });

  test('a link for one thing is good for nothing else, and none is stored as it is', async () => {
    const person = await buildPerson(server);
    const link = await linkFor(person.subject, freshAddress());
    const token = new URL(link).searchParams.get('token') ?? '';
    for (const path of ['/reset', '/invite', '/setup']) {
      expect((await new Agent(server).go(`${path}?token=${token}`)).status).toBe(410);
    }
    expect(await server.core.stores.links.find(token)).toBeUndefined();
    expect((await new Agent(server).go(link)).status).toBe(200);
  });

  test.each(['', 'x', 'a'.repeat(5000), '%00', '../../', "' or 1=1"])(
    'a made-up token %j is just no good',
    async (token) => {
      for (const path of ['/verify-email', '/reset', '/invite']) {
        const page = await new Agent(server).go(`${path}?token=${encodeURIComponent(token)}`);
        expect(page.status).toBe(410);
      }
    },
  );

  test('a form without its token is refused, and the link is as good as before', async () => {
    const person = await buildPerson(server);
    const link = await linkFor(person.subject, freshAddress());
    expect((await new Agent(server).go(link, { form: { password } })).status).toBe(403);
    const agent = new Agent(server);
    const page = await agent.go(link);
    expect(headingOf(await send(agent, page, { password }))).toBe('Your address is confirmed');
  });
});
