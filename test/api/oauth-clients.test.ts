/**
 * The surface "OAuth clients and users" as its callers see it: golden tables of request -> exact answer, over the real
 * server.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Agent, codeOf, token } from '../support/agent.ts';
import { type Call, type CallAnswer, call as send } from '../support/call.ts';
import { describePostgres, freshPostgres } from '../support/databases.ts';
import { type Described, describedBy } from '../support/document.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import { comeBack, travel } from '../support/flow.ts';
import { expectNoInsides } from '../support/leaks.ts';
import { eventually } from '../support/redis-server.ts';
import { adminKey, buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

let server: TestServer;
let described: Described;

/** Every answer is one that the OpenAPI document knows. */
async function call(made: Call, at = server): Promise<CallAnswer> {
  const answer = await send(at, made);
  if (at === server) described.check(made.method ?? 'GET', made.path, answer);
  return answer;
}

const json = ['Content-Type', 'application/json'] as const;
const key = ['X-Admin-Key', adminKey] as const;
const bearer = (value: string) => ['Authorization', `Bearer ${value}`] as const;

const application = {
  app_name: 'Test App',
  contact_email: 'contact@app.com',
  redirect_url: 'https://localhost:8080/test',
};
const registering = (body: unknown): Call => ({
  method: 'POST',
  path: '/clients/register',
  headers: [key, json],
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});

interface Registered {
  readonly success: true;
  readonly client_id: string;
  readonly client_secret: string;
  readonly redirect_url: string | string[];
}
async function register(more: object = {}, at = server): Promise<Registered> {
  const { status, text } = await call(registering({ ...application, ...more }), at);
  if (status !== 200) throw new Error(text);
  return JSON.parse(text) as Registered;
}
const reloading: Call = { method: 'POST', path: '/internal/reload-clients', headers: [key] };
const stored = async (id: string) => (await server.core.stores.clients.find(id))?.metadata ?? {};

/** What every answer of this surface carries (security.md C16, G7), and every error besides. */
function expectForm({ status, headers, text }: CallAnswer): void {
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['x-content-type-options']).toBe('nosniff');
  if (status === 204 || text === '') return;
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  if (status === 200) return;
  const body = JSON.parse(text);
  expect(Object.keys(body)).toEqual(['success', 'error', 'error_description']);
  expect(body.success).toBe(false);
  expect(body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  expectNoInsides(text);
}

/** Description, call, status, `error`, and the description where it matters. */
type Row = readonly [string, () => Call, number, string, string?];
function table(rows: readonly Row[]): void {
  for (const [name, made, status, error, description] of rows) {
    test(name, async () => {
      const answer = await call(made());
      expectForm(answer);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        status,
        { success: false, error, error_description: description ?? expect.any(String) },
      ]);
    });
  }
}

/**
 * An access token for the user API, as a program of the original gets it: no PKCE, no redirect_uri, the old parameter.
 */
async function signedIn(parameters: Record<string, string> = {}) {
  const made = await register({ redirect_url: 'https://app.example.com/cb' });
  const client = { id: made.client_id, secret: made.client_secret };
  const person = await buildPerson(server);
  const answer = await new Agent(server).authorize(person, { client_id: client.id, ...parameters });
  const { body } = await token(server, client, {
    grant_type: 'authorization_code',
    authorization_code: codeOf(answer),
    ...(parameters.resource ? { resource: parameters.resource } : {}),
  });
  return { client, person, body, accessToken: body.access_token ?? '' };
}
const userInfo = (...headers: (readonly [string, string])[]): Call => ({ path: '/user/info', headers });

