/**
 * B8: a stranger who guesses without end keeps no person out who has proved in this browser, or by a link, who they
 * are.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { open, send, visit, words } from '../pages/account/visitor.ts';
import { Agent } from '../support/agent.ts';
import { comeBack } from '../support/flow.ts';
import { fill, resetLinkFor } from '../support/mail.ts';
import { buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const limit = 4;
const addressLimit = 12;
const another = 'eleven quiet foxes by the pond';

describeStorages('an account whose password a stranger guesses at', (storage) => {
  let server: TestServer;
  let person: Awaited<ReturnType<typeof buildPerson>>;
  beforeAll(async () => {
    server = await storage.start({
      THROTTLE_ACCOUNT_LIMIT: String(limit),
      THROTTLE_ADDRESS_LIMIT: String(addressLimit),
      MAIL_ADDRESS_LIMIT: '1000',
    });
  });
  beforeEach(async () => {
    person = await buildPerson(server);
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const guess = (username: string, address: string) =>
    server.core.signIn.signIn({
      ...{ username, password: 'not the right one by far', address, via: 'browser', requestId: 'r' },
    });
  /** From everywhere, until no one is let in any more. */
  async function attack(): Promise<void> {
    const guesses = Array.from({ length: limit + 2 }, (_, n) => guess(person.username, `203.0.113.${n}`));
    expect((await Promise.all(guesses)).map(({ outcome }) => outcome)).toContain('throttled');
  }
  async function signIn(agent: Agent, secret = password, keep = false): Promise<number> {
    agent.cookies.delete('gatehouse/');
    const page = await agent.go('/account', { follow: true });
    const fields = { username: person.username, password: secret, ...(keep && { keep: 'yes' }) };
    return (await agent.submit(page, fields)).status;
  }

  test('is signed in to after a reset by the person who did it, in that browser, while the attack goes on', async () => {
    const desk = new Agent(server);
    await signIn(desk, password, true);
    await attack();
    const phone = new Agent(server);
    expect(await signIn(phone)).toBe(429);
    const link = await resetLinkFor(server, person.username, person.email ?? '');
    await fill(phone, link ?? '', { password: another });
    // The guesses were at a password that is no more: they keep no one out, wherever.
    expect(await signIn(desk, another)).toBeLessThan(400);
    await attack();
    expect(await signIn(phone, another)).toBeLessThan(400);
    expect(await signIn(new Agent(server), another)).toBe(429);
  });

  test('is signed in to after an admin’s link as well', async () => {
    await attack();
    const account = await server.core.accounts.findBySubject(person.subject);
    if (!account) throw new Error('there is no account');
    const { path } = await server.core.passwordReset.makeLink(account, { via: 'cli' });
    const agent = new Agent(server);
    await fill(agent, path, { password: another });
    await attack();
    expect(await signIn(agent, another)).toBeLessThan(400);
  });

  test('is signed in to where its person signed in before, also with the box not ticked; the name is not shown there', async () => {
    const { agent } = await visit(server, '/account', person);
    agent.cookies.delete('gatehouse/');
    await attack();
    const page = await agent.go('/account');
    expect(page.text).not.toContain(person.username);
    expect(page.text).not.toMatch(/\/accounts"/);
    expect(await signIn(agent)).toBeLessThan(400);
    expect(await signIn(new Agent(server))).toBe(429);
  });

  test('has its password changed by the person who is signed in; their own guesses are bounded, and counted apart', async () => {
    const { agent, page } = await visit(server, '/account/password', person);
    // The session alone is what counts.
    agent.cookies.delete('gatehouse-device/');
    await attack();
    for (let n = 0; n < limit - 1; n += 1)
      expect((await send(agent, page, '/account/password', { current: `no ${n}`, password: another })).status).toBe(
        422,
      );
    const done = await send(agent, page, '/account/password', { current: password, password: another });
    expect(words(done)).toContain('Your password is set');
    const others = await open(new Agent(server), person, '/account/password');
    expect(others.url).not.toContain('/account/password');
    const wrong = () => send(agent, page, '/account/password', { current: 'no', password: another });
    const statuses = await Promise.all(Array.from({ length: 20 }, wrong));
    expect(statuses.filter(({ status }) => status === 422)).toHaveLength(1);
    expect((await send(agent, page, '/account/password', { current: another, password })).status).toBe(429);
  });

  test('is signed in to by a known browser, whatever else comes from its address', async () => {
    const agent = new Agent(server);
    await signIn(agent, password, true);
    const from = (browser?: string) =>
      server.core.signIn.signIn({
        ...{ username: person.username, password, address: '198.51.100.1', browser, via: 'browser', requestId: 'r' },
      });
    const browser = agent.cookies.get('gatehouse-device/')?.value;
    for (let n = 0; n < addressLimit; n += 1) await guess(`nobody-${n}`, '198.51.100.1');
    expect((await from()).outcome).toBe('throttled');
    expect((await from(browser)).outcome).toBe('signed-in');
  });

  test('is not served by a copy of the browser’s value from before it was signed in to there', async () => {
    const first = await buildPerson(server);
    const shared = new Agent(server);
    await shared.submit(await shared.go('/account'), { username: first.username, password, keep: 'yes' });
    const copy = shared.cookies.get('gatehouse-device/');
    if (!copy) throw new Error('the browser is not known');
    await signIn(shared, password, true);
    const thief = new Agent(server);
    thief.cookies.set('gatehouse-device/', copy);
    expect((await thief.go('/account')).text).not.toContain(person.username);
    await attack();
    expect(await signIn(thief)).toBe(429);
    expect(await signIn(shared)).toBeLessThan(400);
    // And both are still offered where they were remembered.
    const known = await server.core.knownBrowsers.accounts(shared.cookies.get('gatehouse-device/')?.value);
    expect(known.map(({ account }) => account.subject).sort()).toEqual([first.subject, person.subject].sort());
  });
});
