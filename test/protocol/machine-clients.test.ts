/** client_credentials (RFC 6749, section 4.4): a client's own tokens, for the APIs it is registered for. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { token } from '../support/agent.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';

const api = 'https://books.example.com';
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const scopes = [
    { name: 'books:read', sentence: 'See your books' },
    { name: 'books:write', sentence: 'Change your books' },
  ];
  expect((await server.core.apis.add({ identifier: api, name: 'Books', scopes })).outcome).toBe('saved');
});
afterAll(() => server.close());

const machine = (scope?: string) =>
  buildClient(server, {
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    ...(scope === undefined ? {} : { scope }),
  });
const ask = (client: { id: string; secret: string }, form: Record<string, string>) =>
  token(server, client, { grant_type: 'client_credentials', ...form });

test('a registered API scope gives a JWT access token for that API alone', async () => {
  const client = await machine('books:read');
  const { status, body } = await ask(client, { resource: api, scope: 'books:read' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ success: true, token_type: 'Bearer', scope: 'books:read', expires_in: 600 });
  expect(body.refresh_token).toBeUndefined();
  expect(body.username).toBeUndefined();
  const jwt = body.access_token ?? '';
  expect(decodeProtectedHeader(jwt)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
  expect(decodeJwt(jwt)).toMatchObject({ aud: api, sub: client.id, client_id: client.id, scope: 'books:read' });
});

test.each([
  ['C15: another scope of the API', 'books:read', { resource: api, scope: 'books:write' }],
  ['C15: a scope where none is registered', undefined, { resource: api, scope: 'books:read' }],
  ['C15: openid', 'books:read', { scope: 'openid' }],
  ['C15: offline_access', 'books:read', { scope: 'offline_access' }],
  ['C15: an unknown scope', 'books:read', { resource: api, scope: 'nothing' }],
  ['C15: the user API speaks of a person', undefined, { resource: 'ISSUER/user', scope: 'user' }],
])('%s is refused with invalid_scope', async (_name, registered, form) => {
  const client = await machine(registered);
  const asked = Object.fromEntries(Object.entries(form).map(([k, v]) => [k, String(v).replace('ISSUER', server.url)]));
  const { status, body } = await ask(client, asked);
  expect({ status, error: body.error, success: body.success }).toEqual({ status: 400, error: 'invalid_scope', success: false });
});

test('an API nobody knows is invalid_target', async () => {
  const { status, body } = await ask(await machine(), { resource: 'https://unknown.example.com' });
  expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_target' });
});

test('without a resource the token is opaque', async () => {
  const { status, body } = await ask(await machine(), {});
  expect(status).toBe(200);
  expect(body.access_token).toMatch(/^[A-Za-z0-9_-]{43}$/);
});