describe('on SQLite', () => {
  beforeAll(async () => {
    server = await startServer();
    described = await describedBy(server);
  });
  afterAll(() => server.close());

  describe('POST /clients/register', () => {
    test('C16: answers with the four documented members, in their order', async () => {
      const answer = await call(registering(application));
      expectForm(answer);
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(
        /^\{"success":true,"client_id":"[\w-]{22}","client_secret":"[\w-]{43}","redirect_url":"https:\/\/localhost:8080\/test"\}$/,
      );
    });

    test('an array in gives an array out', async () => {
      const urls = ['https://a.example/cb', 'http://127.0.0.1:9000/cb'];
      expect((await register({ redirect_url: urls })).redirect_url).toEqual(urls);
      expect((await register({ redirect_url: ['https://a.example/cb'] })).redirect_url).toEqual([
        'https://a.example/cb',
      ]);
    });

    test('is confidential, may refresh and leave PKCE out, and is audited before the answer', async () => {
      const { client_id: id } = await register();
      expect(await stored(id)).toMatchObject({
        client_name: 'Test App',
        contacts: ['contact@app.com'],
        redirect_uris: ['https://localhost:8080/test'],
        application_type: 'web',
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_basic',
        require_pkce: false,
      });
      const [event] = await server.core.stores.audit.list({ event: 'client.registered' }, 1);
      expect(event).toMatchObject({ clientId: id, detail: { via: 'oauth-clients' } });
      expect(event?.requestId).toEqual(expect.any(String));
    });

    test('require_pkce makes PKCE obligatory', async () => {
      const { client_id } = await register({ require_pkce: true, redirect_url: 'https://app.example.com/cb' });
      const refused = await new Agent(server).go(`/oauth/authorize?response_type=code&client_id=${client_id}`);
      expect(new URL(refused.location ?? '').searchParams.get('error')).toBe('invalid_request');
    });

    test('a private-use scheme makes a native client, which authenticates as any other', async () => {
      const { client_id } = await register({ redirect_url: 'com.example.app:/cb' });
      expect(await stored(client_id)).toMatchObject({ application_type: 'native', require_pkce: false });
    });

    test('takes RFC 7591 metadata along; lists that say the same as a field are joined to it', async () => {
      const more = {
        client_uri: 'https://app.example.com/',
        logo_uri: 'https://app.example.com/logo.png',
        post_logout_redirect_uris: ['https://app.example.com/bye'],
        grant_types: ['authorization_code', 'client_credentials'],
        scope: 'openid user',
        contacts: ['second@app.com'],
        redirect_uris: ['https://app.example.com/cb'],
        client_name: 'Another name',
      };
      const { client_id } = await register(more);
      expect(await stored(client_id)).toMatchObject({
        ...more,
        client_name: 'Test App',
        contacts: ['contact@app.com', 'second@app.com'],
        redirect_uris: ['https://localhost:8080/test', 'https://app.example.com/cb'],
      });
    });

    test('a client that authenticates without a secret gets null for it', async () => {
      const answer = await call(registering({ ...application, token_endpoint_auth_method: 'none' }));
      expect(answer.text).toMatch(
        /^\{"success":true,"client_id":"[^"]+","client_secret":null,"redirect_url":"[^"]+"\}$/,
      );
      expect(await stored(JSON.parse(answer.text).client_id)).toMatchObject({ require_pkce: true });
    });

    test('P7: where something is dropped the answer lists what was registered; otherwise it has its four fields', async () => {
      const unused = 'urn:openid:params:grant-type:ciba';
      const sent = {
        ...application,
        grant_types: ['authorization_code', unused],
        scope: '',
        x: 1,
        redirect_schemes: ['a1'],
      };
      const { text } = await call(registering(sent));
      const answer = JSON.parse(text);
      expect(answer).toMatchObject({
        ...{ success: true, client_id: expect.any(String), client_secret: expect.any(String) },
        ...{ client_name: 'Test App', grant_types: ['authorization_code'], require_pkce: false },
        dropped: ['x', `grant_types ${unused}`, 'scope (it is empty)', 'redirect_schemes'],
      });
      expect(answer).not.toHaveProperty('scope');
      const plain = JSON.parse(
        (await call(registering({ ...application, client_uri: 'https://app.example.com/' }))).text,
      );
      expect(Object.keys(plain)).toEqual(['success', 'client_id', 'client_secret', 'redirect_url']);
    });

    test.each(['require_signed_request_object'])('P7: %s is refused, since it is not enforced', async (member) => {
      const { status, text } = await call(registering({ ...application, [member]: true }));
      expect([status, JSON.parse(text)]).toMatchObject([
        400,
        {
          success: false,
          error: 'invalid_client_metadata',
          error_description: expect.stringMatching(`^${member} asks`),
        },
      ]);
      expect((await call(registering({ ...application, [member]: false }))).status).toBe(200);
    });

    test('a profile is set and enforced here too, and its contradictions are named', async () => {
      const fapi = {
        ...application,
        redirect_url: 'https://app.example.com/cb',
        profile: 'fapi2',
        jwks_uri: 'https://app.example.com/jwks',
      };
      const made = JSON.parse((await call(registering(fapi))).text);
      expect(await stored(made.client_id)).toMatchObject({
        profile: 'fapi2',
        require_pushed_authorization_requests: true,
      });
      for (const [member, value] of [
        ['require_pushed_authorization_requests', false],
        ['dpop_bound_access_tokens', false],
        ['id_token_signed_response_alg', 'RS256'],
      ] as const) {
        const { status, text } = await call(registering({ ...fapi, [member]: value }));
        expect([status, JSON.parse(text).error_description]).toEqual([
          400,
          expect.stringMatching(`^${member} must be`),
        ]);
      }
    });

    test('dpop_bound_access_tokens is enforced from the first request on', async () => {
      const asked = { ...application, grant_types: ['client_credentials'], response_types: [] };
      const made = await call(registering({ ...asked, dpop_bound_access_tokens: true }));
      const { client_id: id, client_secret: secret } = JSON.parse(made.text);
      const form = { grant_type: 'client_credentials' };
      const bare = await tokenWith(server, { id, secret }, form);
      expect([bare.status, bare.body.error]).toEqual([400, 'invalid_dpop_proof']);
      const proof = proofOf(buildProofKey(), { url: `${server.core.config.issuer}/oauth/token` });
      expect((await tokenWith(server, { id, secret }, form, proof)).body.token_type).toBe('DPoP');
    });

    test('E3: what would mean trust is not stored, whatever it is called', async () => {
      const smuggled = `{"app_name":"Test App","contact_email":"contact@app.com","redirect_url":"https://a.example/cb",
      "client_id":"mine","client_secret":"mine","client_secret_expires_at":0,"registration_access_token":"mine","trusted":true,
      "skip_consent":true,"owner":"somebody","origin":"built-in","version":7,"success":false,"require_pkce":false,
      "__proto__":{"skip_consent":true},"constructor":{"prototype":{"trusted":true}},"hasOwnProperty":1}`;
      const answer = await call(registering(smuggled));
      const { client_id: id, client_secret: secret } = JSON.parse(answer.text);
      expect([answer.status, id === 'mine', secret === 'mine']).toEqual([200, false, false]);
      const record = await server.core.stores.clients.find(id);
      expect(record).toMatchObject({ owner: null, origin: 'register', version: 1, disabledAt: null });
      expect(JSON.stringify(record)).not.toMatch(/mine|trusted|skip_consent|somebody|constructor|__proto__|hasOwn/);
      expect(({} as Record<string, unknown>).trusted).toBeUndefined();
    });

    test('E5: the secret is in this one answer, and in no byte of the database or the log', async () => {
      const { client_secret: secret } = await register();
      const files = ['gatehouse.sqlite', 'gatehouse.sqlite-wal'].map((name) => join(server.dataDir, name));
      for (const file of files.filter((name) => existsSync(name)))
        expect(readFileSync(file).includes(secret)).toBe(false);
      expect(server.logged.join('')).not.toContain(secret);
    });

    describe('E1: without the key, 401 and nothing else', () => {
      const body = JSON.stringify(application);
      const withHeaders =
        (...headers: (readonly [string, string])[]) =>
        (): Call => ({ method: 'POST', path: '/clients/register', headers: [json, ...headers], body });
      const refused = ['unauthorized', 'an admin key is needed in X-Admin-Key'] as const;
      table([
        ['none', withHeaders(), 401, ...refused],
        ['empty', withHeaders(['X-Admin-Key', '']), 401, ...refused],
        ['wrong', withHeaders(['X-Admin-Key', 'examplepassword']), 401, ...refused],
        ['upper-cased', withHeaders(['X-Admin-Key', adminKey.toUpperCase()]), 401, ...refused],
        ['cut short', withHeaders(['X-Admin-Key', adminKey.slice(0, -1)]), 401, ...refused],
        ['right and wrong', withHeaders(key, ['X-Admin-Key', 'wrong']), 401, ...refused],
        ['right twice', withHeaders(key, key), 401, ...refused],
        ['right twice in one line', withHeaders(['X-Admin-Key', `${adminKey}, ${adminKey}`]), 401, ...refused],
        ['as a bearer token', withHeaders(bearer(adminKey)), 401, ...refused],
        ['in a cookie', withHeaders(['Cookie', `X-Admin-Key=${adminKey}`]), 401, ...refused],
        [
          'in the query',
          () => ({ ...withHeaders()(), path: `/clients/register?X-Admin-Key=${adminKey}` }),
          401,
          ...refused,
        ],
        [
          'in the body',
          () => ({ ...withHeaders()(), body: JSON.stringify({ ...application, 'X-Admin-Key': adminKey }) }),
          401,
          ...refused,
        ],
        ['before the body is looked at', () => ({ ...withHeaders()(), body: '{' }), 401, ...refused],
        ['reload', () => ({ method: 'POST', path: '/internal/reload-clients' }), 401, ...refused],
      ]);

      test('the key is in no line of the log', () => {
        expect(server.logged.join('')).not.toContain(adminKey);
      });

      test('the challenge is one that makes no browser ask for a password', async () => {
        expect((await call(withHeaders()())).headers['www-authenticate']).toBe('X-Admin-Key');
      });
    });

    test('one of several keys is enough, so that one can be replaced', async () => {
      const other = await startServer({ env: { ADMIN_KEY: 'the-old-admin-key-0001,the-new-admin-key-0002' } });
      try {
        const statuses = [
          'the-old-admin-key-0001',
          'the-new-admin-key-0002',
          'the-old-admin-key-0001,the-new-admin-key-0002',
        ].map(
          async (value) =>
            (await call({ method: 'POST', path: '/internal/reload-clients', headers: [['X-Admin-Key', value]] }, other))
              .status,
        );
        expect(await Promise.all(statuses)).toEqual([200, 200, 401]);
      } finally {
        await other.close();
      }
    });

    describe('a field that is wrong', () => {
      const field = (more: object) => () => registering({ ...application, ...more });
      const uri = (url: unknown) => field({ redirect_url: url });
      const metadata = 'invalid_client_metadata';
      const name = [400, metadata, 'app_name must be given, as a string'] as const;
      const contact = [400, metadata, 'contact_email must be given, as a string'] as const;
      const redirect = [
        400,
        'invalid_redirect_uri',
        'redirect_url must be given, as a string or an array of strings',
      ] as const;
      const refusedUri = [400, 'invalid_redirect_uri'] as const;
      table([
        ['no app_name', field({ app_name: undefined }), ...name],
        ['app_name null', field({ app_name: null }), ...name],
        ['app_name empty', field({ app_name: '' }), ...name],
        ['app_name a number', field({ app_name: 1 }), ...name],
        [
          'app_name too long',
          field({ app_name: 'x'.repeat(2049) }),
          400,
          metadata,
          'app_name must not be longer than 2048 bytes',
        ],
        [
          'app_name with a line break',
          field({ app_name: 'a\nb' }),
          400,
          metadata,
          'app_name must not contain control characters or broken Unicode',
        ],
        ['no contact_email', field({ contact_email: undefined }), ...contact],
        ['contact_email an array', field({ contact_email: ['a@b.example'] }), ...contact],
        [
          'contact_email no address',
          field({ contact_email: 'nobody' }),
          400,
          metadata,
          'contact_email must be e-mail addresses',
        ],
        ['no redirect_url', uri(undefined), ...redirect],
        ['redirect_url an empty array', uri([]), ...redirect],
        ['redirect_url an object', uri({ length: 1, 0: 'https://a.example' }), ...redirect],
        ['redirect_url with a number in it', uri(['https://a.example/cb', 1]), ...redirect],
        [
          'http beyond loopback',
          uri('http://app.example.com/cb'),
          ...refusedUri,
          'redirect_url must be https, or http on localhost, 127.0.0.1 or [::1]',
        ],
        ['a fragment', uri('https://a.example/cb#x'), ...refusedUri, 'redirect_url must not have a fragment'],
        ['a wildcard', uri('https://*.example/cb'), ...refusedUri, 'redirect_url must not have a wildcard'],
        [
          'credentials',
          uri('https://user:pw@a.example/cb'),
          ...refusedUri,
          'redirect_url must not contain credentials',
        ],
        ['A16: javascript:', uri('javascript:alert(1)'), ...refusedUri],
        ['A16: JaVaScRiPt: with a tab', uri('JaVa\tScRiPt:alert(1)'), ...refusedUri],
        ['A16: data:', uri('data:text/html,x'), ...refusedUri],
        ['a private-use scheme without a dot', uri('myapp:/cb'), ...refusedUri],
        ['relative', uri('/cb'), ...refusedUri],
        ['one good, one bad', uri(['https://a.example/cb', 'https://a.example/../cb']), ...refusedUri],
        ['native mixed with https loopback', uri(['com.example.app:/cb', 'https://localhost/cb']), ...refusedUri],
        [
          'redirect_uris no list',
          field({ redirect_uris: 'https://a.example/cb' }),
          ...refusedUri,
          'redirect_url must be an array of strings',
        ],
        [
          'A16: another URI',
          field({ logo_uri: 'javascript:alert(1)' }),
          400,
          metadata,
          'logo_uri must be https or http',
        ],
        ['the password grant', field({ grant_types: ['password'] }), 400, metadata],
        ['require_pkce no boolean', field({ require_pkce: 'true' }), 400, metadata, 'require_pkce must be a boolean'],
        [
          'the engine has the last word',
          field({ jwks_uri: 'https://a.example/jwks', jwks: { keys: [] } }),
          400,
          metadata,
        ],
      ]);
    });

    describe('G5: a body that is wrong', () => {
      const bad = 'invalid_request';
      const typed = (type: string) => () => ({
        ...registering(application),
        headers: [key, ['Content-Type', type] as const],
      });
      const unsupported = 'the body must be application/json in UTF-8, not compressed';
      const text = (member: string) => () => registering(`${JSON.stringify(application).slice(0, -1)},${member}}`);
      const nested = (levels: number) => text(`"x":${'['.repeat(levels)}${']'.repeat(levels)}`);
      table([
        [
          'none',
          () => ({ method: 'POST', path: '/clients/register', headers: [key, json] }),
          400,
          bad,
          'the body is not valid JSON',
        ],
        [
          'no content type, no JSON',
          () => ({ ...registering('name=x'), headers: [key] }),
          400,
          bad,
          'the body is not valid JSON',
        ],
        [
          'no content type, nothing',
          () => ({ ...registering(''), headers: [key] }),
          400,
          bad,
          'the body is not valid JSON',
        ],
        ['a form', typed('application/x-www-form-urlencoded'), 415, bad, unsupported],
        ['text/json', typed('text/json'), 415, bad, unsupported],
        ['another charset', typed('application/json; charset=utf-16'), 415, bad, unsupported],
        [
          'two content types',
          () => ({ ...registering(application), headers: [key, json, json] }),
          415,
          bad,
          unsupported,
        ],
        [
          'compressed',
          () => ({ ...registering(application), headers: [key, json, ['Content-Encoding', 'gzip']] }),
          415,
          bad,
          unsupported,
        ],
        ['cut off', () => registering('{"app_name":'), 400, bad, 'the body is not valid JSON'],
        ['a trailing comma', text('"x":1,'), 400, bad, 'the body is not valid JSON'],
        ['a comment', text('/**/"x":1'), 400, bad, 'the body is not valid JSON'],
        [
          'a byte order mark',
          () => registering(`\ufeff${JSON.stringify(application)}`),
          400,
          bad,
          'the body is not valid JSON',
        ],
        ['UTF-16', () => registering(Buffer.from(JSON.stringify(application), 'utf16le')), 400, bad],
        [
          'broken UTF-8',
          () => registering(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
          400,
          bad,
          'the body is not valid UTF-8',
        ],
        [
          'an encoded surrogate',
          () => registering(Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])),
          400,
          bad,
          'the body is not valid UTF-8',
        ],
        ['null', () => registering('null'), 400, bad, 'the body must be a JSON object'],
        ['an array', () => registering('[]'), 400, bad, 'the body must be a JSON object'],
        ['a string', () => registering('"x"'), 400, bad, 'the body must be a JSON object'],
        ['U+0000', text('"x":"a\\u0000b"'), 400, bad, 'the body holds U+0000 or half of a surrogate pair'],
        ['half a surrogate pair', text('"x":"\\ud800"'), 400, bad, 'the body holds U+0000 or half of a surrogate pair'],
        [
          'half a surrogate pair as a name',
          text('"\\udfff":1'),
          400,
          bad,
          'the body holds U+0000 or half of a surrogate pair',
        ],
        ['a member twice', text('"redirect_url":"https://b.example/cb"'), 400, bad, 'the body has a member twice'],
        [
          'a member twice, once in disguise',
          text('"redirect_ur\\u006c":"https://b.example/cb"'),
          400,
          bad,
          'the body has a member twice',
        ],
        ['32 levels', nested(32), 400, bad, 'the body is nested more than 32 levels deep'],
        ['10 000 levels', nested(10_000), 400, bad, 'the body is nested more than 32 levels deep'],
        ['30 000 levels', nested(30_000), 400, bad, 'the body is nested more than 32 levels deep'],
        [
          'a huge array of URLs',
          () =>
            registering({
              ...application,
              redirect_url: Array.from({ length: 2000 }, (_, n) => `https://a.example/${n}`),
            }),
          400,
          'invalid_redirect_uri',
          'redirect_url must not have more than 100 members',
        ],
        [
          'one byte over 64 KiB',
          () => registering(Buffer.alloc(65_537, ' ')),
          413,
          bad,
          'the body is larger than 65536 bytes',
        ],
        ['1 MB', () => registering(Buffer.alloc(1_000_000, ' ')), 413, bad, 'the body is larger than 65536 bytes'],
        [
          '1 MB, chunked',
          () => ({ ...registering(Buffer.alloc(1_000_000, ' ')), chunked: true }),
          413,
          bad,
          'the body is larger than 65536 bytes',
        ],
        [
          '1 MB for the reload',
          () => ({ method: 'POST', path: '/internal/reload-clients', headers: [key], body: Buffer.alloc(1_000_000) }),
          413,
          bad,
        ],
      ]);

      test.each([
        ['31 levels', nested(31)],
        ['the same name in two objects', text('"x":{"a":1},"y":{"a":1},"z":[{"a":1},{"a":1}]')],
        ['a value that looks like a name', text('"x":["app_name","app_name"]')],
        ['a long string full of escapes', text(`"x":"${'\\"'.repeat(30_000)}"`)],
        ['charset=utf-8', typed('Application/JSON; charset="UTF-8"')],
        ['whole surrogate pairs', () => registering({ ...application, app_name: 'App \u{1F511}' })],
      ])('and one that is not: %s', async (_name, made) => {
        expect((await call(made())).status).toBe(200);
      });
    });
  });

  describe('POST /internal/reload-clients', () => {
    test('E7: no request misses its client while it runs again and again', async () => {
      const client = await buildClient(server, { grant_types: ['client_credentials'], redirect_uris: [] });
      let reloading = true;
      const reloads = (async () => {
        const answers = [];
        for (let round = 0; round < 20; round++) {
          answers.push(
            ...(await Promise.all(
              Array.from({ length: 5 }, () =>
                call({ method: 'POST', path: '/internal/reload-clients', headers: [key] }),
              ),
            )),
          );
        }
        reloading = false;
        return answers;
      })();
      const errors: unknown[] = [];
      while (reloading) {
        const { status, body } = await token(server, client, { grant_type: 'client_credentials' });
        if (status !== 200) errors.push(body);
      }
      const count = await server.core.stores.clients.count();
      expect(errors).toEqual([]);
      expect(new Set((await reloads).map(({ status, text }) => `${status} ${text}`))).toEqual(
        new Set([`200 {"success":true,"clients_loaded":${count}}`]),
      );
      const [event] = await server.core.stores.audit.list({ event: 'client.cache_reloaded' }, 1);
      expect(event?.detail).toEqual({ loaded: count });
    });

    test('a body, of whatever kind, changes nothing', async () => {
      const answer = await call({ method: 'POST', path: '/internal/reload-clients', headers: [key, json], body: '{' });
      expect(answer.status).toBe(200);
    });
  });

  describe('GET /user/info', () => {
    let theirs: Awaited<ReturnType<typeof signedIn>>;
    beforeAll(async () => {
      theirs = await signedIn();
    });
    const good = () => bearer(theirs.accessToken);
    const asking = (query: string) => (): Call => ({ path: `/user/info?${query}`, headers: [good()] });
    const hints = () => `, scope="user", resource_metadata="${server.url}/.well-known/oauth-protected-resource/user"`;
    const challenge = (more: string) => `Bearer realm="${server.url}/user"${more}${hints()}`;
    const invalidToken = ', error="invalid_token", error_description="the access token is not valid"';

    describe('G4: how the token comes', () => {
      const once = 'send one access token, in one Authorization header';
      table([
        ['not at all', () => userInfo(), 401, 'unauthorized', 'an access token is needed'],
        ['an empty header', () => userInfo(['Authorization', '']), 401, 'unauthorized'],
        ['another scheme', () => userInfo(['Authorization', 'Basic %%%']), 401, 'unauthorized'],
        ['in the query', () => ({ path: `/user/info?access_token=${theirs.accessToken}` }), 401, 'unauthorized'],
        [
          'in a body',
          () => ({
            ...userInfo(['Content-Type', 'application/x-www-form-urlencoded']),
            body: `access_token=${theirs.accessToken}`,
          }),
          401,
          'unauthorized',
        ],
        ['the scheme alone', () => userInfo(['Authorization', 'Bearer']), 400, 'invalid_request', once],
        [
          'with a word too many',
          () => userInfo(['Authorization', `Bearer ${theirs.accessToken} x`]),
          400,
          'invalid_request',
          once,
        ],
        [
          'with a comma',
          () => userInfo(['Authorization', `Bearer ${theirs.accessToken},`]),
          400,
          'invalid_request',
          once,
        ],
        ['two headers', () => userInfo(good(), good()), 400, 'invalid_request', once],
        [
          'in the header and in the query',
          () => ({ path: '/user/info?access_token=x', headers: [good()] }),
          400,
          'invalid_request',
          once,
        ],
        [
          'two spaces and no token',
          () => userInfo(['Authorization', 'Bearer  x']),
          401,
          'invalid_token',
          'the access token is not valid',
        ],
        ['of 10 KB', () => userInfo(bearer('x'.repeat(10_000))), 401, 'invalid_token'],
        ['in five parts', () => userInfo(bearer('a.b.c.d.e')), 401, 'invalid_token'],
        [
          'with another signature',
          () => userInfo(bearer(`${theirs.accessToken.slice(0, -10)}AAAAAAAAAA`)),
          401,
          'invalid_token',
        ],
        ['the refresh token instead', () => userInfo(bearer(theirs.body.refresh_token ?? '')), 401, 'invalid_token'],
      ]);

      test('challenges as RFC 6750, section 3 has it', async () => {
        const heard = async (asked: Call) => (await call(asked)).headers['www-authenticate'];
        expect(await heard(userInfo())).toBe(challenge(''));
        expect(await heard(userInfo(bearer('x')))).toBe(challenge(invalidToken));
        expect(await heard(userInfo(['Authorization', 'Bearer']))).toBe(
          challenge(
            ', error="invalid_request", error_description="send one access token, in one Authorization header"',
          ),
        );
      });

      test.each(['bearer', 'BEARER'])('the scheme may be written %s', async (scheme) => {
        expect((await call(userInfo(['Authorization', `${scheme} ${theirs.accessToken}`]))).status).toBe(200);
      });
    });

    describe('whose name it is', () => {
      table([
        [
          "another person's",
          asking('username=somebody'),
          403,
          'access_denied',
          'the access token is for another person',
        ],
        [
          'twice',
          () => asking(`username=${theirs.person.username}&username=${theirs.person.username}`)(),
          400,
          'invalid_request',
          'username must be given once',
        ],
        ['with U+0000', () => asking(`username=${theirs.person.username}%00`)(), 403, 'access_denied'],
        ['broken UTF-8', asking('username=%ff%fe'), 403, 'access_denied'],
        ['of 10 KB', asking(`username=${'x'.repeat(10_000)}`), 403, 'access_denied'],
        [
          'the e-mail address, which is no username',
          () => asking(`username=${theirs.person.email}`)(),
          403,
          'access_denied',
        ],
      ]);

      test.each([
        ['as given', (name: string) => `username=${name}`],
        ['in capitals', (name: string) => `username=${name.toUpperCase()}`],
        [
          'in full-width letters',
          (name: string) =>
            `username=${encodeURIComponent(name.replace(/[a-z]/g, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)))}`,
        ],
        ['left out', () => ''],
        ['empty', () => 'username='],
        ['beside an unknown parameter', (name: string) => `username=${name}&x=1&x=2&__proto__=1&username[]=y`],
      ])('their own, %s', async (_name, query) => {
        const { status, text } = await call(asking(query(theirs.person.username))());
        expect([status, JSON.parse(text).user_data?.username]).toEqual([200, theirs.person.username]);
      });
    });

    test('HEAD is GET without the body', async () => {
      const answer = await call({ ...userInfo(good()), method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([200, '']);
      expectForm(answer);
    });

    test('a person without an e-mail address has an empty one', async () => {
      const username = `mute${Date.now()}`;
      const made = await server.core.accounts.create({ username, password, firstName: '', lastName: '' });
      if (made.outcome !== 'created') throw new Error('refused');
      const client = await buildClient(server, {}, 'register');
      const answer = await new Agent(server).authorize(made.account, { client_id: client.id });
      const { body } = await token(server, client, { grant_type: 'authorization_code', code: codeOf(answer) });
      const info = await call(userInfo(bearer(body.access_token ?? '')));
      expect(JSON.parse(info.text).user_data).toEqual({
        first_name: '',
        last_name: '',
        username,
        two_factor: false,
        verified: false,
        email: '',
      });
    });

    describe('D2: only a live JWT of a person, for this API', () => {
      const refusal = async (accessToken: string) => {
        const answer = await call(userInfo(bearer(accessToken)));
        expectForm(answer);
        return [answer.status, JSON.parse(answer.text).error, answer.headers['www-authenticate']];
      };

      test('an ID token and the opaque token of OpenID Connect are refused', async () => {
        const { body } = await signedIn({ scope: 'openid' });
        expect(body.access_token).not.toContain('.');
        expect(await refusal(body.access_token ?? '')).toEqual([401, 'invalid_token', challenge(invalidToken)]);
        expect(await refusal(body.id_token ?? '')).toEqual([401, 'invalid_token', challenge(invalidToken)]);
      });

      test("a JWT for another API and a client's own one are refused", async () => {
        const identifier = 'https://books.example.com';
        const added = await server.core.apis.add({
          identifier,
          name: 'Books',
          scopes: [{ name: 'read', sentence: 'Read your books.' }],
          tokenFormat: 'jwt',
        });
        expect(added).toMatchObject({ outcome: 'saved' });
        const machine = await buildClient(server, {
          grant_types: ['client_credentials'],
          redirect_uris: [],
          scope: 'read user',
        });
        const own = async (resource: string) =>
          (await token(server, machine, { grant_type: 'client_credentials', resource })).body.access_token ?? '';
        expect(await refusal(await own(identifier))).toEqual([401, 'invalid_token', challenge(invalidToken)]);
        const forUsers = await own(`${server.url}/user`);
        expect(forUsers).toContain('.');
        expect(await refusal(forUsers)).toEqual([
          401,
          'invalid_token',
          challenge(', error="invalid_token", error_description="the access token does not belong to a person"'),
        ]);
      });

      test('a token without the scope is insufficient', async () => {
        const { body } = await signedIn({ scope: 'openid', resource: `${server.url}/user` });
        expect(await refusal(body.access_token ?? '')).toEqual([
          403,
          'insufficient_scope',
          challenge(', error="insufficient_scope", error_description="the scope user is needed"'),
        ]);
      });

      test('D3: it ends with its exp', async () => {
        const { accessToken } = await signedIn();
        travel(616);
        try {
          expect(await refusal(accessToken)).toEqual([
            401,
            'invalid_token',
            challenge(', error="invalid_token", error_description="the access token has expired"'),
          ]);
        } finally {
          comeBack();
        }
      });

      test.each([
        ['the account is disabled', ({ person }: typeof theirs) => server.core.accounts.disable(person.subject)],
        ['the account is deleted', ({ person }: typeof theirs) => server.core.accounts.remove(person.subject)],
        ['the client is disabled', ({ client }: typeof theirs) => server.app.clients.disable(client.id)],
        ['the client is deleted', ({ client }: typeof theirs) => server.app.clients.remove(client.id)],
      ])('B14: it is dead once %s', async (_name, end) => {
        const somebody = await signedIn();
        expect((await call(userInfo(bearer(somebody.accessToken)))).status).toBe(200);
        await end(somebody);
        expect(await refusal(somebody.accessToken)).toEqual([401, 'invalid_token', challenge(invalidToken)]);
      });
    });

    describe('A13: browser applications', () => {
      const from = (origin: string) => ['Origin', origin] as const;
      const allowed = async (asked: Call) => (await call(asked)).headers['access-control-allow-origin'];

      test("only an origin of the client's redirect URIs may read the answer", async () => {
        const answer = await call(userInfo(good(), from('https://app.example.com')));
        expect(answer.headers).toMatchObject({
          'access-control-allow-origin': 'https://app.example.com',
          'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce',
          vary: 'Origin',
        });
        expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
        for (const origin of [
          'https://evil.example',
          'https://app.example.com.evil.example',
          'http://app.example.com',
          'https://app.example.com/',
          'null',
          '*',
        ]) {
          expect(await allowed(userInfo(good(), from(origin)))).toBeUndefined();
        }
        expect((await call(userInfo(good()))).headers.vary).toBe('Origin');
      });

      test('it may read errors too, once it is known whose they are', async () => {
        expect(
          await allowed({ path: '/user/info?username=x', headers: [good(), from('https://app.example.com')] }),
        ).toBe('https://app.example.com');
        expect(await allowed(userInfo(bearer('x'), from('https://app.example.com')))).toBeUndefined();
      });

      test('a page without an origin reads nothing, whatever the client is', async () => {
        const made = await register({ redirect_url: 'com.example.app:/cb', require_pkce: true });
        expect(await stored(made.client_id)).toMatchObject({ redirect_uris: ['com.example.app:/cb'] });
        expect(
          await allowed({
            method: 'OPTIONS',
            path: '/user/info',
            headers: [from('null'), ['Access-Control-Request-Method', 'GET']],
          }),
        ).toBeUndefined();
      });

      test('a preflight is answered to every origin', async () => {
        const asked = [
          from('https://anybody.example'),
          ['Access-Control-Request-Method', 'GET'],
          ['Access-Control-Request-Headers', 'authorization'],
        ] as const;
        const answer = await call({ method: 'OPTIONS', path: '/user/info', headers: asked });
        expect(answer.status).toBe(204);
        expect(answer.headers).toMatchObject({
          'access-control-allow-origin': 'https://anybody.example',
          'access-control-allow-methods': 'GET, HEAD',
          'access-control-allow-headers': 'Authorization, DPoP',
          vary: 'Origin',
        });
      });

      test('what needs the admin key is not for browsers', async () => {
        const preflight = [from('https://app.example.com'), ['Access-Control-Request-Method', 'POST']] as const;
        expect(await allowed({ method: 'OPTIONS', path: '/clients/register', headers: preflight })).toBeUndefined();
        expect(
          await allowed({ ...registering(application), headers: [key, json, from('https://localhost:8080')] }),
        ).toBeUndefined();
      });
    });
  });

  describe('methods and spellings', () => {
    const allow = {
      '/clients/register': 'POST, OPTIONS',
      '/clients/some-client': 'PATCH, OPTIONS',
      '/user/info': 'GET, HEAD, OPTIONS',
      '/internal/reload-clients': 'POST, OPTIONS',
    };

    test.each(Object.entries(allow))('%s takes %s', async (path, methods) => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
        if (methods.includes(method)) continue;
        const answer = await call({ method, path, headers: [key, ['Accept', 'text/html']] });
        expectForm(answer);
        expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, methods]);
        if (method !== 'HEAD') {
          expect(answer.text).toBe(
            `{"success":false,"error":"invalid_request","error_description":"this endpoint takes ${methods}"}`,
          );
        }
      }
      const options = await call({ method: 'OPTIONS', path });
      expectForm(options);
      expect([options.status, options.headers.allow, options.text]).toEqual([204, methods, '']);
    });

    test.each([
      '/clients/register/',
      '//clients/register',
      '/Clients/register',
      '/clients',
      '/clients/register/../register',
      '/user/info/',
      '/user//info',
      '/USER/INFO',
      '/user',
      '/internal',
      '/internal/reload-clients/',
    ])('G2: %s is nothing, for a program and for a browser', async (path) => {
      for (const method of ['GET', 'POST']) {
        const answer = await call({ method, path, headers: [key, json], body: JSON.stringify(application) });
        expect([answer.status, JSON.parse(answer.text).error]).toEqual([404, 'not_found']);
        const page = await call({ method, path, headers: [['Accept', 'text/html']] });
        expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
      }
    });
  });
});

