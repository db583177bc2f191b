/** Protected resource metadata (RFC 9728) and challenges (RFC 6750; MCP authorization 2026-07-28). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { token } from '../support/agent.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import {
  audience,
  call,
  machineToken,
  opaqueAudience,
  openService,
  routesFile,
  type Service,
  startGateway,
} from './world.ts';

interface Document {
  readonly resource?: string;
  readonly scopes_supported?: readonly string[];
}

const wellKnown = '/.well-known/oauth-protected-resource';
const scopes = [
  { name: 'notes:read', sentence: 'Read your notes.', default: true },
  { name: 'notes:write', sentence: 'Change your notes.', optional: true },
  { name: 'notes:all', sentence: 'Read the notes of all.', held: true },
];
/** Where the scope and the metadata of a challenge are, as the Python SDK looks for them. */
const member = (challenge: string | undefined, name: string) =>
  new RegExp(`${name}=(?:"([^"]+)"|([^\\s,]+))`).exec(challenge ?? '')?.[1];

describeStorages('protected resources', (storage) => {
  let server: TestServer;
  let other: TestServer;
  let service: Service;
  let table: ReturnType<typeof routesFile>;
  let mcp: string;

  beforeAll(async () => {
    service = await openService();
    table = routesFile([]);
    server = await storage.start({ GATEWAY_ROUTES: table.file });
    mcp = `${server.url}/team/mcp`;
    table.write([
      { prefix: '/team/mcp', tokens: ['oauth'], audience: mcp, upstream: service.url, passToken: true },
      { prefix: '/team/mcp/write', tokens: ['oauth'], audience: mcp, scopes: ['notes:read', 'notes:write'] },
      { prefix: '/plain', tokens: ['oauth'], audience, scopes: ['read'], upstream: service.url, passToken: true },
      { prefix: '/gone', tokens: ['oauth'], audience: 'https://gone.example.com/' },
      { prefix: '/mine', tokens: ['identity'] },
    ]);
    await server.app.reloadRoutes();
    other = await storage.join(server, { GATEWAY_ROUTES: table.file });
    const added = await server.core.apis.add({ identifier: mcp, name: 'Notes', scopes, mcpServer: true });
    expect(added.outcome).toBe('saved');
    await server.core.apis.add({ identifier: audience, name: 'Plain', scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(async () => {
    await server.close();
    await service.close();
    table.remove();
  });

  const metadata = async (path: string, at = server) => {
    const response = await fetch(`${at.url}${wellKnown}${path}`);
    return { status: response.status, body: (await response.json()) as Document };
  };
  const programFor = async (resource: string) => {
    const own = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'notes:read' };
    const machine = await buildClient(server, own);
    const { body } = await token(server, machine, { grant_type: 'client_credentials', resource });
    return { bearer: body.access_token ?? '', machine };
  };
  const challengeOf = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await call(server, { path, headers });
    return { status: answer.status, challenge: answer.headers['www-authenticate'] };
  };

  test('each route has its document, with the address of the route as the resource', async () => {
    expect(await metadata('/team/mcp')).toEqual({
      status: 200,
      body: {
        resource: mcp,
        authorization_servers: [server.url],
        scopes_supported: ['notes:read', 'notes:write'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
        resource_name: 'Notes',
      },
    });
    expect((await metadata('/plain')).body).toMatchObject({ resource: audience, scopes_supported: ['read'] });
  });

  test('the user API has one too, and the root means the only MCP server', async () => {
    expect((await metadata('/user')).body).toMatchObject({
      resource: `${server.url}/user`,
      authorization_servers: [server.url],
      scopes_supported: ['user'],
    });
    expect((await metadata('')).body.resource).toBe(mcp);
    const one = await startServer();
    expect((await metadata('', one)).body.resource).toBe(`${one.url}/user`);
    await one.close();
    const routes = [audience, opaqueAudience].map((each, n) => ({
      prefix: `/r${n}`,
      tokens: ['oauth'],
      audience: each,
    }));
    const two = await startGateway(routes);
    expect((await metadata('', two)).status).toBe(404);
    expect((await metadata('/r1', two)).body.resource).toBe(opaqueAudience);
    await two.close();
  });

  test('what names no resource is 404, never 5xx, in JSON and open to every origin', async () => {
    const hostile = ['/', '/mine', '/gone', '/team', '/team/', '/team/mcp/', '/team/mcp/x', '/TEAM/MCP', '/../x'];
    hostile.push(
      '//team/mcp',
      '/%74eam/mcp',
      '/%00',
      '/%',
      '/;x',
      '/__proto__',
      '/constructor',
      `/${'x'.repeat(4000)}`,
    );
    hostile.push('/https://evil.example', '/user/', '/user%2f', '/%E0%A4%A', '/"', '/\\');
    for (const path of hostile) {
      const answer = await call(server, { path: `${wellKnown}${path}` });
      expect([path, answer.status, JSON.parse(answer.text).error]).toEqual([path, 404, 'not_found']);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
    }
    const posted = await call(server, { method: 'POST', path: `${wellKnown}/team/mcp`, body: 'x' });
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('the documents are cacheable, and a preflight for any header passes', async () => {
    const asked = { origin: 'https://inspector.example', 'mcp-protocol-version': '2026-07-28' };
    const { headers, text } = await call(server, { path: `${wellKnown}/team/mcp`, headers: asked });
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=300',
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    expect((await call(server, { method: 'HEAD', path: `${wellKnown}/team/mcp` })).text).toBe('');
    for (const path of ['/team/mcp', '', '/nothing']) {
      const preflight = await call(server, {
        method: 'OPTIONS',
        path: `${wellKnown}${path}`,
        headers: {
          origin: 'https://inspector.example',
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'mcp-protocol-version',
        },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD',
        'access-control-allow-headers': 'mcp-protocol-version',
      });
    }
  });

  test('a challenge without a token has the metadata and the scopes, and no error', async () => {
    const own = `${server.url}${wellKnown}`;
    const { status, challenge } = await challengeOf('/team/mcp');
    expect(status).toBe(401);
    expect(challenge).toBe(`Bearer realm="gatehouse", scope="notes:read", resource_metadata="${own}/team/mcp"`);
    // The address in the challenge is the address of a document.
    const found = await fetch(member(challenge, 'resource_metadata') ?? '');
    expect(((await found.json()) as Document).resource).toBe(mcp);
    const write = await challengeOf('/team/mcp/write');
    expect(member(write.challenge, 'scope')).toBe('notes:read notes:write');
    expect((await challengeOf('/mine')).challenge).toBe('Bearer realm="gatehouse"');
    expect((await challengeOf('/gone')).challenge).toBe('Bearer realm="gatehouse"');
  });

  test('a bad token is invalid_token, a malformed one 400, a token without the scopes 403 that names them all', async () => {
    const bad = await challengeOf('/team/mcp', { authorization: 'Bearer x.y.z' });
    expect(bad.status).toBe(401);
    expect(bad.challenge).toMatch(/error="invalid_token".*scope="notes:read", resource_metadata="/);
    const malformed = await challengeOf('/team/mcp', { authorization: 'Bearer a b' });
    expect([malformed.status, member(malformed.challenge, 'error')]).toEqual([400, 'invalid_request']);
    const { bearer } = await programFor(mcp);
    const short = await challengeOf('/team/mcp/write', { authorization: `Bearer ${bearer}` });
    expect(short.status).toBe(403);
    expect(short.challenge).toBe(
      `Bearer realm="gatehouse", error="insufficient_scope", scope="notes:read notes:write", resource_metadata="${server.url}${wellKnown}/team/mcp/write"`,
    );
    expect(await challengeOf('/team/mcp', { authorization: `Bearer ${bearer}` })).toMatchObject({ status: 200 });
  });

  test('each refusal has one challenge, and no other member holds the text scope=', async () => {
    for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: 'Bearer a b' }]) {
      const { rawHeaders } = await call(server, { path: '/team/mcp', headers });
      const challenges = rawHeaders.filter((_, n) => rawHeaders[n - 1]?.toLowerCase() === 'www-authenticate');
      expect(challenges).toHaveLength(1);
      expect(challenges[0]?.match(/scope=/g)).toHaveLength(1);
      expect(challenges[0]?.match(/Bearer/g)).toHaveLength(1);
    }
  });

  test('an MCP server never gets the token, and one for another API is refused', async () => {
    const plain = await machineToken(server);
    expect((await call(server, { path: '/plain', bearer: plain })).status).toBe(200);
    expect(service.seen.at(-1)?.headers.authorization).toBe(`Bearer ${plain}`);
    expect((await call(server, { path: '/team/mcp', bearer: plain })).status).toBe(401);
    const { bearer, machine } = await programFor(mcp);
    expect((await call(server, { path: '/team/mcp', bearer })).status).toBe(200);
    expect(service.seen.at(-1)?.headers.authorization).toBeUndefined();
    expect(service.seen.at(-1)?.headers['x-gatehouse-client']).toBe(machine.id);
  });

  test('/gateway/verify passes the same challenge, with the address that the MCP server itself publishes', async () => {
    const asked = { 'x-original-method': 'GET', 'x-original-uri': '/team/mcp' };
    const anonymous = await challengeOf('/gateway/verify', asked);
    expect(anonymous).toEqual(await challengeOf('/team/mcp'));
    const malformed = await challengeOf('/gateway/verify', { ...asked, authorization: 'Bearer a b' });
    expect([malformed.status, member(malformed.challenge, 'error')]).toEqual([401, 'invalid_request']);
    const identifier = 'https://mcp.example.net/notes';
    await server.core.apis.add({ identifier, name: 'Elsewhere', scopes, mcpServer: true });
    const query = new URLSearchParams({ tokens: 'oauth', audience: identifier });
    const elsewhere = await challengeOf(`/gateway/verify/token?${query}`);
    expect(elsewhere).toEqual({
      status: 401,
      challenge: `Bearer realm="gatehouse", scope="notes:read", resource_metadata="https://mcp.example.net${wellKnown}/notes"`,
    });
    // Of another API it is not known whether it publishes anything.
    const plain = await challengeOf(`/gateway/verify/token?${new URLSearchParams({ tokens: 'oauth', audience })}`);
    expect(plain.challenge).toBe('Bearer realm="gatehouse"');
    await server.core.apis.remove(identifier);
  });

  test('a change of the API is told by every node within a second', async () => {
    const more = { name: 'notes:share', sentence: 'Share your notes.', default: true };
    await server.core.apis.update(mcp, (api) => ({ ...api, scopes: [...api.scopes, more] }));
    await eventually('the other node tells it', async () => {
      const { body } = await metadata('/team/mcp', other);
      return body.scopes_supported?.includes('notes:share') === true;
    });
    const { headers } = await call(other, { path: '/team/mcp' });
    expect(member(headers['www-authenticate'], 'scope')).toBe('notes:read notes:share');
    await server.core.apis.update(mcp, (api) => ({ ...api, scopes: scopes.map((scope) => ({ ...scope })) }));
  });
});

describe('what an operator is told about MCP servers', () => {
  test('at the start and when the table is read again', async () => {
    const service = await openService();
    const server = await startGateway([]);
    const wrong = 'https://mcp.example.com/notes';
    const right = `${server.url}/right`;
    for (const identifier of [wrong, right])
      await server.core.apis.add({ identifier, name: 'Notes', scopes, mcpServer: true });
    server.write([
      { prefix: '/notes', tokens: ['oauth'], audience: wrong, upstream: service.url },
      { prefix: '/right', tokens: ['oauth'], audience: right, upstream: service.url, passToken: true },
      // Only asked about by a proxy in front of its own host.
      { prefix: '/asked', tokens: ['oauth'], audience: wrong },
    ]);
    await server.app.reloadRoutes();
    const notices = server.logged.filter((line) => /agents refuse|passToken has no/.test(line));
    expect(notices).toHaveLength(2);
    expect(notices[0]).toContain(
      `agents refuse an MCP server whose identifier is not its address, ${server.url}/notes`,
    );
    expect(notices[1]).toMatch(/passToken has no effect.*right/s);
    const again = await server.restart();
    expect(again.logged.filter((line) => line.includes('agents refuse'))).toHaveLength(1);
    await again.close();
    await service.close();
  });
});
