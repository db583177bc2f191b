/**
 * What agents send to an MCP server's authorization server (MCP authorization 2026-07-28), by requests of their shape.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce } from '../support/agent.ts';
import { claimsOf, redeem, refresh } from '../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const bare = 'https://mcp.example.com';
const scopes = [
  { name: 'notes:read', sentence: 'Read your notes.', default: true },
  { name: 'notes:write', sentence: 'Change your notes.', optional: true },
];
const callback = 'http://127.0.0.1:33418/';

describeStorages('agents', (storage) => {
  let server: TestServer;
  let mcp: string;
  beforeAll(async () => {
    server = await storage.start();
    mcp = `${server.url}/notes`;
    for (const identifier of [mcp, bare]) {
      const added = await server.core.apis.add({ identifier, name: 'Notes', scopes, mcpServer: true });
      expect(added.outcome).toBe('saved');
    }
  });
  afterAll(() => server.close());

  const { verifier, challenge } = pkce();
  const publicClient = (more = {}) =>
    buildClient(server, {
      client_name: 'Agent',
      redirect_uris: [callback],
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      ...more,
    });

  /** Signs in and allows, with the boxes that the page has ticked. Returns the pages that were shown. */
  async function authorize(agent: Agent, id: string, parameters: Record<string, string>, username: string) {
    const query = new URLSearchParams({
      ...{ response_type: 'code', client_id: id, redirect_uri: callback, state: 'a/b+c=' },
      ...{ code_challenge: challenge, code_challenge_method: 'S256' },
      ...parameters,
    });
    const shown: string[] = [];
    let page: Answer = await agent.go(`/oauth/authorize?${query}`);
    while (page.status === 200 && page.location === undefined && shown.length < 4) {
      const isSignIn = page.text.includes('name="password"');
      shown.push(isSignIn ? 'sign-in' : 'consent');
      const boxes = [...page.text.matchAll(/name="(optional [^"]+)" value="yes" checked/g)].map(([, name]) => [
        name,
        'yes',
      ]);
      page = await agent.submit(
        page,
        isSignIn ? { username, password } : { answer: 'allow', ...Object.fromEntries(boxes) },
      );
    }
    return { answer: page, shown };
  }
  async function tokens(parameters: Record<string, string>, more: Record<string, string> = {}, metadata = {}) {
    const [client, person, agent] = [await publicClient(metadata), await buildPerson(server), new Agent(server)];
    const { answer } = await authorize(agent, client.id, parameters, person.username);
    const grant = { code: codeOf(answer), code_verifier: verifier };
    const { body } = await redeem(server, { id: client.id }, grant, { redirect_uri: callback, ...more });
    return { body, client, person, agent, answer };
  }

  describe('scopes', () => {
    test('a request with neither scope nor resource works, as the conformance command sends it', async () => {
      const { body } = await tokens({});
      expect(body).toMatchObject({ token_type: 'Bearer', scope: 'user' });
    });

    test('a request with a resource and no scope gets the default scopes', async () => {
      const { body } = await tokens({ resource: mcp });
      expect(body.scope).toBe('notes:read');
      expect(claimsOf(body.access_token)).toMatchObject({ aud: mcp, scope: 'notes:read' });
    });

    test.each([
      ['without a registered scope', {}, 'notes:read notes:write'],
      ['with a registered scope', { scope: 'notes:read offline_access' }, 'notes:read'],
    ])('a request for all scopes that there are gets a subset: %s', async (_name, metadata, granted) => {
      const response = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
      const { scopes_supported: all } = (await response.json()) as { scopes_supported: string[] };
      const scope = [...all, 'notes:read', 'notes:write', 'admin', 'urn:unknown'].join(' ');
      const { body } = await tokens({ resource: mcp, scope, prompt: 'consent' }, { resource: mcp }, metadata);
      expect(body.error).toBeUndefined();
      const ofApi = String(body.scope).match(/notes:\w+/g) ?? [];
      expect(ofApi.join(' ')).toBe(granted);
      expect(body.scope).not.toMatch(/admin|unknown/);
      const registered = 'scope' in metadata;
      expect([/openid|email/.test(String(body.scope)), body.id_token !== undefined]).toEqual([
        !registered,
        !registered,
      ]);
      expect(claimsOf(body.access_token).aud).toBe(mcp);
    });

    test('where nothing is left of a request, it is invalid_scope before a page', async () => {
      const client = await publicClient({ scope: 'notes:read' });
      const { answer, shown } = await authorize(new Agent(server), client.id, { scope: 'openid email' }, 'x');
      expect(shown).toEqual([]);
      expect(new URL(answer.location ?? '').searchParams.get('error')).toBe('invalid_scope');
    });

    test('a request for the scopes of the server alone is granted, too', async () => {
      const { body } = await tokens({ resource: mcp, scope: 'openid profile email offline_access', prompt: 'consent' });
      expect(body.error).toBeUndefined();
      expect(body.access_token).toBeDefined();
    });
  });

  describe('the resource', () => {
    test.each([
      [bare, bare],
      [`${bare}/`, bare],
      ['HTTPS://MCP.EXAMPLE.COM:443/', bare],
    ])('%s is %s everywhere: in the grant, in aud and at the refresh', async (sent, identifier) => {
      const { body, client } = await tokens({ resource: sent, scope: 'notes:read' }, { resource: sent });
      expect(claimsOf(body.access_token).aud).toBe(identifier);
      for (const more of [{ resource: sent }, {}]) {
        const again = await refresh(server, { id: client.id }, body.refresh_token, more);
        expect([again.status, claimsOf(again.body.access_token).aud]).toEqual([200, identifier]);
        body.refresh_token = again.body.refresh_token ?? '';
      }
    });

    test('another resource at the token endpoint than in the grant is refused', async () => {
      const { body, client } = await tokens({ resource: mcp, scope: 'notes:read' });
      const other = await refresh(server, { id: client.id }, body.refresh_token, { resource: bare });
      expect([other.status, other.body.error]).toEqual([400, 'invalid_target']);
    });
  });

  test('prompt=consent with offline_access shows the page once each time, and never twice', async () => {
    const [client, person, agent] = [await publicClient(), await buildPerson(server), new Agent(server)];
    const asked = { resource: mcp, scope: 'notes:read offline_access', prompt: 'consent' };
    const first = await authorize(agent, client.id, asked, person.username);
    expect(first.shown).toEqual(['sign-in', 'consent']);
    for (let round = 0; round < 2; round += 1) {
      const again = await authorize(agent, client.id, asked, person.username);
      expect(again.shown).toEqual(['consent']);
      expect(new URL(again.answer.location ?? '').searchParams.get('state')).toBe('a/b+c=');
    }
    const { answer } = await authorize(agent, client.id, asked, person.username);
    const grant = { code: codeOf(answer), code_verifier: verifier };
    const { body } = await redeem(server, { id: client.id }, grant, { redirect_uri: callback, resource: mcp });
    expect(body.scope).toBe('offline_access notes:read');
    expect(body.refresh_token).toBeDefined();
  });

  describe('discovery', () => {
    const addresses = ['openid-configuration', 'oauth-authorization-server'].map((name) => `/.well-known/${name}`);

    test('both addresses have the same document, with what agents insist on', async () => {
      const documents = await Promise.all(
        addresses.map(async (path) => (await (await fetch(server.url + path)).json()) as Record<string, unknown>),
      );
      expect(documents[0]).toEqual(documents[1]);
      expect(documents[0]).toMatchObject({
        issuer: server.url,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        response_types_supported: ['code'],
        token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
        scopes_supported: expect.arrayContaining(['offline_access']),
        grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
      });
    });

    test('every origin may read them, whatever header it sends along; a preflight passes', async () => {
      const headers = { origin: 'https://inspector.example', 'mcp-protocol-version': '2026-07-28' };
      for (const path of addresses) {
        const answer = await fetch(server.url + path, { headers });
        expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, '*']);
        expect(answer.headers.get('content-type')).toContain('application/json');
        const preflight = await fetch(server.url + path, {
          method: 'OPTIONS',
          headers: {
            origin: headers.origin,
            'access-control-request-method': 'GET',
            'access-control-request-headers': 'mcp-protocol-version',
          },
        });
        expect([path, preflight.status]).toEqual([path, 204]);
        expect(preflight.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version');
        expect(preflight.headers.get('access-control-allow-origin')).toMatch(/^(\*|https:\/\/inspector\.example)$/);
      }
    });

    test('addresses with a path inserted or appended are 404, which some agents take as the sign to go on', async () => {
      const missing = addresses.flatMap((path) => [`${path}/notes`, `/notes${path}`, `${path}/`, `${path}/%00`]);
      for (const path of missing) {
        const answer = await fetch(server.url + path, { headers: { 'mcp-protocol-version': '2026-07-28' } });
        expect([path, answer.status]).toEqual([path, 404]);
        expect(answer.headers.get('content-type')).toContain('application/json');
      }
    });
  });
});
