/** How a client proves itself at the token endpoint, and what the endpoint takes at all. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { basic, token } from '../support/agent.ts';
import { assertionForm, comeBack, refresh, tokensFor, travel } from '../support/flow.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' };

describeStorages('client authentication', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  async function post(
    form: Record<string, string> | string | [string, string][],
    headers: Record<string, string> = {},
  ) {
    const response = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : `${new URLSearchParams(form)}`,
    });
    const body = (await response.json()) as { error?: string; success: boolean };
    return {
      status: response.status,
      error: body.error,
      challenge: response.headers.get('www-authenticate'),
      success: body.success,
    };
  }

  test('C6: Basic and post are one method, and percent-encoding in Basic is decoded', async () => {
    for (const token_endpoint_auth_method of ['client_secret_basic', 'client_secret_post']) {
      const client = await buildClient(server, { ...machine, token_endpoint_auth_method });
      const wanted = { grant_type: 'client_credentials' };
      expect((await post(wanted, { authorization: basic(client.id, client.secret) })).status).toBe(200);
      expect((await post({ ...wanted, client_id: client.id, client_secret: client.secret })).status).toBe(200);
      const encoded = [client.id, client.secret].map((part) =>
        [...part].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
      );
      const header = `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
      expect((await post(wanted, { authorization: header })).status).toBe(200);
    }
  });

  test('C6: malformed or doubled credentials are 400 invalid_request', async () => {
    const client = await buildClient(server, machine);
    const { id: client_id, secret: client_secret } = client;
    const good = basic(client_id, client_secret);
    const form = { grant_type: 'client_credentials' };
    const b64 = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    const cases: [Parameters<typeof post>[0], Record<string, string>?][] = [
      [{ ...form, client_id, client_secret }, { authorization: good }],
      [{ ...form, ...assertionForm('a.b.c') }, { authorization: good }],
      [{ ...form, client_id, client_secret, ...assertionForm('a.b.c') }],
      [
        [
          ['grant_type', 'client_credentials'],
          ['client_id', client_id],
          ['client_secret', client_secret],
          ['client_secret', client_secret],
        ],
      ],
      [
        [
          ['grant_type', 'client_credentials'],
          ['client_id', client_id],
          ['client_id', client_id],
          ['client_secret', client_secret],
        ],
      ],
      [{ ...form, client_id: 'another' }, { authorization: good }],
      [form, { authorization: b64(`${client_id}:%zz`) }],
      [form, { authorization: b64(client_id) }],
      [form, { authorization: b64(`${client_id}:`) }],
      [form, { authorization: 'Basic %%%' }],
      [form, { authorization: 'Basic' }],
      [form, { authorization: `${good}=` }],
      [form, { authorization: `${good} x` }],
      [form, { authorization: `Basic  ${good.slice(6)}` }],
      [form, { authorization: `Bearer ${good.slice(6)}` }],
      [form, { authorization: `${good}, ${good}` }],
    ];
    for (const [body, headers] of cases) {
      expect({ headers, ...(await post(body, headers)) }).toMatchObject({
        headers,
        status: 400,
        error: 'invalid_request',
        success: false,
      });
    }
  });

  test('C6: well-formed but wrong, missing, or in the query: 401 invalid_client, with a challenge for Basic', async () => {
    const client = await buildClient(server, machine);
    const other = await buildClient(server, machine);
    const form = { grant_type: 'client_credentials' };
    const cases: [Parameters<typeof post>[0], Record<string, string>?][] = [
      [form, { authorization: basic(client.id, 'wrong') }],
      [form, { authorization: basic(client.id, other.secret) }],
      [form, { authorization: basic(client.id, client.record.secrets[0]?.hash ?? '') }],
      [form, { authorization: basic('nobody', client.secret) }],
      [{ ...form, client_id: client.id, client_secret: 'wrong' }],
      [{ ...form, client_id: client.id }],
      [{ ...form, client_id: client.id, client_secret: '' }],
    ];
    for (const [body, headers] of cases) {
      const { challenge, ...answer } = await post(body, headers);
      expect(answer).toEqual({ status: 401, error: 'invalid_client', success: false });
      if (headers) expect(challenge).toMatch(/^Basic /);
    }
    const inQuery = await fetch(`${server.url}/oauth/token?client_id=${client.id}&client_secret=${client.secret}`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    expect(inQuery.status).toBeGreaterThanOrEqual(400);
    expect(inQuery.status).toBeLessThan(402);
  });

  describe('P11: client_id in HTTP Basic and in the body', () => {
    const endpoints: [string, Record<string, string>][] = [
      ['/oauth/token', { grant_type: 'client_credentials' }],
      ['/oauth/introspect', { token: 'x' }],
      ['/oauth/revoke', { token: 'x' }],
    ];
    async function send(path: string, form: Record<string, string>, authorization?: string) {
      const body = new URLSearchParams(form);
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(server.url + path, { method: 'POST', headers, body });
      const text = await response.text();
      const { error, check } = text.startsWith('{') ? JSON.parse(text) : {};
      return { path, status: response.status, error, check };
    }
    const b64 = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

    test.each(endpoints)(
      '%s: equal is one id, also percent-encoded; another one, or two secrets, is 400',
      async (path, form) => {
        const client = await buildClient(server, machine);
        const { id: client_id, secret: client_secret } = client;
        const other = await buildClient(server, machine);
        const good = basic(client_id, client_secret);
        const encoded = [...client_id].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
        for (const header of [good, b64(`${encoded}:${client_secret}`)])
          expect(await send(path, { ...form, client_id }, header)).toMatchObject({ path, status: 200 });
        // Registered for Basic, sent in the body: one method here.
        expect(await send(path, { ...form, client_id, client_secret })).toMatchObject({ path, status: 200 });
        // Empty is not sent (RFC 6749, section 3.2).
        expect(await send(path, { ...form, client_id, client_secret: '' }, good)).toMatchObject({ path, status: 200 });

        const refused = { path, status: 400, error: 'invalid_request', check: 'client_credentials_malformed' };
        for (const id of [other.id, 'nobody', client_id.toUpperCase()])
          expect(await send(path, { ...form, client_id: id }, good)).toEqual(refused);
        expect(await send(path, { ...form, client_id, client_secret }, good)).toEqual(refused);
        expect(await send(path, { ...form, client_id: other.id, client_secret: other.secret }, good)).toEqual(refused);
        expect(await send(path, { ...form, client_id, client_secret: 'x' }, good)).toEqual(refused);
      },
    );

    test('an empty secret in HTTP Basic says no more than client_id: enough for a public client, and for no other', async () => {
      const spa = await buildClient(server, { token_endpoint_auth_method: 'none' });
      const code = { grant_type: 'authorization_code', code: 'x', code_verifier: 'v'.repeat(43) };
      for (const more of [{}, { client_id: spa.id }])
        expect(await send('/oauth/token', { ...code, ...more }, b64(`${spa.id}:`))).toMatchObject({
          ...{ status: 400, error: 'invalid_grant', check: 'code_unknown' },
        });
      for (const [path, form] of endpoints.slice(2))
        expect(await send(path, form, b64(`${spa.id}:`))).toMatchObject({ path, status: 200 });
      const client = await buildClient(server, machine);
      const malformed = { status: 400, error: 'invalid_request', check: 'client_credentials_malformed' };
      for (const [path, form] of endpoints) {
        expect(await send(path, form, b64(`${client.id}:`))).toEqual({ path, ...malformed });
        expect(await send(path, form, b64('nobody:'))).toEqual({ path, ...malformed });
        expect(await send(path, { ...form, client_id: client.id }, b64(`${spa.id}:`))).toEqual({ path, ...malformed });
      }
    });
  });

  test('C6: a confidential client that names only itself refreshes nothing', async () => {
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client);
    const answer = await refresh(server, { id: client.id }, body.refresh_token);
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
  });

  test('C6: after a rotation both secrets work, the old one for its overlap only', async () => {
    const client = await buildClient(server, machine);
    const rotated = await server.app.clients.rotateSecret(client.id);
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome);
    const tryWith = async (secret: string) =>
      (await token(server, { id: client.id, secret }, { grant_type: 'client_credentials' })).status;
    expect([await tryWith(client.secret), await tryWith(rotated.secret)]).toEqual([200, 200]);
    travel(86_400 + 1);
    expect([await tryWith(client.secret), await tryWith(rotated.secret)]).toEqual([401, 200]);
  });

  test('C17: GET, PUT and DELETE are refused, and so is a body that is no form', async () => {
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
        const response = await fetch(server.url + path, { method });
        expect([path, method, response.status, response.headers.get('allow')]).toEqual([
          path,
          method,
          405,
          'POST, OPTIONS',
        ]);
      }
      for (const type of [
        'application/json',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/x-www-form-urlencoded-not',
      ]) {
        const response = await fetch(server.url + path, {
          method: 'POST',
          headers: { 'content-type': type },
          body: '{"grant_type":"client_credentials"}',
        });
        expect([path, type, response.status >= 400 && response.status < 500]).toEqual([path, type, true]);
      }
    }
  });

  test('A15: grants that are not served are unsupported_grant_type', async () => {
    const client = await buildClient(server);
    const grants = [
      'password',
      'implicit',
      'urn:openid:params:grant-type:ciba',
      'CLIENT_CREDENTIALS',
      'refresh_token ',
      '__proto__',
      'constructor',
    ];
    for (const grant_type of grants) {
      const { status, body } = await token(server, client, { grant_type, username: 'a', password: 'b' });
      expect({ grant_type, status, error: body.error }).toEqual({
        grant_type,
        status: 400,
        error: 'unsupported_grant_type',
      });
    }
    expect((await token(server, client, {})).body.error).toBe('invalid_request');
    const foreign = await token(server, client, { grant_type: 'client_credentials' });
    expect(foreign.body.error).toBe('unauthorized_client');
  });
});
