/**
 * The password asked for once more from a person who is not signing in: no code is sent or used up, no sign-in is on
 * record.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { open, send as sendHere, visit } from '../../pages/account/visitor.ts';
import { Agent } from '../../support/agent.ts';
import { call, posting } from '../../support/call.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { fill, headingOf, linkIn, mailsTo, mailTo } from '../../support/mail.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const next = 'nine owls in the attic';
const caller = { address: '192.0.2.7', via: 'identity', requestId: 'r' };

describeStorages('a password that is only proved', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', THROTTLE_ACCOUNT_LIMIT: '5' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  type Person = Awaited<ReturnType<typeof buildPerson>>;
  const signIn = (username: string, typed: string, otp?: string) =>
    server.core.signIn.signIn({ ...caller, username, password: typed, otp });
  const codesFor = async ({ email }: Person) =>
    (await mailsTo(server, email ?? '')).filter(({ kind }) => kind === 'sign-in-code');
  const codeIn = (mail: { text: string } | undefined) => /\d{4} \d{4}/.exec(mail?.text ?? '')?.[0] ?? '';
  const trail = async (subject: string) => {
    // Notes are written a moment later: a record comes after those that were noted before it.
    await server.core.audit.record('sign_out', { subject: 'nobody' });
    return (await server.core.stores.audit.list({ subject }, 50)).map(({ event }) => event);
  };

  /** Has a code in the mailbox that would still sign in, and could be sent another. */
  async function withCodeOut(person: Person): Promise<string> {
    expect(await signIn(person.username, password)).toMatchObject({ mailed: { outcome: 'sent' } });
    const [mail] = await codesFor(person);
    travel(122);
    return codeIn(mail);
  }

  test('for a new password on the account page: no code is mailed, and the one that is out is still good', async () => {
    const person = await buildPerson(server);
    expect((await server.core.factors.switchOn('email-code', person.subject)).outcome).toBe('added');
    const agent = new Agent(server);
    const second = await open(agent, person, '/account/password');
    const back = await agent.submit(second, { email_code: codeIn((await codesFor(person))[0]) });
    const page = await agent.go(back.location ?? '');
    expect(page.url).toBe(`${server.url}/account/password`);
    travel(61);
    const code = await withCodeOut(person);
    const done = await sendHere(agent, page, '/account/password', { current: password, password: next });
    expect(done.text).toContain('Your password is set');
    expect(await codesFor(person)).toHaveLength(2);
    expect((await signIn(person.username, next, code)).outcome).toBe('signed-in');
  });

  test('for the proof of an address: no code is mailed, and the one that is out is still good', async () => {
    const person = await buildPerson(server);
    const address = `other-${person.username}@example.net`;
    const caller = { via: 'browser', address: '192.0.2.1', requestId: 'r', locale: 'en' };
    await server.core.emails.requestChange(person.subject, address, caller);
    const link = linkIn(await mailTo(server, address, 'confirm-email'));
    expect((await server.core.factors.switchOn('email-code', person.subject)).outcome).toBe('added');
    const code = await withCodeOut(person);
    const wrong = await fill(new Agent(server), link, { password: 'not the password at all' });
    expect(wrong.status).toBe(422);
    const { verified, email } = (await server.core.accounts.findBySubject(person.subject)) ?? {};
    expect([verified, email]).toEqual([true, person.email]);
    expect((await signIn(person.username, password, code)).outcome).toBe('signed-in');
    expect(headingOf(await fill(new Agent(server), link, { password }))).toBe('Your address is confirmed');
    expect(await codesFor(person)).toHaveLength(1);
  });

  test('it is no sign-in on record; a wrong one is a failure on record, and counts', async () => {
    const { agent, person, page } = await visit(server, '/account/password');
    const before = (await trail(person.subject)).filter((event) => event === 'sign_in.succeeded').length;
    await sendHere(agent, page, '/account/password', { current: password, password: next });
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await server.core.signIn.provePassword({ ...caller, username: person.username, password })).outcome).toBe(
        'refused',
      );
    }
    const late = { ...caller, username: person.username, password: next };
    expect((await server.core.signIn.provePassword(late)).outcome).toBe('throttled');
    const events = await trail(person.subject);
    expect(events.filter((event) => event === 'sign_in.succeeded')).toHaveLength(before);
    expect(events.filter((event) => event === 'sign_in.failed')).toHaveLength(5);
    expect(events).toContain('account.password_changed');
  });

  test('no one guesses on behind right answers: proving it half of the way forgives nothing', async () => {
    const person = await buildPerson(server);
    const prove = async (typed: string) =>
      (await server.core.signIn.provePassword({ ...caller, username: person.username, password: typed })).outcome;
    for (let guess = 0; guess < 4; guess += 1) expect(await prove(`guess ${guess}`)).toBe('refused');
    expect(await prove(password)).toBe('right');
    expect(await prove('guess 4')).toBe('refused');
    expect(await prove(password)).toBe('throttled');
    expect((await signIn(person.username, password)).outcome).toBe('throttled');
  });

  test('a disabled account proves nothing', async () => {
    const person = await buildPerson(server);
    await server.core.accounts.disable(person.subject);
    const request = { ...caller, username: person.username, password };
    expect(await server.core.signIn.provePassword(request)).toEqual({ outcome: 'refused', reason: 'disabled' });
  });

  test('a new password over the identity API is on record as that, and as no sign-in', async () => {
    const person = await buildPerson(server);
    const basic = `Basic ${Buffer.from(`${person.username}:${password}`).toString('base64')}`;
    const body = { new_password: next };
    const changed = await call(server, posting('/v1/password/change', body, ['Authorization', basic]));
    expect(changed.status).toBe(200);
    const events = await trail(person.subject);
    expect(events).toContain('account.password_changed');
    expect(events).not.toContain('sign_in.succeeded');
    expect((await signIn(person.username, next)).outcome).toBe('signed-in');
  });
});
