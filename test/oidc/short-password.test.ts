/**
 * A password that was long enough only together with a second factor does not sign in alone (NIST SP 800-63B-4,
 * 3.1.1.2).
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { open, send, withBoth, words } from '../pages/account/visitor.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { comeBack } from '../support/flow.ts';
import { headingOf, mailsTo } from '../support/mail.ts';
import { buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const short = 'wq7zplmk';
const long = 'two slow herons at noon';

describeStorages('a password of eight characters', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  async function shortBesideApp() {
    const person = await buildPerson(server);
    const app = await enrol(server.core.factors, person.subject);
    const set = await server.core.accounts.setPassword(person.subject, short, { endSessions: false });
    expect(set.outcome).toBe('changed');
    return { person, app };
  }

  async function signIn(agent: Agent, { username }: { username: string }, secret: string): Promise<Answer> {
    return agent.submit(await agent.go('/account'), { username, password: secret });
  }

  const login = ({ username }: { username: string }, secret: string) =>
    fetch(`${server.url}/v1/login`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` },
    });

  test('is enough beside the code, and once that is gone has to become a longer one first', async () => {
    const { person, app } = await shortBesideApp();
    const asked = await signIn(new Agent(server), person, short);
    expect(asked.text).toContain('name="code"');

    await server.core.factors.removeAll(person.subject, { via: 'cli' });
    const agent = new Agent(server);
    const page = await signIn(agent, person, short);
    expect(headingOf(page)).toBe('Choose a longer password');
    expect(page.text).toContain('data-least="15"');
    expect((await agent.go('/account')).url).toContain('/interaction/');
    const mistakes: [string, string][] = [
      ['', 'Fill in this field'],
      ['kf8wqzrt', '15'],
    ];
    for (const [typed, said] of mistakes) {
      const again = await agent.submit(page, { new_password: typed });
      expect([again.status, words(again)]).toEqual([422, expect.stringContaining(said)]);
    }
    const on = await agent.submit(page, { new_password: long });
    expect(on.location).toContain('/account/callback');
    expect((await agent.go('/account')).url).toBe(`${server.url}/account`);
    expect((await mailsTo(server, person.email ?? '')).map(({ kind }) => kind)).toContain('password-changed');
    expect([(await login(person, short)).status, (await login(person, long)).status]).toEqual([401, 200]);
    expect(app.recoveryCodes).toHaveLength(10);
  });

  test('does not sign in through an API, which says what to do; the change of it there goes through', async () => {
    const { person } = await shortBesideApp();
    await server.core.factors.removeAll(person.subject, { via: 'cli' });
    const refused = await login(person, short);
    expect([refused.status, refused.headers.get('x-otp')]).toEqual([401, null]);
    expect(await refused.text()).toContain('choose a longer one');
    const changed = await server.core.apiSessions.changePassword({
      ...{ username: person.username, password: short, newPassword: long, endSessions: false },
      ...{ address: '192.0.2.1', via: 'identity', requestId: 'r' },
    });
    expect(changed.outcome).toBe('changed');
    expect((await login(person, long)).status).toBe(200);
  });

  test('is asked to be longer before the last second factor is removed, and not before another one is', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    await open(agent, person, '/account');
    const [app, other] = [
      await enrol(server.core.factors, person.subject),
      await enrol(server.core.factors, person.subject),
    ];
    await withBoth(server, person);
    await server.core.accounts.setPassword(person.subject, short, { endSessions: false });
    const page = await agent.go('/account/factors');
    const remove = ({ factorId: factor }: { factorId: string }) =>
      send(agent, page, '/account/factors/remove', { factor });
    expect(words(await remove(other))).toContain('It is removed');
    const asked = await remove(app);
    expect([asked.url, asked.text]).toEqual([
      `${server.url}/account/password`,
      expect.stringContaining('data-least="15"'),
    ]);
    expect(words(asked)).toContain('long enough only together with a second factor');
    expect((await server.core.factors.list(person.subject)).factors).toHaveLength(1);
    await send(agent, asked, '/account/password', { current: short, password: long });
    expect(words(await remove(app))).toContain('It is removed');
    expect((await login(person, long)).status).toBe(200);
  });

  test('serves again beside a new second factor', async () => {
    const { person } = await shortBesideApp();
    await server.core.factors.removeAll(person.subject);
    await enrol(server.core.factors, person.subject);
    expect((await login(person, short)).headers.get('x-otp')).toContain('totp');
  });

  test('a long one stays what it was when the second factor goes', async () => {
    const person = await buildPerson(server);
    await enrol(server.core.factors, person.subject);
    await server.core.accounts.setPassword(person.subject, long, { endSessions: false });
    await server.core.factors.removeAll(person.subject);
    expect((await login(person, long)).status).toBe(200);
    expect((await login(await buildPerson(server), password)).status).toBe(200);
  });
});
