/** A session in which something more has been proved, on the pages of the account. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { visit } from '../pages/account/visitor.ts';
import { type Agent, pkce } from '../support/agent.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('a session that is made surer', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());

  async function signedIn() {
    const { agent, person } = await visit(server);
    const [session] = await server.core.sessions.list(person.subject);
    const uid = session?.uid ?? '';
    const payload = async () => {
      const bundle = await server.core.stores.engine.readSessionByUid(uid);
      return bundle && JSON.parse(bundle.session.payload);
    };
    return { agent, person, uid, payload };
  }

  async function authorize(agent: Agent): Promise<string> {
    const { id } = await buildClient(server);
    const query = { response_type: 'code', client_id: id, scope: 'openid', code_challenge: pkce().challenge };
    const consent = await agent.go(
      `/oauth/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`,
    );
    expect(consent.text).toContain('value="allow"');
    await agent.submit(consent, { answer: 'allow' });
    return id;
  }

  test('keeps its time and its end, and says each word once', async () => {
    const { uid, payload } = await signedIn();
    const before = await payload();
    await server.core.sessions.strengthen(uid, ['otp', 'mfa']);
    await server.core.sessions.strengthen(uid, ['otp', 'mfa']);
    expect(await payload()).toEqual({ ...before, amr: ['pwd', 'otp', 'mfa'] });
  });

  test('loses nothing that its browser does at the same moment, nor undoes it', async () => {
    const { agent, uid, payload } = await signedIn();
    const [client] = await Promise.all([
      authorize(agent),
      ...(['otp', 'mfa', 'hwk', 'user'] as const).map((word) => server.core.sessions.strengthen(uid, [word])),
    ]);
    const { amr, authorizations } = await payload();
    expect([...amr].sort()).toEqual(['hwk', 'mfa', 'otp', 'pwd', 'user']);
    expect(Object.keys(authorizations)).toContain(client);
  });

  test('does not come back once it has ended', async () => {
    const { person, uid, payload } = await signedIn();
    await Promise.all([
      server.core.sessions.endAll(person.subject),
      server.core.sessions.strengthen(uid, ['otp', 'mfa']),
    ]);
    await server.core.sessions.strengthen(uid, ['otp', 'mfa']);
    expect(await payload()).toBeUndefined();
  });
});
