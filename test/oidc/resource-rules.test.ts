/**
 * Which API a request means (RFC 8707), said by resource, by audience or by its scopes, and which scopes it is given.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce, token } from '../support/agent.ts';
import { claimsOf, recorded, redeem, refresh, type TestClient, tokensFor, userinfo } from '../support/flow.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const tools = 'https://tools.example';
const books = 'https://books.example/v1';
const callback = 'https://app.example.com/cb';

describeStorages('which API a request means', (storage) => {
  let server: TestServer;
  let machine: TestClient;
  beforeAll(async () => {
    server = await storage.start();
    const scope = (name: string) => ({ name, sentence: 'It.' });
    await server.core.apis.add({ identifier: tools, name: 'Tools', scopes: [scope('mcp:tools'), scope('shared')] });
    await server.core.apis.add({ identifier: books, name: 'Books', scopes: [scope('books:read'), scope('shared')] });
    await server.core.apis.add({
      ...{ identifier: 'https://opaque.example', name: 'Opaque', tokenFormat: 'opaque', scopes: [scope('peek')] },
    });
    const scopes = 'mcp:tools books:read shared';
    machine = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'], scope: scopes });
  });
  afterAll(() => server.close());

  const { verifier, challenge } = pkce();
  const address = (client: TestClient, parameters: Record<string, string> | [string, string][]) =>
    `/oauth/authorize?${new URLSearchParams([
      ...Object.entries({ response_type: 'code', client_id: client.id, redirect_uri: callback, state: 'xyz' }),
      ...Object.entries({ code_challenge: challenge, code_challenge_method: 'S256' }),
      ...(Array.isArray(parameters) ? parameters : Object.entries(parameters)),
    ])}`;
  const errorOf = ({ location = '' }: Answer) => {
    const { searchParams } = new URL(location);
    return [searchParams.get('error'), searchParams.get('error_description'), searchParams.get('state')];
  };
  const refusedAtOnce = async (parameters: Record<string, string>) =>
    errorOf(await new Agent(server).go(address(await buildClient(server), parameters)));
  const own = (form: Record<string, string>) => token(server, machine, { grant_type: 'client_credentials', ...form });

  describe('P2: unknown scopes', () => {
    test.each<[string, Record<string, string>, string]>([
      ['one', { scope: 'does-not-exist' }, 'unknown scope: does-not-exist'],
      ['a list with a comma', { scope: 'openid,profile' }, 'unknown scope: openid,profile'],
      [
        'beside parameters of openid',
        { scope: 'openid,profile', nonce: 'n', max_age: '9' },
        'unknown scope: openid,profile',
      ],
      ['of an API', { scope: 'mcp:tool', resource: tools }, 'unknown scope: mcp:tool'],
      ['several', { scope: 'a b' }, 'unknown scope: a b'],
    ])('P2: %s: invalid_scope at once, by name', async (_what, parameters, description) => {
      expect(await refusedAtOnce(parameters)).toEqual(['invalid_scope', description, 'xyz']);
    });

    test('P2: the record names the nearest scope, and what a comma is', async () => {
      const ask = async (parameters: Record<string, string>) =>
        recorded(server, await new Agent(server).go(address(await buildClient(server), parameters)));
      expect(await ask({ scope: 'mcp:tolls' })).toMatchObject({
        ...{ check: 'scope_unknown', received: 'mcp:tolls', nearest: 'mcp:tools' },
      });
      expect(await ask({ scope: 'openid,profile', nonce: 'n' })).toMatchObject({
        ...{ check: 'scope_unknown', advice: 'Separate scopes by spaces, not commas.' },
      });
    });

    test.each<[Record<string, string>, string]>([
      [{ scope: 'openid does-not-exist email' }, 'openid email'],
      [{ scope: 'does-not-exist mcp:tools', resource: tools }, 'mcp:tools'],
      [{ scope: 'openid nothing mcp:tools' }, 'openid mcp:tools'],
    ])('P2: of %j the known ones are granted, and scope says so', async (parameters, granted) => {
      const { scope = '', ...extra } = parameters;
      const { body } = await tokensFor(server, await buildClient(server), { scope, extra });
      expect(body.scope).toBe(granted);
    });

    test('P2: a scope of another API, or one that is not registered for the client, is refused at once', async () => {
      const [error, description] = await refusedAtOnce({ scope: 'books:read', resource: tools });
      expect([error, description]).toEqual(['invalid_scope', expect.stringContaining('books:read')]);
      const client = await buildClient(server, { scope: 'openid mcp:tools' });
      const answer = await new Agent(server).go(address(client, { scope: 'books:read' }));
      expect(errorOf(answer)[0]).toBe('invalid_scope');
    });
  });

  describe('P3: the granted API is the default at the token endpoint', () => {
    test('P3: for the code and on refresh, with openid and without; explicit resource keeps userinfo out', async () => {
      for (const scope of ['openid mcp:tools', 'mcp:tools']) {
        const client = await buildClient(server);
        const { body } = await tokensFor(server, client, { scope, extra: { resource: tools } });
        expect([body.scope, claimsOf(body.access_token).aud]).toEqual([scope, tools]);
        expect(claimsOf(body.access_token).scope).toBe('mcp:tools');
        expect((await userinfo(server, body.access_token)).status).toBe(401);
        const again = (await refresh(server, client, body.refresh_token)).body;
        expect([again.scope, claimsOf(again.access_token).aud]).toEqual([scope, tools]);
      }
    });

    test('P3: several: the one that is named, or invalid_target that names them', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const both: [string, string][] = [
        ['scope', 'mcp:tools books:read'],
        ['resource', tools],
        ['resource', books],
      ];
      let page = await agent.go(address(client, both));
      page = await agent.submit(page, { username: person.username, password: person.password });
      const code = codeOf(await agent.submit(page, { answer: 'allow' }));
      const grant = { code, code_verifier: verifier };
      const none = await redeem(server, client, grant, { redirect_uri: callback });
      expect([none.status, none.body.error]).toEqual([400, 'invalid_target']);
      expect(none.body.error_description).toContain('resource');
      expect(await recorded(server, none)).toMatchObject({ check: 'resource_missing', expected: `${tools} ${books}` });
      const one = await redeem(server, client, grant, { redirect_uri: callback, resource: books });
      expect(claimsOf(one.body.access_token)).toMatchObject({ aud: books, scope: 'books:read' });
      const next = await refresh(server, client, one.body.refresh_token, { resource: tools });
      expect(claimsOf(next.body.access_token)).toMatchObject({ aud: tools, scope: 'mcp:tools' });
    });

    test('P3: an API that was not granted is invalid_target, and the record names the granted one', async () => {
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: 'mcp:tools', extra: { resource: tools } });
      const refused = await refresh(server, client, body.refresh_token, { resource: books });
      expect(refused.body.error).toBe('invalid_target');
      expect(await recorded(server, refused)).toMatchObject({
        check: 'resource_not_granted',
        expected: tools,
        received: books,
      });
    });
  });

  describe('spellings', () => {
    test('https://tools.example/ is https://tools.example; aud is as it is registered', async () => {
      const client = await buildClient(server);
      for (const spelled of [`${tools}/`, 'HTTPS://Tools.Example:443']) {
        const { body } = await tokensFor(server, client, { scope: 'mcp:tools', extra: { resource: spelled } });
        expect(claimsOf(body.access_token).aud).toBe(tools);
        const again = await refresh(server, client, body.refresh_token, { resource: spelled });
        expect(claimsOf(again.body.access_token).aud).toBe(tools);
        expect(claimsOf((await own({ resource: spelled, scope: 'mcp:tools' })).body.access_token).aud).toBe(tools);
      }
      expect((await refusedAtOnce({ scope: 'books:read', resource: `${books}/` }))[0]).toBe('invalid_target');
    });

    test('audience is read as resource, at the authorization and at the token endpoint', async () => {
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: 'mcp:tools', extra: { audience: `${tools}/` } });
      expect(claimsOf(body.access_token).aud).toBe(tools);
      const again = await refresh(server, client, body.refresh_token, { audience: tools, resource: `${tools}/` });
      expect(claimsOf(again.body.access_token).aud).toBe(tools);
      expect((await refresh(server, client, again.body.refresh_token, { audience: books })).body.error).toBe(
        'invalid_target',
      );
      expect(claimsOf((await own({ audience: books, scope: 'shared' })).body.access_token).aud).toBe(books);
      expect((await refusedAtOnce({ scope: 'mcp:tools', audience: 'https://unknown.example' }))[0]).toBe(
        'invalid_target',
      );
    });
  });

  describe('P8: client_credentials with a scope and no resource', () => {
    test('P8: the one API that has the scope is meant', async () => {
      const { status, body } = await own({ scope: 'books:read' });
      expect([status, body.scope, claimsOf(body.access_token).aud]).toEqual([200, 'books:read', books]);
      const both = await own({ scope: 'mcp:tools shared' });
      expect([both.body.scope, claimsOf(both.body.access_token).aud]).toEqual(['mcp:tools shared', tools]);
    });

    test.each(['shared', 'mcp:tools books:read'])('P8: %j: a message that names resource', async (scope) => {
      const answer = await own({ scope });
      const { status, body } = answer;
      expect([status, body.error]).toEqual([400, 'invalid_scope']);
      expect(body.error_description).toContain('resource');
      const row = await recorded(server, answer);
      expect(row).toMatchObject({ check: 'resource_missing', received: scope });
      for (const identifier of [tools, books]) expect(row?.expected).toContain(identifier);
    });

    test('P8: a scope that no API has is named', async () => {
      const { body } = await own({ scope: 'nonsense' });
      expect(body).toMatchObject({ error: 'invalid_scope', error_description: 'unknown scope: nonsense' });
    });
  });

  describe('openid together with the scope of an API', () => {
    test('one JWT: for the API, and for the userinfo endpoint, which the answer and a refresh keep', async () => {
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: 'openid email mcp:tools' });
      expect(body.scope).toBe('openid email mcp:tools');
      const both = { aud: [tools, `${server.url}/userinfo`], scope: 'openid email mcp:tools' };
      expect(claimsOf(body.access_token)).toMatchObject(both);
      expect(body.id_token).toEqual(expect.any(String));
      expect((await server.core.tokens.verifyAccessToken(body.access_token ?? '', tools)).outcome).toBe('valid');
      const again = (await refresh(server, client, body.refresh_token)).body;
      expect(claimsOf(again.access_token)).toMatchObject(both);
      // Named now, so it is for that API alone; without openid there is nothing for userinfo.
      const named = await refresh(server, client, body.refresh_token, { resource: tools });
      expect(claimsOf(named.body.access_token)).toMatchObject({ aud: tools, scope: 'mcp:tools' });
      const narrow = await refresh(server, client, body.refresh_token, { scope: 'mcp:tools' });
      expect(claimsOf(narrow.body.access_token)).toMatchObject({ aud: tools, scope: 'mcp:tools' });
    });

    test('a request that begins again from the consent page is the same one', async () => {
      const [client, agent] = [await buildClient(server), new Agent(server)];
      const { username, subject, password } = await buildPerson(server);
      const login = await agent.go(address(client, { scope: 'openid mcp:tools' }));
      const consent = await agent.submit(login, { username, password });
      const again = await agent.submit(consent, { answer: 'switch' });
      expect(again.text).toContain('name="password"');
      const theirs = await agent.submit(again, { username, password });
      const code = codeOf(await agent.submit(theirs, { answer: 'allow' }));
      const { body } = await redeem(server, client, { code, code_verifier: verifier }, { redirect_uri: callback });
      expect(claimsOf(body.access_token)).toMatchObject({
        ...{ aud: [tools, `${server.url}/userinfo`], sub: subject, scope: 'openid mcp:tools' },
      });
    });

    test('the second audience cannot be asked for by itself', async () => {
      const userinfoAudience = `${server.url}/userinfo`;
      expect((await refusedAtOnce({ scope: 'openid', resource: userinfoAudience }))[0]).toBe('invalid_target');
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client, { scope: 'openid mcp:tools' });
      const asked = await refresh(server, client, body.refresh_token, { resource: userinfoAudience });
      expect(asked.body.error).toBe('invalid_target');
      expect((await own({ resource: userinfoAudience })).body.error).toBe('invalid_target');
    });

    test('an opaque token has one audience: userinfo, and scope says what is missing', async () => {
      const { body } = await tokensFor(server, await buildClient(server), { scope: 'openid peek' });
      expect([body.scope, (await userinfo(server, body.access_token)).status]).toEqual(['openid', 200]);
    });

    test('a scope that several APIs have needs resource, and no one signs in for nothing', async () => {
      for (const scope of ['shared', 'openid shared', 'mcp:tools books:read']) {
        const [error, description] = await refusedAtOnce({ scope });
        expect([error, description]).toEqual(['invalid_scope', expect.stringContaining('resource')]);
      }
    });
  });

  describe('offline_access without prompt=consent', () => {
    const asked = { scope: 'openid offline_access' };

    test('is granted by the consent page, and where consent exists; scope says so', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      const first = await tokensFor(server, client, { ...asked, person, agent });
      expect(first.body.scope).toBe('openid offline_access');
      const silent = await agent.go(address(client, { ...asked, prompt: 'none' }));
      const { body } = await redeem(server, client, { code: codeOf(silent), code_verifier: verifier });
      expect(body.scope).toBe('openid offline_access');
      const other = await tokensFor(server, client, { scope: 'openid offline_access mcp:tools', person, agent });
      expect(other.body.scope).toBe('openid offline_access mcp:tools');
    });

    test('with prompt=none and no consent for it, the rest is granted', async () => {
      const [client, person, agent] = [await buildClient(server), await buildPerson(server), new Agent(server)];
      await tokensFor(server, client, { scope: 'openid', person, agent });
      const silent = await agent.go(address(client, { ...asked, prompt: 'none' }));
      const { body } = await redeem(server, client, { code: codeOf(silent), code_verifier: verifier });
      expect(body.scope).toBe('openid');
    });

    test('a client without the refresh grant, or not registered for it, goes without', async () => {
      for (const metadata of [{ grant_types: ['authorization_code'] }, { scope: 'openid' }]) {
        const { body } = await tokensFor(server, await buildClient(server, metadata), asked);
        expect(body.scope).toBe('openid');
      }
    });
  });

  test('discovery names scopes that any client may ask for', async () => {
    const answer = await fetch(`${server.url}/.well-known/openid-configuration`);
    const metadata = JSON.parse(await answer.text());
    expect(metadata.scopes_supported).toEqual(expect.arrayContaining(['openid', 'offline_access', 'profile', 'email']));
    for (const scope of metadata.scopes_supported) {
      const { body } = await tokensFor(server, await buildClient(server), { scope: `openid ${scope}` });
      expect(String(body.scope).split(' ')).toContain(scope);
    }
  });
});
