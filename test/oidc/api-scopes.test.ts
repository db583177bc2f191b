/**
 * Scopes of APIs as a person, a client and a resource server meet them: default, optional, held, and what the tokens
 * look like.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Agent, type Answer, codeOf, pkce, token } from '../support/agent.ts';
import { ask, claimsOf, headerOf, recorded, redeem, refresh, type TestClient, tokensFor } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://orders.example';
const callback = 'https://app.example.com/cb';
const box = (scope: string) => `optional ${scope} ${api}`;

describeStorages('scopes of APIs', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    const scopes = [
      { name: 'orders:read', sentence: 'See your orders.', default: true },
      { name: 'orders:list', sentence: 'List your orders.', default: true },
      { name: 'orders:write', sentence: 'Change your orders.', optional: true },
      { name: 'orders:all', sentence: 'See the orders of all.', held: true, default: true, bearer: true },
      { name: 'orders:look', sentence: 'Look at an order.', bearer: true },
    ];
    expect((await server.core.apis.add({ identifier: api, name: 'Orders', scopes })).outcome).toBe('saved');
    const opaque = { identifier: 'https://opaque.example', name: 'Opaque', tokenFormat: 'opaque' };
    await server.core.apis.add({ ...opaque, scopes: [{ name: 'peek', sentence: 'Peek.', default: true }] });
    await server.core.apis.add({
      ...{ identifier: 'https://spring.example', name: 'Spring', tokenTyp: 'JWT', signingAlg: 'RS256' },
      scopes: [{ name: 'boot', sentence: 'Boot.', default: true }],
    });
    await server.core.apis.add({
      ...{ identifier: 'https://bare.example', name: 'Bare' },
      scopes: [{ name: 'bare', sentence: 'Bare.', optional: true }],
    });
  });
  afterAll(() => server.close());

  const { verifier, challenge } = pkce();
  /** To the first page, or to the application. */
  const begin = (agent: Agent, client: TestClient, parameters: Record<string, string>): Promise<Answer> =>
    agent.go(
      `/oauth/authorize?${new URLSearchParams({
        ...{ response_type: 'code', client_id: client.id, redirect_uri: callback, state: 'xyz' },
        ...{ code_challenge: challenge, code_challenge_method: 'S256' },
        ...parameters,
      })}`,
    );
  const errorOf = ({ location = '' }: Answer) => {
    const { searchParams } = new URL(location);
    return [searchParams.get('error'), searchParams.get('error_description')];
  };
  async function signIn(agent: Agent, page: Answer, username: string): Promise<Answer> {
    return page.text.includes('name="password"') ? agent.submit(page, { username, password }) : page;
  }
  const exchange = async (client: TestClient, answer: Answer, more: Record<string, string> = {}) =>
    (
      await redeem(
        server,
        client,
        { code: codeOf(answer), code_verifier: verifier },
        { redirect_uri: callback, ...more },
      )
    ).body;

  describe('P1: an API without scope', () => {
    test('P1: gets the default scopes, and the consent page shows them', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const page = await signIn(agent, await begin(agent, client, { resource: api }), person.username);
      expect(page.text).toContain('See your orders.');
      expect(page.text).toContain('List your orders.');
      expect(page.text).not.toContain('Change your orders.');
      expect(page.text).not.toContain('See the orders of all.');
      const body = await exchange(client, await agent.submit(page, { answer: 'allow' }));
      expect(body.scope).toBe('orders:read orders:list');
      expect(claimsOf(body.access_token)).toMatchObject({ aud: api, scope: 'orders:read orders:list' });
    });

    test('P1: where the API has none it is invalid_scope at once, before a person signs in', async () => {
      const answer = await begin(new Agent(server), await buildClient(server), { resource: 'https://bare.example' });
      expect(errorOf(answer)).toEqual(['invalid_scope', 'the API has no default scopes: scope must be sent']);
    });

    test('P1: a client has only those it is registered for', async () => {
      const client = await buildClient(server, { scope: 'openid orders:read' });
      const { body } = await tokensFor(server, client, { scope: '', extra: { resource: api } });
      expect(body.scope).toBe('orders:read');
      const other = await buildClient(server, { scope: 'openid' });
      expect(errorOf(await begin(new Agent(server), other, { resource: api }))[0]).toBe('invalid_scope');
    });

    test('P1: without scope and resource it is the user API, as ever', async () => {
      const { body } = await tokensFor(server, await buildClient(server), { scope: '' });
      expect(claimsOf(body.access_token)).toMatchObject({ aud: `${server.url}/user`, scope: 'user' });
    });

    test('P1: a program gets the default scopes it is registered for', async () => {
      const scope = 'orders:list orders:write';
      const machine = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'], scope });
      const { body } = await token(server, machine, { grant_type: 'client_credentials', resource: api });
      expect(body.scope).toBe('orders:list');
    });
  });

  describe('optional scopes', () => {
    const asked = { scope: 'orders:read orders:write', resource: api };

    test('can be unticked: the grant lacks them, the answer says so, and they are asked for again', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const page = await signIn(agent, await begin(agent, client, asked), person.username);
      expect(page.text).toContain(
        `<input type="checkbox" form="consent" name="${box('orders:write')}" value="yes" checked>`,
      );
      expect(page.text).not.toContain(box('orders:read'));
      const less = await exchange(client, await agent.submit(page, { answer: 'allow' }));
      expect(less.scope).toBe('orders:read');
      expect(claimsOf(less.access_token).scope).toBe('orders:read');
      expect((await refresh(server, client, less.refresh_token)).body.scope).toBe('orders:read');
      const consent = () => server.core.stores.consents.find(person.subject, client.id);
      expect((await consent())?.resources).toEqual({ [api]: ['orders:read'] });

      const again = await begin(agent, client, asked);
      expect(again.text).toContain(box('orders:write'));
      expect(errorOf(await begin(agent, client, { ...asked, prompt: 'none' }))[0]).toBe('consent_required');
      const more = await exchange(client, await agent.submit(again, { answer: 'allow', [box('orders:write')]: 'yes' }));
      expect(more.scope).toBe('orders:read orders:write');
      // Remembered now.
      expect((await begin(agent, client, asked)).location).toContain('code=');

      const third = await begin(agent, client, { ...asked, prompt: 'consent' });
      expect((await exchange(client, await agent.submit(third, { answer: 'allow' }))).scope).toBe('orders:read');
      expect((await consent())?.resources).toEqual({ [api]: ['orders:read'] });
      expect((await refresh(server, client, more.refresh_token)).body.scope).toBe('orders:read');
    });

    test('where nothing is left, nothing was allowed', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const page = await signIn(
        agent,
        await begin(agent, client, { ...asked, scope: 'orders:write' }),
        person.username,
      );
      expect(errorOf(await agent.submit(page, { answer: 'allow' }))[0]).toBe('access_denied');
      expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
    });
  });

  describe('step-up', () => {
    const less = { scope: 'openid orders:read orders:write', resource: api };
    const more = { ...less, scope: `${less.scope} orders:list` };
    /** A person who has allowed the optional scope too, and is asked for one more. */
    async function asked() {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const first = await signIn(agent, await begin(agent, client, less), person.username);
      expect(first.text).not.toContain('name="known"');
      codeOf(await agent.submit(first, { answer: 'allow', [box('orders:write')]: 'yes' }));
      const consent = async () => (await server.core.stores.consents.find(person.subject, client.id))?.resources[api];
      const page = await begin(agent, client, more);
      const [, told = ''] = /name="known" value="([^"]*)"/.exec(page.text) ?? [];
      return { client, person, agent, consent, page, known: told.replaceAll('&#34;', '"') };
    }

    test('asks for the missing scope alone, and keeps what was allowed before, optional scopes too', async () => {
      const { client, agent, consent, page, known } = await asked();
      const [question = '', below = ''] = page.text.split('Already allowed');
      expect(question).toContain('List your orders.');
      expect(question).not.toContain('See your orders.');
      expect(below).toContain('See your orders.');
      expect(below).toContain('Change your orders.');
      expect(page.text).not.toContain(box('orders:write'));
      const body = await exchange(client, await agent.submit(page, { answer: 'allow', known }));
      expect(body.scope).toBe('openid orders:read orders:write orders:list');
      expect(await consent()).toEqual(['orders:read', 'orders:write', 'orders:list']);
    });

    test('a refusal keeps what was allowed before', async () => {
      const { client, agent, consent, page } = await asked();
      expect(errorOf(await agent.submit(page, { answer: 'deny' }))[0]).toBe('access_denied');
      expect(await consent()).toEqual(['orders:read', 'orders:write']);
      expect((await begin(agent, client, less)).location).toContain('code=');
    });

    test('what was taken back while the page was open is asked for again', async () => {
      const { client, person, agent, consent, page, known } = await asked();
      await server.core.stores.consents.remove(person.subject, client.id);
      const again = await agent.submit(page, { answer: 'allow', known });
      expect(again.text).toContain(box('orders:write'));
      expect(again.text).not.toContain('Already allowed');
      expect(await consent()).toBeUndefined();
    });

    test.each([
      JSON.stringify([`api ${api} orders:list`]),
      JSON.stringify(['scope admin']),
      JSON.stringify([`api ${api} orders:read`, `api ${api} orders:all`]),
      '{"a":1}',
      'null',
      '[[[',
      JSON.stringify([{}, null, 5]),
      'x'.repeat(200),
    ])('a form that lists as allowed what is not shows the page again: %s', async (known) => {
      const { agent, consent, page } = await asked();
      const again = await agent.submit(page, { answer: 'allow', known });
      expect(again.text).toContain('Already allowed');
      expect(await consent()).toEqual(['orders:read', 'orders:write']);
    });

    test('an optional scope that is asked for later can be left out', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const first = await signIn(agent, await begin(agent, client, { ...less, scope: 'orders:read' }), person.username);
      codeOf(await agent.submit(first, { answer: 'allow' }));
      const page = await begin(agent, client, { ...less, scope: 'orders:read orders:write' });
      expect(page.text).toContain(box('orders:write'));
      expect((await exchange(client, await agent.submit(page, { answer: 'allow' }))).scope).toBe('orders:read');
    });
  });

  describe('held scopes', () => {
    test('no one is given one: the rest is granted without it, and nothing else is invalid_scope', async () => {
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: 'orders:all orders:read', extra: { resource: api } });
      expect(body.scope).toBe('orders:read');
      const beside = await tokensFor(server, client, { scope: 'openid orders:all' });
      expect(beside.body.scope).toBe('openid');
      for (const parameters of [{ scope: 'orders:all' }, { scope: 'orders:all', resource: api }]) {
        const answer = await begin(new Agent(server), client, parameters);
        expect(errorOf(answer)).toEqual([
          'invalid_scope',
          'this scope is granted only to users with a role for it: orders:all',
        ]);
        expect(await recorded(server, answer)).toMatchObject({ check: 'scope_held' });
      }
    });

    test('nor is a program, nor the bearer of a tinyoauth token', async () => {
      const machine = await buildClient(server, {
        ...{ redirect_uris: [], grant_types: ['client_credentials'], scope: 'orders:all' },
      });
      for (const more of [{}, { resource: api }]) {
        const form = { grant_type: 'client_credentials', scope: 'orders:all', ...more };
        expect((await token(server, machine, form)).body.error).toBe('invalid_scope');
      }
    });

    test('a scope that becomes held is gone at the next refresh', async () => {
      const identifier = 'https://later.example';
      const scopes = ['one', 'two'].map((name) => ({ name, sentence: 'It.' }));
      await server.core.apis.add({ identifier, name: 'Later', scopes });
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: 'one two', extra: { resource: identifier } });
      expect(body.scope).toBe('one two');
      await server.core.apis.update(identifier, (stored) => ({
        ...stored,
        scopes: stored.scopes.map((scope) => ({ ...scope, held: scope.name === 'two' })),
      }));
      expect((await refresh(server, client, body.refresh_token)).body.scope).toBe('one');
    });
  });

  describe('the form of the tokens', () => {
    test('typ JWT, RS256 and token_use where the API says so; a stock verifier takes it', async () => {
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, {
        scope: 'boot',
        extra: { resource: 'https://spring.example' },
      });
      const keys = createRemoteJWKSet(new URL(`${server.url}/oauth/jwks`));
      const { payload, protectedHeader } = await jwtVerify(body.access_token ?? '', keys, {
        ...{ issuer: server.url, audience: 'https://spring.example', typ: 'JWT', algorithms: ['RS256'] },
      });
      expect(protectedHeader).toMatchObject({ typ: 'JWT', alg: 'RS256' });
      expect(payload).toMatchObject({ token_use: 'access', scope: 'boot', sub: expect.any(String) });
      const plain = await tokensFor(server, client, { scope: 'orders:read', extra: { resource: api } });
      expect(headerOf(plain.body.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
      expect(claimsOf(plain.body.access_token)).not.toHaveProperty('token_use');
    });

    test('a program has the same form', async () => {
      const machine = await buildClient(server, {
        ...{ redirect_uris: [], grant_types: ['client_credentials'], scope: 'boot' },
      });
      const { body } = await token(server, machine, { grant_type: 'client_credentials', scope: 'boot' });
      expect(headerOf(body.access_token)).toMatchObject({ typ: 'JWT', alg: 'RS256' });
      expect(claimsOf(body.access_token)).toMatchObject({ token_use: 'access', aud: 'https://spring.example' });
    });

    test('an opaque token of an API is introspected by the client that the API names', async () => {
      const reader = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'] });
      await server.core.apis.update('https://opaque.example', (stored) => ({ ...stored, introspectors: [reader.id] }));
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: '', extra: { resource: 'https://opaque.example' } });
      expect((await ask(server, 'introspect', reader, body.access_token)).body).toMatchObject({
        ...{ active: true, aud: 'https://opaque.example', scope: 'peek' },
      });
    });
  });

  test('an API that was updated on one node is in force on the other within a second', async () => {
    const second = await storage.join(server);
    const identifier = 'https://two.example';
    await server.core.apis.add({ identifier, name: 'Two', scopes: [{ name: 'two:a', sentence: 'A.' }] });
    await eventually('the other node knows it', async () => second.core.apis.find(identifier) !== undefined, 1_000);
    const edit = (name: string) => (node: TestServer) =>
      node.core.apis.update(identifier, (stored) => ({
        ...stored,
        scopes: [...stored.scopes, { name, sentence: 'It.', held: name === 'two:c' }],
      }));
    // At the same moment: neither change is lost.
    // Both nodes are in one process here, where one waiting for a SQLite file would keep the other from going on.
    await Promise.all([edit('two:b')(server), edit('two:c')(storage.kind === 'sqlite' ? server : second)]);
    const names = (node: TestServer) => node.core.apis.find(identifier)?.scopes.map(({ name }) => name);
    for (const node of [server, second])
      await eventually('both changes are there', async () => names(node)?.length === 3, 1_000);
    expect(names(server)?.toSorted()).toEqual(['two:a', 'two:b', 'two:c']);
  });
});