describeStorages('a program of the original', (storage) => {
  beforeAll(async () => {
    server = await storage.start();
    described = await describedBy(server);
  });
  afterAll(() => server.close());

  test('registers, sends the person off, redeems the code, asks who it is, refreshes, reloads', async () => {
    const { client, person, body } = await signedIn({ state: 'a b+c' });
    expect(body).toMatchObject({ success: true, username: person.username, token_type: 'Bearer', scope: 'user' });
    expect(body.refresh_token).toEqual(expect.any(String));

    const before = Math.floor(Date.now() / 1000);
    const info = await call({
      path: `/user/info?username=${person.username}`,
      headers: [bearer(body.access_token ?? '')],
    });
    expectForm(info);
    expect(info.status).toBe(200);
    const { timestamp, ...rest } = JSON.parse(info.text);
    expect(JSON.stringify(rest)).toBe(
      JSON.stringify({
        success: true,
        user_data: {
          first_name: 'Test',
          last_name: 'Person',
          username: person.username,
          two_factor: false,
          verified: true,
          email: `${person.username}@example.org`,
        },
      }),
    );
    expect(Number.isInteger(timestamp)).toBe(true);
    expect(timestamp - before).toBeGreaterThanOrEqual(0);
    expect(info.text).toMatch(/,"timestamp":\d{10}\}$/);

    const refreshed = await token(server, client, {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token ?? '',
    });
    expect(refreshed.body).toMatchObject({ success: true, username: person.username, expiry: expect.any(Number) });
    expect((await call(userInfo(bearer(refreshed.body.access_token ?? '')))).status).toBe(200);

    const reloaded = await call({ method: 'POST', path: '/internal/reload-clients', headers: [key] });
    expectForm(reloaded);
    expect(reloaded.status).toBe(200);
    expect(reloaded.text).toBe(
      `{"success":true,"clients_loaded":${(await server.core.stores.clients.count()).toString()}}`,
    );
  });

  test('the new client works on another node within a second, and no longer there once it is disabled', async () => {
    const other = await storage.join(server);
    const { client_id: id, client_secret: secret } = await register({ redirect_url: 'https://app.example.com/cb' });
    const errorThere = async () =>
      (await token(other, { id, secret }, { grant_type: 'refresh_token', refresh_token: 'unknown' })).body.error;
    // Not invalid_client: it is known there and its secret is right.
    await eventually('known', async () => (await errorThere()) === 'invalid_grant', 1000);
    await server.app.clients.disable(id);
    await eventually('refused', async () => (await errorThere()) === 'invalid_client', 1000);
  });
});

