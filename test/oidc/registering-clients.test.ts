/** Requests of the shape that real clients send to register, each as far as its tokens. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce, token } from '../support/agent.ts';
import { call, posting } from '../support/call.ts';
import { refresh } from '../support/flow.ts';
import { buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { registering } from './registering.ts';

interface RealClient {
  readonly sends: Readonly<Record<string, unknown>>;
  /** Where it waits for the code: often on another port than the one that it registered. */
  readonly callback: string;
  readonly registered: Readonly<Record<string, unknown>>;
  readonly dropped?: readonly string[];
}

const usual = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
const publicNative = { application_type: 'native', token_endpoint_auth_method: 'none', profile: 'mcp-client' };

const clients: Readonly<Record<string, RealClient>> = {
  'Claude Code': {
    sends: {
      ...{ client_name: 'Claude Code (books)', redirect_uris: ['http://localhost:3118/callback'], ...usual },
      token_endpoint_auth_method: 'none',
    },
    callback: 'http://localhost:54021/callback',
    registered: { ...usual, ...publicNative },
  },
  'claude.ai': {
    sends: {
      ...{ client_name: 'Claude', redirect_uris: ['https://claude.ai/api/mcp/auth_callback'], ...usual },
      ...{ token_endpoint_auth_method: 'none', scope: 'openid user mail:send', client_uri: 'https://claude.ai' },
    },
    callback: 'https://claude.ai/api/mcp/auth_callback',
    registered: { ...usual, application_type: 'web', scope: 'openid user', profile: 'mcp-client' },
    dropped: ['scope mail:send'],
  },
  'VS Code': {
    sends: {
      ...{ client_name: 'Visual Studio Code', client_uri: 'https://code.visualstudio.com', response_types: ['code'] },
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      ...{ token_endpoint_auth_method: 'none', application_type: 'native' },
    },
    callback: 'http://127.0.0.1:33420/',
    registered: { ...usual, ...publicNative },
    dropped: ['grant_types urn:ietf:params:oauth:grant-type:device_code'],
  },
  Cursor: {
    sends: {
      client_name: 'Cursor',
      redirect_uris: [
        'http://localhost:8787/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'cursor://anysphere.cursor-mcp/oauth/callback',
      ],
      ...{ ...usual, token_endpoint_auth_method: 'none' },
    },
    callback: 'cursor://anysphere.cursor-mcp/oauth/callback',
    registered: { ...usual, ...publicNative },
  },
  'an editor with a scheme that this server does not know': {
    sends: {
      ...{ client_name: 'Zephyr', token_endpoint_auth_method: 'none', application_type: 'web', ...usual },
      redirect_uris: ['zephyr://mcp/callback', 'com.example.zephyr:/cb', 'http://127.0.0.1:9000/cb'],
    },
    callback: 'http://127.0.0.1:9001/cb',
    registered: { ...publicNative, redirect_uris: ['com.example.zephyr:/cb', 'http://127.0.0.1:9000/cb'] },
    dropped: ['redirect_uris zephyr://mcp/callback'],
  },
  Codex: {
    sends: {
      ...{ client_name: 'Codex', redirect_uris: ['http://127.0.0.1:1455/callback/3q2-7wABCDEF'], ...usual },
      ...{ token_endpoint_auth_method: 'none', application_type: 'native' },
    },
    callback: 'http://127.0.0.1:40001/callback/3q2-7wABCDEF',
    registered: { ...usual, ...publicNative },
  },
  'MCP Inspector': {
    sends: {
      ...{ client_name: 'MCP Inspector', client_uri: 'https://github.com/modelcontextprotocol/inspector', ...usual },
      ...{ redirect_uris: ['http://localhost:6274/oauth/callback'], token_endpoint_auth_method: 'none', scope: '' },
    },
    callback: 'http://localhost:6274/oauth/callback',
    registered: { ...usual, ...publicNative },
    dropped: ['scope'],
  },
  'the TypeScript SDK with nothing set': {
    sends: {
      client_name: 'books',
      redirect_uris: ['http://localhost:8090/callback'],
      ...usual,
      application_type: 'native',
    },
    callback: 'http://localhost:8090/callback',
    registered: { ...usual, token_endpoint_auth_method: 'client_secret_basic' },
  },
  'the Python SDK with nothing set': {
    sends: {
      ...{ client_name: 'books', redirect_uris: ['http://localhost:3030/callback'], ...usual },
      ...{ token_endpoint_auth_method: 'client_secret_post', scope: 'user', client_uri: null, logo_uri: null },
      ...{ contacts: null, tos_uri: null, policy_uri: null, jwks_uri: null, jwks: null, software_id: null },
    },
    callback: 'http://localhost:3030/callback',
    registered: {
      ...usual,
      token_endpoint_auth_method: 'client_secret_post',
      application_type: 'native',
      scope: 'user',
    },
  },
};

