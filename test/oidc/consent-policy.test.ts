/** Consent `always`, `new` and `never` of a client, and what is remembered of a consent (clients.md, P10). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce } from '../support/agent.ts';
import { codeFor, redeem } from '../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://orders.example';

describeStorages('consent of a client', (storage) => {
  let server: TestServer;
  let other: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    await server.core.apis.add({
      identifier: api,
      name: 'Orders',
      scopes: [{ name: 'orders:read', sentence: 'Read your orders.' }],
    });
    other = await storage.join(server);
  });
  afterAll(() => server.close());

  type Built = Awaited<ReturnType<typeof buildClient>>;

  function open(agent: Agent, client: Pick<Built, 'id'>, more: Record<string, string> = {}): Promise<Answer> {
    const query = new URLSearchParams({
      ...{ client_id: client.id, response_type: 'code', scope: 'openid', state: 's' },
      ...{ code_challenge: pkce().challenge, code_challenge_method: 'S256' },
      ...more,
    });
    return agent.go(`/oauth/authorize?${query}`);
  }
  /** `code`, the error at the application, or the page that is shown. */
  function outcome({ location, text }: Answer): string {
    if (location === undefined) return text.includes('value="allow"') ? 'asked' : 'another page';
    const { searchParams } = new URL(location);
    return searchParams.get('error') ?? (searchParams.has('code') ? 'code' : 'neither');
  }
  const asked = async (...request: Parameters<typeof open>) => outcome(await open(...request));

  /** A person who is signed in, and has allowed nothing yet. */
  async function visitor(at: Pick<TestServer, 'url'> = server) {
    const person = await buildPerson(server);
    const agent = new Agent(at);
    await agent.authorize(person, { client_id: 'gatehouse-account', scope: 'openid', ...accountRequest(server) });
    return { agent, person };
  }
  const accountRequest = ({ core }: Pick<TestServer, 'core'>) => ({
    redirect_uri: `${core.config.issuer}/account/callback`,
    code_challenge: pkce().challenge,
    code_challenge_method: 'S256',
  });
  const events = async (type: 'consent.by_policy' | 'consent.granted', subject: string, clientId: string) =>
    (await server.core.stores.audit.list({ subject }, 100)).filter(
      (event) => event.event === type && event.clientId === clientId,
    );

  describe('never', () => {
    test('no one is asked; the consent is on record, the connected applications show it, and it works as any other', async () => {
      const client = await buildClient(server, { consent: 'never', client_name: 'Own shop' });
      const { agent, person } = await visitor();
      const { verifier, challenge } = pkce();
      const answer = await open(agent, client, {
        scope: 'openid orders:read offline_access',
        resource: api,
        code_challenge: challenge,
      });
      const grant = { code: codeOf(answer), code_verifier: verifier };
      const { status, body } = await redeem(server, client, grant, { resource: api });
      expect([status, body.scope]).toEqual([200, 'openid offline_access orders:read']);

      expect(await server.core.stores.consents.find(person.subject, client.id)).toMatchObject({
        scopes: expect.arrayContaining(['openid']),
        resources: { [api]: ['orders:read'] },
      });
      expect((await agent.go('/account/connections')).text).toContain('Own shop');
      expect(await events('consent.by_policy', person.subject, client.id)).toMatchObject([
        { detail: { resources: { [api]: ['orders:read'] } } },
      ]);
      expect(await events('consent.granted', person.subject, client.id)).toEqual([]);

      // Nothing is new: nothing is written. Something is: it is given, too, and on another node.
      expect(await asked(agent, client, { prompt: 'none' })).toBe('code');
      expect(await events('consent.by_policy', person.subject, client.id)).toHaveLength(1);
      expect(await asked(agent, client, { scope: 'openid email', prompt: 'none' })).toBe('code');
      expect(await events('consent.by_policy', person.subject, client.id)).toHaveLength(2);
    });

    test('on another node too, and for a person who signs in on the way', async () => {
      const client = await buildClient(server, { consent: 'never' });
      const { agent } = await visitor();
      const there = new Agent(other);
      for (const [name, cookie] of agent.cookies) there.cookies.set(name, cookie);
      expect(await asked(there, client)).toBe('code');
      const person = await buildPerson(server);
      const stranger = new Agent(server);
      const answer = await stranger.submit(await open(stranger, client), { username: person.username, password });
      expect(outcome(answer)).toBe('code');
    });

    test('prompt=consent asks all the same, and a no is a no', async () => {
      const client = await buildClient(server, { consent: 'never' });
      const { agent, person } = await visitor();
      const page = await open(agent, client, { prompt: 'consent' });
      expect(outcome(page)).toBe('asked');
      expect(outcome(await agent.submit(page, { answer: 'deny' }))).toBe('access_denied');
      expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
    });

    test('claims of a scope that it is not registered for are asked about', async () => {
      const client = await buildClient(server, { consent: 'never', scope: 'openid email' });
      const { agent, person } = await visitor();
      const claims = (name: string) => ({ claims: JSON.stringify({ userinfo: { [name]: null } }) });
      for (const name of ['name', 'phone_number', 'groups'])
        expect(await asked(agent, client, claims(name))).toBe('asked');
      expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
      expect(await asked(agent, client, claims('email'))).toBe('code');
      const open = await buildClient(server, { consent: 'never' });
      expect(await asked(agent, open, claims('name'))).toBe('code');
    });

    test('nothing is given before the person is sure: prompt=login asks for the password first', async () => {
      const client = await buildClient(server, { consent: 'never' });
      const { agent, person } = await visitor();
      expect(await asked(agent, client, { prompt: 'login' })).toBe('another page');
      expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
    });

    test('a public client is asked at a loopback or private-use address, and not at an https address of its own', async () => {
      const redirect_uris = ['http://127.0.0.1/cb', 'com.example.app:/cb'];
      const native = await buildClient(server, {
        ...{ consent: 'never', token_endpoint_auth_method: 'none', application_type: 'native', redirect_uris },
      });
      const { agent } = await visitor();
      for (const redirect_uri of redirect_uris) {
        const page = await open(agent, native, { redirect_uri });
        expect([redirect_uri, outcome(page)]).toEqual([redirect_uri, 'asked']);
        expect(await asked(agent, native, { redirect_uri, prompt: 'none' })).toBe('interaction_required');
      }
      const web = await buildClient(server, { consent: 'never', token_endpoint_auth_method: 'none' });
      expect(await asked(agent, web)).toBe('code');
    });

    test('a person who takes it back ends the tokens; the next visit is given anew', async () => {
      const client = await buildClient(server, { consent: 'never' });
      const { agent, person } = await visitor();
      expect(await asked(agent, client)).toBe('code');
      await server.core.stores.engine.revokeGrantsOf(person.subject, client.id);
      expect(await asked(agent, client)).toBe('code');
    });

    test('two first visits at once both get a code', async () => {
      const client = await buildClient(server, { consent: 'never' });
      const { agent } = await visitor();
      const answers = await Promise.all([open(agent, client), open(agent, client, { scope: 'openid email' })]);
      expect(answers.map(outcome)).toEqual(['code', 'code']);
    });
  });

  describe('never is for reviewed clients', () => {
    const metadata = { client_name: 'Theirs', redirect_uris: ['https://app.example.com/cb'], consent: 'never' };

    test('an unreviewed one is refused it at registration and at each change, also by an operator', async () => {
      const { clients } = server.app;
      const owner = (await buildPerson(server)).subject;
      const refused = { outcome: 'invalid', description: expect.stringContaining('reviewed') };
      expect(await clients.register(metadata, { origin: 'person', owner })).toMatchObject(refused);
      const { id } = await buildClient(server, {}, 'person');
      for (const by of ['admin', 'cli', 'register', 'person'] as const)
        expect([by, await clients.update(id, metadata, by)]).toEqual([by, expect.objectContaining(refused)]);
      await clients.review(id);
      expect(await clients.update(id, metadata, 'cli')).toMatchObject({ outcome: 'updated' });
    });

    test('once its review is taken back it counts no more, and a new review does not bring it back', async () => {
      const client = await buildClient(server, { consent: 'never' });
      const [first, second] = [await visitor(), await visitor()];
      expect(await asked(first.agent, client)).toBe('code');
      await server.app.clients.unreview(client.id);
      expect(await asked(second.agent, client)).toBe('asked');
      await server.app.clients.review(client.id);
      expect(await asked(second.agent, client)).toBe('asked');
      expect((await server.app.clients.find(client.id))?.metadata.consent).toBe('new');
    });

    test('only an operator says it: a person’s wish is passed over, and what an operator said outlasts a person’s change', async () => {
      const { clients } = server.app;
      const { id } = await buildClient(server, { consent: 'always' }, 'person');
      expect((await clients.find(id))?.metadata.consent).toBe('new');
      const consentAfter = async (...change: Parameters<typeof clients.update>) => {
        const changed = await clients.update(...change);
        return changed.outcome === 'updated' ? changed.client.metadata.consent : changed;
      };
      const plain = { redirect_uris: ['https://app.example.com/cb'] };
      expect(await consentAfter(id, { ...plain, consent: 'always' }, 'cli')).toBe('always');
      expect(await consentAfter(id, { ...plain, consent: 'new' }, 'person')).toBe('always');
      expect(await consentAfter(id, plain, 'cli')).toBe('new');
      expect((await buildClient(server, { consent: 'never' }, 'register')).record.metadata.consent).toBe('never');
    });
  });

  test('always: asked at each authorization, and the page says why; prompt=none is consent_required', async () => {
    const client = await buildClient(server, { consent: 'always' });
    const { agent } = await codeFor(server, client);
    const page = await open(agent, client);
    expect(outcome(page)).toBe('asked');
    expect(page.text).toContain('operator requires it');
    expect(await asked(agent, client, { prompt: 'none' })).toBe('consent_required');
    expect(outcome(await agent.submit(page, { answer: 'allow' }))).toBe('code');
  });

  describe('what is remembered', () => {
    const remembered: [string, Record<string, unknown>, 'admin' | 'register' | 'person', 'code' | 'asked'][] = [
      [
        'P10: reviewed, with a secret, on http loopback',
        { redirect_uris: ['http://localhost:8080/cb'] },
        'admin',
        'code',
      ],
      [
        'P10: of POST /clients/register, on http loopback',
        { redirect_uris: ['http://127.0.0.1:1/cb'] },
        'register',
        'code',
      ],
      [
        'reviewed, with a secret, at a private-use scheme',
        { redirect_uris: ['com.example.app:/cb'], application_type: 'native' },
        'admin',
        'code',
      ],
      ['reviewed, with a secret, on https loopback', { redirect_uris: ['https://localhost:8443/cb'] }, 'admin', 'code'],
      ['public, at an https address', { token_endpoint_auth_method: 'none' }, 'admin', 'code'],
      [
        'public, on https loopback',
        { token_endpoint_auth_method: 'none', redirect_uris: ['https://localhost:8443/cb'] },
        'admin',
        'asked',
      ],
      [
        'public, on http loopback',
        { token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/cb'], application_type: 'native' },
        'admin',
        'asked',
      ],
      [
        'public, at a private-use scheme',
        { token_endpoint_auth_method: 'none', redirect_uris: ['com.example.app:/cb'] },
        'admin',
        'asked',
      ],
      ['unreviewed, at an https address', {}, 'person', 'code'],
      ['unreviewed, with a secret, on http loopback', { redirect_uris: ['http://127.0.0.1:1/cb'] }, 'person', 'asked'],
    ];
    test.each(remembered)('%s', async (_name, metadata, origin, expected) => {
      const client = await buildClient(server, metadata, origin);
      const { agent } = await codeFor(server, client);
      const page = await open(agent, client);
      expect(outcome(page)).toBe(expected);
      expect(page.text.includes('We ask each time, because another program')).toBe(expected === 'asked');
      const silent = { code: 'code', asked: 'interaction_required' }[expected];
      expect(await asked(agent, client, { prompt: 'none' })).toBe(silent);
    });

    test('it is this request’s address that decides, where a client has several', async () => {
      const client = await buildClient(server, {
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        redirect_uris: ['https://app.example.com/cb', 'http://127.0.0.1/cb'],
      });
      const { agent } = await codeFor(server, client, { extra: { redirect_uri: 'http://127.0.0.1/cb' } });
      expect(await asked(agent, client, { redirect_uri: 'https://app.example.com/cb' })).toBe('code');
      expect(await asked(agent, client, { redirect_uri: 'http://127.0.0.1:49152/cb' })).toBe('asked');
    });

    test('what is new is asked for, and a client of an earlier version has the policy it had', async () => {
      const client = await buildClient(server);
      const stored = await server.core.stores.clients.find(client.id);
      if (!stored) throw new Error('the client is gone');
      const { consent: _none, ...metadata } = stored.metadata;
      await server.core.stores.clients.update({ ...stored, metadata, version: stored.version + 1 });
      const { agent } = await codeFor(server, client);
      expect(await asked(agent, client)).toBe('code');
      expect(await asked(agent, client, { scope: 'openid email' })).toBe('asked');
    });
  });
});
