/** `PATCH /clients/{id}`: a client is changed by an admin, on every node, by the rules of registration. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call } from '../support/call.ts';
import { eventually } from '../support/redis-server.ts';
import { adminKey, buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('PATCH /clients/{id}', (storage) => {
  let server: TestServer;
  let second: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    second = await storage.join(server);
  });
  afterAll(() => server.close());

  async function patch(id: string, body: unknown, key = adminKey, type = 'application/json') {
    const headers = [['X-Admin-Key', key] as const, ['Content-Type', type] as const];
    const answer = await call(server, {
      ...{ method: 'PATCH', path: `/clients/${id}`, headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown>, headers: answer.headers };
  }
  const made = () => buildClient(server, { policy_uri: 'https://app.example.com/p' }, 'register');

  test('members change, null removes, the rest stays; the other node knows within a second; it is on record', async () => {
    const { id } = await made();
    const { status, body } = await patch(id, {
      client_name: 'New',
      policy_uri: null,
      redirect_uris: ['https://app.example.com/new'],
      skip_consent: true,
      version: 1,
    });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        success: true,
        client_id: id,
        version: 2,
        client_name: 'New',
        redirect_uris: ['https://app.example.com/new'],
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    ]);
    for (const member of ['policy_uri', 'skip_consent', 'client_secret']) expect(body).not.toHaveProperty(member);
    await eventually(
      'the other node has it',
      async () => (await second.core.cached.find(id))?.metadata.client_name === 'New',
      1000,
    );
    const [record] = await server.core.stores.audit.list({ clientId: id, event: 'client.updated' }, 1);
    expect(record).toMatchObject({
      address: expect.any(String),
      requestId: expect.any(String),
      detail: {
        via: 'oauth-clients',
        members: ['client_name', 'policy_uri', 'redirect_uris'],
        before: { policy_uri: 'https://app.example.com/p' },
        after: { client_name: 'New' },
      },
    });
  });

  test('a client that becomes public loses its secrets, and gets a new one when it comes back', async () => {
    const { id } = await made();
    expect((await patch(id, { token_endpoint_auth_method: 'none' })).body).not.toHaveProperty('client_secret');
    expect((await server.core.stores.clients.find(id))?.secrets).toEqual([]);
    const { body } = await patch(id, { token_endpoint_auth_method: 'client_secret_post' });
    expect(body.client_secret).toMatch(/^[\w-]{43}$/);
  });

  test('what only an operator decides stays as it is', async () => {
    const strict = await buildClient(server, { second_factor: 'required', require_pkce: true });
    const answer = await patch(strict.id, { second_factor: null, require_pkce: false, client_name: 'Lax' });
    expect(answer).toMatchObject({ status: 200, body: { second_factor: 'required', require_pkce: true } });
  });

  test('an operator with the admin key sets how long replaced refresh tokens are forgiven', async () => {
    const { id } = await buildClient(server, { token_endpoint_auth_method: 'none' });
    const rule = { refresh_reuse: 'window', refresh_reuse_seconds: 300 };
    const set = await patch(id, rule);
    expect(set).toMatchObject({ status: 200, body: rule });
    expect(set.body).not.toHaveProperty('dropped');
    expect((await patch(id, { refresh_reuse_seconds: 901 })).body).toMatchObject({ error: 'invalid_client_metadata' });
    const none = await patch(id, { refresh_reuse: null, refresh_reuse_seconds: null });
    expect(none.body).not.toHaveProperty('refresh_reuse');
  });

  test('only what was sent and is not used is told as dropped', async () => {
    const theirs = { brand_accent: '#112233', redirect_schemes: ['acme'], second_factor: 'required' };
    const { id } = await buildClient(server, { ...theirs, redirect_uris: ['acme:/cb'] });
    const renamed = await patch(id, { client_name: 'New' });
    expect(renamed).toMatchObject({ status: 200, body: { ...theirs, client_name: 'New' } });
    expect(renamed.body).not.toHaveProperty('dropped');
    const asked = { brand_accent: '#445566', redirect_schemes: ['other'], loopback_ports: 'any' };
    const { body } = await patch(id, { ...asked, consent: 'always', skip_consent: true });
    expect(body).toMatchObject({ ...theirs, consent: 'always', loopback_ports: 'registered' });
    expect(body.dropped).toEqual(['skip_consent', 'brand_accent', 'redirect_schemes', 'loopback_ports']);
  });

  test('takes the media type of a merge patch, which registering does not', async () => {
    const { id } = await made();
    const type = 'application/merge-patch+json';
    expect(await patch(id, { client_name: 'New' }, adminKey, type)).toMatchObject({ body: { client_name: 'New' } });
    expect((await patch(id, { client_name: 'New' }, adminKey, 'text/plain')).status).toBe(415);
    const headers = [['X-Admin-Key', adminKey] as const, ['Content-Type', type] as const];
    expect((await call(server, { method: 'POST', path: '/clients/register', headers, body: '{}' })).status).toBe(415);
  });

  test('is refused in the words of this API, and nothing is changed', async () => {
    const { id } = await made();
    const before = await server.core.stores.clients.find(id);
    for (const [change, status, error] of [
      [{ redirect_uris: ['http://app.example.com/cb'] }, 400, 'invalid_redirect_uri'],
      [{ redirect_uris: 'https://app.example.com/cb' }, 400, 'invalid_redirect_uri'],
      [{ redirect_uris: null }, 400, 'invalid_redirect_uri'],
      [{ grant_types: ['password'] }, 400, 'invalid_client_metadata'],
      [{ version: 0 }, 400, 'invalid_request'],
      [{ client_name: 'X', version: 7 }, 409, 'conflict'],
      ['[]', 400, 'invalid_request'],
    ] as const) {
      const { body, ...answer } = await patch(id, change);
      expect([change, answer.status, body]).toEqual([
        change,
        status,
        { success: false, error, error_description: expect.any(String) },
      ]);
    }
    expect(await server.core.stores.clients.find(id)).toEqual(before);
    expect((await patch(id, {}, 'wrong')).status).toBe(401);
    expect(await patch('no-such-client', {})).toMatchObject({ status: 404, body: { error: 'not_found' } });
    expect(await patch('%00', {})).toMatchObject({ status: expect.any(Number), body: { success: false } });
    expect(await patch('gatehouse-account', { client_name: 'X' })).toMatchObject({ status: 403 });
    expect((await patch(id, {})).body).toMatchObject({ version: 1 });
  });
});