describePostgres('a database that is away', () => {
  test('is 503 with Retry-After, in this format, until it is back', async () => {
    const database = await freshPostgres();
    const other = await startServer({ env: { DATABASE_URL: database.url } });
    const admin = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
    const name = new URL(database.url).pathname.slice(1);
    await admin.connect();
    try {
      await admin.query(`alter database ${name} allow_connections false`);
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      await admin.query(`alter database ${name} rename to ${name}_away`);
      for (const asked of [registering(application), reloading]) {
        const answer = await call(asked, other);
        expectForm(answer);
        expect([answer.status, JSON.parse(answer.text).error, answer.headers['retry-after']]).toEqual([
          503,
          'temporarily_unavailable',
          '1',
        ]);
      }
      await admin.query(`alter database ${name}_away allow_connections true`);
      await admin.query(`alter database ${name}_away rename to ${name}`);
      expect((await call(registering(application), other)).status).toBe(200);
    } finally {
      await admin.end();
      await other.close();
      await database.drop();
    }
  });
});

test('switched off, it is not there, and the protocol still is', async () => {
  const other = await startServer({ env: { SURFACES: 'none' } });
  try {
    expect((await call(registering(application), other)).status).toBe(404);
    expect((await call({ path: '/user/info' }, other)).status).toBe(404);
    expect((await call({ method: 'POST', path: '/oauth/token' }, other)).status).toBe(400);
  } finally {
    await other.close();
  }
});