describeStorages('clients that register themselves', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ REGISTRATION: 'open' });
  });
  afterAll(() => server.close());

  test.each(Object.entries(clients))('%s registers, asks a person and gets tokens', async (_name, real) => {
    const { status, body, headers } = await registering(server, real.sends);
    expect(status).toBe(201);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'access-control-allow-origin': '*' });
    expect(body).toMatchObject({ ...real.registered, client_name: real.sends.client_name });
    expect(Object.values(body)).not.toContain(null);
    expect(body.client_id_issued_at).toEqual(expect.any(Number));
    expect(body.dropped).toEqual(real.dropped);
    const secret = body.token_endpoint_auth_method === 'none' ? undefined : String(body.client_secret);
    expect([body.client_secret === undefined, body.client_secret_expires_at]).toEqual(
      secret === undefined ? [true, undefined] : [false, 0],
    );

    const id = String(body.client_id);
    const { verifier, challenge } = pkce();
    const agent = new Agent(server);
    const answer = await agent.authorize(await buildPerson(server), {
      ...{ client_id: id, redirect_uri: real.callback, code_challenge: challenge, code_challenge_method: 'S256' },
      ...{ resource: `${server.url}/user`, scope: 'user', state: 'a/b+c=' },
    });
    expect(answer.location?.startsWith(real.callback)).toBe(true);
    const redeemed = await redeemAs(id, secret, body.token_endpoint_auth_method, {
      ...{ grant_type: 'authorization_code', code: codeOf(answer), code_verifier: verifier },
      redirect_uri: real.callback,
    });
    expect(redeemed).toMatchObject({ status: 200, body: { scope: 'user', token_type: 'Bearer' } });
    if (secret === undefined)
      expect(await refresh(server, { id }, redeemed.body.refresh_token)).toMatchObject({ status: 200 });
  });

  function redeemAs(id: string, secret: string | undefined, method: unknown, form: Record<string, string>) {
    if (method !== 'client_secret_post') return token(server, secret === undefined ? { id } : { id, secret }, form);
    return token(server, { id }, { ...form, client_secret: secret ?? '' });
  }

  test('a page of any origin registers: preflight with the header of MCP, answers and refusals are its own to read', async () => {
    const origin = ['Origin', 'http://localhost:6274'] as const;
    const preflight = await call(server, {
      ...{ method: 'OPTIONS', path: '/oauth/register' },
      headers: [
        origin,
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'content-type,mcp-protocol-version'],
      ],
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:6274',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': expect.stringMatching(/content-type.*mcp-protocol-version/i),
    });
    const refused = await call(server, posting('/oauth/register', { redirect_uris: ['javascript:alert(1)'] }, origin));
    expect(refused.status).toBe(400);
    expect(refused.headers['access-control-allow-origin']).toBe('*');
    expect(JSON.parse(refused.text)).toMatchObject({ error: 'invalid_redirect_uri' });
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/oauth/token',
    ]) {
      const asked = [
        origin,
        ['Access-Control-Request-Method', path === '/oauth/token' ? 'POST' : 'GET'],
        ['Access-Control-Request-Headers', 'mcp-protocol-version'],
      ] as const;
      const { status, headers } = await call(server, { method: 'OPTIONS', path, headers: asked });
      expect([path, status, headers['access-control-allow-headers']]).toEqual([path, 204, 'mcp-protocol-version']);
    }
  });

  test('both discovery documents name the endpoint', async () => {
    for (const path of ['openid-configuration', 'oauth-authorization-server']) {
      const document = await (await fetch(`${server.url}/.well-known/${path}`)).json();
      expect(document).toMatchObject({ registration_endpoint: `${server.url}/oauth/register` });
    }
  });
});
