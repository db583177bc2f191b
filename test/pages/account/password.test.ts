/** A new password on the account page (security.md B9, B13). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { comeBack, refresh, tokensFor } from '../../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { open, send, visit, words } from './visitor.ts';

const next = 'nine owls in the attic';

describeStorages('a new password', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ACCOUNT_LIMIT: '5' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const signsIn = async (username: string, typed: string, on = server) => {
    const caller = { address: '192.0.2.7', via: 'browser', requestId: 'r' };
    return (await on.core.signIn.signIn({ username, password: typed, ...caller })).outcome;
  };

  test('ends every other session and every token, keeps this browser, and is the password on every node', async () => {
    const person = await buildPerson(server);
    const client = await buildClient(server);
    const elsewhere = await tokensFor(server, client, {
      person,
      scope: 'openid offline_access',
      extra: { prompt: 'consent' },
    });
    const { agent, page } = await visit(server, '/account/password', person);
    const program = await server.core.apiSessions.login('tinyoauth', {
      ...{ username: person.username, password, address: '192.0.2.7', via: 'tinyoauth', requestId: 'r' },
    });
    if (program.outcome !== 'signed-in') throw new Error(program.outcome);
    const other = await storage.join(server);

    const done = await send(agent, page, '/account/password', { current: password, password: next });
    expect([done.url, words(done)]).toEqual([
      `${server.url}/account/password`,
      expect.stringContaining('Your password is set'),
    ]);
    expect((await agent.go('/account', { follow: false })).status).toBe(200);
    expect((await elsewhere.agent.go('/account', { follow: false })).status).toBe(303);
    expect((await refresh(server, client, elsewhere.body.refresh_token)).body.error).toBe('invalid_grant');
    expect(await server.core.apiSessions.verify('tinyoauth', program.token.token)).toMatchObject({ reason: 'ended' });
    for (const node of [server, other]) {
      expect(await signsIn(person.username, password, node)).toBe('refused');
      expect(await signsIn(person.username, next, node)).toBe('signed-in');
    }
  });

  test('a new password that another has overtaken is not set: the owner’s reset wins over whoever knew the old one', async () => {
    const { agent, person, page } = await visit(server, '/account/password');
    const { signIn, accounts } = server.core;
    const { provePassword } = signIn;
    signIn.provePassword = async (request) => {
      const proved = await provePassword(request);
      await accounts.setPassword(person.subject, next, { endSessions: true });
      return proved;
    };
    const thiefs = 'seven crows in the chimney';
    try {
      const late = await send(agent, page, '/account/password', { current: password, password: thiefs });
      expect([late.status, words(late)]).toEqual([422, expect.not.stringContaining('Your password is set')]);
    } finally {
      signIn.provePassword = provePassword;
    }
    expect(await signsIn(person.username, thiefs)).toBe('refused');
    expect(await signsIn(person.username, next)).toBe('signed-in');
  });

  test.each([
    ['too short', 'short', 'Too short: use at least 15'],
    ['common', 'passwordpassword', 'Too common'],
    ['empty', '', 'Fill in this field'],
    ['beyond all bounds', 'x'.repeat(5000), 'Too long'],
  ])('%s: refused with the reason, in place, and nothing has changed', async (_, typed, reason) => {
    const { agent, person, page } = await visit(server, '/account/password');
    const wrong = await send(agent, page, '/account/password', { current: password, password: typed });
    expect([wrong.status, words(wrong)]).toEqual([422, expect.stringContaining(reason)]);
    expect(wrong.text).not.toContain(password);
    expect(await signsIn(person.username, password)).toBe('signed-in');
  });

  test('like one’s own name: refused', async () => {
    const person = await buildPerson(server, { username: `zebrastripes${Date.now()}` });
    const { agent, page } = await visit(server, '/account/password', person);
    const wrong = await send(agent, page, '/account/password', { current: password, password: `${person.username}1` });
    expect([wrong.status, words(wrong)]).toEqual([422, expect.stringContaining('Too similar to your name')]);
  });

  test.each(['Bartholomew 123', 'featherstonehaugh', 'Featherstonehaugh 24'])(
    'like one’s own first or last name: %s is refused',
    async (typed) => {
      const person = await buildPerson(server);
      const { accounts } = server.core;
      const names = { firstName: 'Bartholomew', lastName: 'Featherstonehaugh', locale: null };
      await accounts.setProfile(person.subject, names, { address: '192.0.2.7', requestId: 'r', via: 'account' });
      const { agent, page } = await visit(server, '/account/password', person);
      const wrong = await send(agent, page, '/account/password', { current: password, password: typed });
      expect([wrong.status, words(wrong)]).toEqual([422, expect.stringContaining('Too similar to your name')]);
    },
  );

  test('needs the current one, and guesses at it are counted, for this session: a stranger’s are others', async () => {
    const { agent, person, page } = await visit(server, '/account/password');
    const missing = await send(agent, page, '/account/password', { password: next });
    expect([missing.status, words(missing)]).toEqual([422, expect.stringContaining('Fill in this field')]);
    for (let guess = 0; guess < 5; guess += 1) {
      const wrong = await send(agent, page, '/account/password', { current: `guess ${guess}`, password: next });
      expect([wrong.status, words(wrong)]).toEqual([422, expect.stringContaining('Incorrect password')]);
    }
    const throttled = await send(agent, page, '/account/password', { current: password, password: next });
    expect([throttled.status, words(throttled)]).toEqual([429, expect.stringContaining('Too many attempts')]);
    expect(Number(throttled.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await signsIn(person.username, password)).toBe('signed-in');
  });

  test('with a second factor: after a sign-in with both, and eight characters will do', async () => {
    const person = await buildPerson(server);
    const app = await enrol(server.core.factors, person.subject);
    const agent = new Agent(server);
    const page = await open(agent, person, '/account/password', app.fresh);
    expect(page.url).toBe(`${server.url}/account/password`);
    expect(words(page)).toContain('At least 8 characters');
    const wrong = await send(agent, page, '/account/password', { current: 'wrong', password: 'gx7!kw2p' });
    expect(wrong.status).toBe(422);
    const done = await send(agent, page, '/account/password', { current: password, password: 'gx7!kw2p' });
    expect(words(done)).toContain('Your password is set');
    expect(await signsIn(person.username, 'gx7!kw2p')).toBe('second-factor');
  });

  test('sent twice at once: once it is set, the other finds that it is, and nobody is locked out', async () => {
    const { agent, person, page } = await visit(server, '/account/password');
    const form = { current: password, password: next };
    const both = await Promise.all([1, 2].map(() => send(agent, page, '/account/password', form)));
    expect(both.map(({ status }) => status)).toContain(200);
    expect(await signsIn(person.username, next)).toBe('signed-in');
    expect((await agent.go('/account', { follow: false })).status).toBe(200);
  });
});
