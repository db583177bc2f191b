/**
 * B13, B14: a sign-in under way when the password is changed, or the account disabled. The one who does that has ended
 * the sessions that there were; one that was proved by the old password must not begin after it, however close the two
 * come.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf } from '../support/agent.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const another = 'nine pears on a windowsill';

describeStorages('a password that is changed while a person signs in with it', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start();
    client = await buildClient(server, {}, 'register');
  });
  afterAll(() => server.close());

  const parameters = () => ({ response_type: 'code', client_id: client.id, scope: 'openid' });
  const address = (more: Record<string, string> = {}) =>
    `/oauth/authorize?${new URLSearchParams({ ...parameters(), ...more })}`;

  /** The password has been looked at, and the browser is sent on: the address that makes a session of it. */
  async function proved(agent: Agent, username: string): Promise<string> {
    const page = await agent.go(address());
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const answer = await agent.go(page.url, { form: { csrf, username, password }, follow: false });
    expect(answer.location).toContain('/oauth/authorize/');
    return answer.location ?? '';
  }

  const change = (subject: string, to = another) =>
    server.core.accounts.setPassword(subject, to, { endSessions: true });
  const sessionsOf = (subject: string) => server.core.sessions.list(subject);
  const isSignIn = ({ status, text }: Answer) => status === 200 && text.includes('name="password"');

  async function isSignedOut(agent: Agent): Promise<boolean> {
    const { location = '' } = await agent.go(address({ prompt: 'none' }));
    return new URL(location).searchParams.get('error') === 'login_required';
  }

  test('changed before the session is made: the sign-in page again, and the new password goes on from there', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const resume = await proved(agent, person.username);
    await change(person.subject);

    const page = await agent.go(resume);
    expect(isSignIn(page)).toBe(true);
    expect(await sessionsOf(person.subject)).toEqual([]);
    expect(await isSignedOut(agent)).toBe(true);

    const consent = await agent.submit(page, { username: person.username, password: another });
    expect(codeOf(await agent.submit(consent, { answer: 'allow' }))).toBeTruthy();
  });

  test('the account disabled, or deleted, before the session is made: no session', async () => {
    for (const end of ['disable', 'remove'] as const) {
      const person = await buildPerson(server);
      const agent = new Agent(server);
      const resume = await proved(agent, person.username);
      await server.core.accounts[end](person.subject);
      expect(isSignIn(await agent.go(resume))).toBe(true);
      expect(await sessionsOf(person.subject)).toEqual([]);
    }
  });

  test('changed at the very moment of the commit: what was written is ended again, and said so', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const resume = await proved(agent, person.username);
    const { engine } = server.core.stores;
    const { commit } = engine;
    let changes = 0;
    engine.commit = async (unit) => {
      if (unit.sessions?.some(({ subject }) => subject === person.subject) && changes++ === 0)
        await change(person.subject);
      return commit(unit);
    };
    try {
      expect(isSignIn(await agent.go(resume))).toBe(true);
    } finally {
      engine.commit = commit;
    }
    expect(changes).toBe(1);
    expect(await sessionsOf(person.subject)).toEqual([]);
    expect(await isSignedOut(agent)).toBe(true);
    // Notes are written a moment later: a record comes after those that were noted before it.
    await server.core.audit.record('sign_out', { subject: person.subject });
    const ended = await server.core.stores.audit.list({ subject: person.subject, event: 'session.ended' }, 5);
    expect(ended).toMatchObject([{ detail: { via: 'browser', password_changed: true } }]);
  });

  test('30 times at once, in whatever order it comes: no session is left that the old password began', async () => {
    const people = await Promise.all(Array.from({ length: 30 }, () => buildPerson(server)));
    for (const person of people) {
      const agent = new Agent(server);
      const resume = await proved(agent, person.username);
      await Promise.all([agent.go(resume), change(person.subject)]);
      expect(await sessionsOf(person.subject)).toEqual([]);
    }
  });

  test('a session that was kept when its person changed the password goes on through the pages that are left', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const consent = await agent.go(await proved(agent, person.username));
    expect(consent.text).toContain('value="allow"');
    const [session] = await sessionsOf(person.subject);
    const keepSession = session?.uid ?? '';
    await server.core.accounts.setPassword(person.subject, another, { endSessions: true, keepSession });
    expect(codeOf(await agent.submit(consent, { answer: 'allow' }))).toBeTruthy();
    expect(await sessionsOf(person.subject)).toHaveLength(1);
  });

  test('proved once more with the old password: the session that stands is left as it was', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    await agent.authorize(person, parameters());
    const [before] = await sessionsOf(person.subject);
    const page = await agent.go(address({ prompt: 'login' }));
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const form = { csrf, username: person.username, password };
    const { location = '' } = await agent.go(page.url, { form, follow: false });
    await server.core.accounts.setPassword(person.subject, another, {
      endSessions: true,
      keepSession: before?.uid ?? '',
    });
    expect(isSignIn(await agent.go(location))).toBe(true);
    expect(await isSignedOut(agent)).toBe(false);
    expect((await sessionsOf(person.subject)).map(({ uid }) => uid)).toEqual([before?.uid]);
  });
});
