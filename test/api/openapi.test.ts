/**
 * The OpenAPI document and the server's behaviour, held together both ways: what is routed is documented and what is
 * documented is routed; every answer is one that the document knows; a body that its schema allows is taken, one that
 * it forbids is refused. The golden tables of the surfaces ask the same of each of their answers
 * (test/support/document.ts).
 */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { SurfaceDeps } from '../../src/api/kit/surface.ts';
import { surfaces } from '../../src/api/surfaces.ts';
import { protocolRoutes } from '../../src/oidc/routes.ts';
import { basic } from '../support/agent.ts';
import { type CallAnswer, call } from '../support/call.ts';
import { type Described, describedBy, type Operation } from '../support/document.ts';
import { codeFor } from '../support/flow.ts';
import { type GoodCall, type GoodCalls, goodCalls } from '../support/good-calls.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let described: Described;
let good: GoodCalls;
beforeAll(async () => {
  // Many sign-ins and sign-ups from one address are the point here.
  const many = { THROTTLE_ADDRESS_LIMIT: '100000', REGISTRATION_ADDRESS_LIMIT: '100000', REGISTRATION_LIMIT: '100000' };
  server = await startServer({ env: { ...many, REGISTRATION: 'open' } });
  described = await describedBy(server);
  good = goodCalls(server);
});
afterAll(() => server.close());

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const send = ({ headers = {}, ...sent }: Sent): Promise<CallAnswer> =>
  call(server, { ...sent, headers: Object.entries(headers) });

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

/** A good call as a request, with whatever is to be wrong about it. */
function requestOf({ method, path }: Operation, call: GoodCall): Sent {
  const query = call.query ? `?${new URLSearchParams(call.query)}` : '';
  return {
    method,
    path: (call.path ?? path) + query,
    headers: { ...call.headers, ...(call.json ? json : {}), ...(call.form ? form : {}) },
    ...(call.json ? { body: JSON.stringify(call.json) } : {}),
    ...(call.form ? { body: new URLSearchParams(call.form).toString() } : {}),
  };
}

async function ask(sent: Sent): Promise<CallAnswer> {
  const answer = await send(sent);
  described.check(sent.method, sent.path, answer);
  return answer;
}

/** The security service is mounted four times. */
const rowOf = ({ method, path }: Operation) => `${method} ${path.replace(/^\/(dev|qa|staging)(?=\/security\/)/, '')}`;

/** For all operations that `of` picks; every failure is told, not only the first. */
async function each(
  of: (operation: Operation) => boolean,
  run: (operation: Operation, call: () => Promise<GoodCall>) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  const picked = described.operations.filter((operation) => of(operation) && good[rowOf(operation)]);
  expect(picked).not.toEqual([]);
  for (const operation of picked) {
    try {
      await run(operation, good[rowOf(operation)] ?? (async () => ({})));
    } catch (error) {
      failures.push(`${operation.method} ${operation.path}: ${error instanceof Error ? error.message : error}`);
    }
  }
  expect(failures).toEqual([]);
}

const all = () => true;
const bodyType = ({ documented }: Operation) => Object.keys(documented.requestBody?.content ?? {})[0];
const takesJson = (operation: Operation) => bodyType(operation) === 'application/json';
const takesForm = (operation: Operation) => bodyType(operation) === 'application/x-www-form-urlencoded';
const refused = ({ status }: CallAnswer) => status >= 400 && status < 500;

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(described.document)));
    expect(result).toEqual({ valid: true });
    expect(described.document.openapi).toMatch(/^3\.1\./);
    expect(described.document.servers).toEqual([{ url: server.url }]);
  });

  test('names every schema and scheme that it refers to, and every API has a schema for its errors', () => {
    const { components, tags } = described.document;
    const text = JSON.stringify(described.document);
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(components.schemas)).toContain(name);
    }
    for (const { documented } of described.operations) {
      for (const way of documented.security) {
        for (const name of Object.keys(way)) expect(Object.keys(components.securitySchemes)).toContain(name);
      }
    }
    expect(Object.keys(components.schemas).filter((name) => name.endsWith('.Failure'))).toHaveLength(tags.length);
  });

  test('every answer with a body has a schema for it, and every example is one of its own schema', async () => {
    for (const { method, path, documented } of described.operations) {
      for (const [status, { content = {} }] of Object.entries(documented.responses)) {
        for (const [type, { schema }] of Object.entries(content)) {
          if (type.endsWith('json')) expect([method, path, status, schema]).not.toContain(undefined);
        }
      }
    }
    for (const [name, schema] of Object.entries(described.document.components.schemas)) {
      for (const example of Array.isArray(schema.examples) ? schema.examples : []) {
        expect([name, described.mistakeIn(name, example)]).toEqual([name, undefined]);
      }
    }
  });

  test('may be kept for a while and read from anywhere; unchanged, it is not sent again', async () => {
    const first = await send({ method: 'GET', path: '/openapi.json' });
    expect(first.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    const { etag = '' } = first.headers as Record<string, string>;
    const again = await send({ method: 'GET', path: '/openapi.json', headers: { 'if-none-match': etag } });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await send({ method: 'HEAD', path: '/openapi.json' })).status).toBe(200);
    expect((await send({ method: 'POST', path: '/openapi.json' })).status).toBe(405);
  });

  test('leaves out a surface that is switched off', async () => {
    const other = await startServer({ env: { SURFACES: 'none' } });
    try {
      const { operations } = await describedBy(other);
      expect(operations.map(({ path }) => path)).not.toContain('/user/info');
      expect(operations.map(({ path }) => path)).toContain('/oauth/token');
      expect((await fetch(`${other.url}/openapi/oauth-clients`)).status).toBe(404);
    } finally {
      await other.close();
    }
  });
});

describe('the pages', () => {
  const page = async (path: string) => {
    const { status, text, headers } = await send({ method: 'GET', path, headers: { accept: 'text/html' } });
    expect([path, status]).toEqual([path, 200]);
    expect(headers).toMatchObject({ 'content-security-policy': expect.stringContaining("default-src 'none'") });
    return text;
  };

  test('lead to every operation', async () => {
    const overview = await page('/openapi');
    const links = [...overview.matchAll(/href="(\/openapi\/[^"#]+)#([^"]+)"/g)];
    const shown = new Set<string>();
    for (const [, path = '', id = ''] of links) {
      expect(await page(path)).toContain(`id="${id}"`);
      shown.add(id);
    }
    const hidden = described.operations.filter(({ documented }) => !shown.has(documented.operationId));
    // Mounted again elsewhere: their page says so.
    expect(hidden.filter(({ path }) => !/^\/(dev|qa|staging)\/security\//.test(path))).toEqual([]);
  });

  test('are small', async () => {
    const overview = await page('/openapi');
    const addresses = new Set([...overview.matchAll(/href="(\/openapi\/[^"#]+)"/g)].map(([, path = '']) => path));
    expect(addresses.size).toBe(described.document.tags.length);
    for (const path of ['/openapi', ...addresses]) {
      const html = await page(path);
      const parts = [...html.matchAll(/\s(?:href|src)="(\/public\/[^"]+\.(?:css|js)\?[^"]*)"/g)].map(
        ([, part = '']) => part,
      );
      expect(parts).toContainEqual(expect.stringMatching(/^\/public\/gatehouse\.css/));
      const sent = await Promise.all(parts.map((part) => send({ method: 'GET', path: part })));
      // As it is sent: the page as it is, and the files of all pages compressed.
      const size = sent.reduce((sum, { text }) => sum + gzipSync(text).length, Buffer.byteLength(html));
      // A reference grows with its API.
      const most = path === '/openapi/oauth' ? 75_000 : 40_000;
      expect([path, size < most || size]).toEqual([path, true]);
    }
  });
});

/** A GET of these changes something, so they take no HEAD. */
const changing = new Set(['/authorize', '/v1/login', '/v1/token/refresh']);

/** They answer a proxy's question by whatever method, and every bad one with the 403 that proxies understand. */
const verifying = (path: string) => path.startsWith('/gateway/verify');

/** What the five descriptions promise; an address with a base is there under each. */
const promised: Readonly<Record<string, readonly string[]>> = {
  'oauth-clients': ['POST /clients/register', 'PATCH /clients/{id}', 'GET /user/info', 'POST /internal/reload-clients'],
  identity: [
    'POST /v1/register',
    'GET /v1/login',
    'POST /v1/logout',
    'GET /v1/token/refresh',
    'POST /v1/password/change',
    'POST /v1/verify',
  ],
  'security-service': ['', '/dev', '/qa', '/staging'].flatMap((stage) => [
    `POST ${stage}/security/login`,
    `POST ${stage}/security/validateToken`,
    `DELETE ${stage}/security/logout`,
    `POST ${stage}/security/users`,
  ]),
  tinyoauth: ['POST /login', 'POST /register', 'POST /client', 'GET /authorize', 'POST /authorize', 'POST /token'],
  'space-guard': [
    'POST /space-guard/api/v1/register-client',
    'POST /space-guard/api/v1/refresh-client',
    'POST /space-guard/api/v1/logout-client',
  ],
};

describe('what is routed is documented, and what is documented is routed', () => {
  const documented = () => described.operations.map(({ method, path }) => `${method} ${path}`);

  test('every endpoint of every surface', () => {
    const opened = Object.values(surfaces).map((open) =>
      open({ ...server.core, clients: server.app.clients } as unknown as SurfaceDeps),
    );
    for (const { name, api } of opened) {
      const routed = Object.entries(api.table).flatMap(([path, { OPTIONS: _, ...row }]) =>
        (api.bases ?? ['']).flatMap((base) => Object.keys(row).map((method) => `${method} ${base}${path}`)),
      );
      const elsewhere = Object.entries(api.aliases ?? {}).flatMap(([address, path]) =>
        documented()
          .filter((row) => row.endsWith(` ${path}`))
          .map((row) => row.replace(path, address)),
      );
      expect(promised[name]).toBeDefined();
      expect([...routed, ...elsewhere]).toEqual(expect.arrayContaining([...(promised[name] ?? [])]));
      expect(documented()).toEqual(expect.arrayContaining([...routed, ...elsewhere]));
    }
  });

  test('every endpoint of the protocol that answers in JSON', () => {
    const pages = /^\/(oauth\/(authorize|logout)|device)/;
    for (const { path, methods } of protocolRoutes) {
      const rows = documented().filter((row) => row.endsWith(` ${path}`));
      const wanted = methods.filter((method) => !pages.test(path) && method !== 'HEAD' && method !== 'OPTIONS');
      expect(rows.sort()).toEqual(wanted.map((method) => `${method} ${path}`).sort());
    }
  });

  test('every documented address says that it takes the documented methods, and no others', async () => {
    for (const [path, row] of Object.entries(described.document.paths)) {
      if (verifying(path)) continue;
      const { headers, status } = await send({ method: 'PROPFIND', path: path.replaceAll(/[{}]/g, '') });
      const { allow = '' } = headers as Record<string, string>;
      const methods = allow.split(', ').filter((method) => method !== 'HEAD' && method !== 'OPTIONS');
      expect([path, status, methods.sort()]).toEqual([
        path,
        405,
        Object.keys(row)
          .map((method) => method.toUpperCase())
          .sort(),
      ]);
    }
  });

  test('every operation has a good call in test/support/good-calls.ts', () => {
    expect(described.operations.filter((operation) => !good[rowOf(operation)]).map(rowOf)).toEqual([]);
  });
});

/** One character more, inside whatever the credentials are wrapped in. */
function spoiled(header: string): string {
  const [, encoded] = /^Basic (.+)$/.exec(header) ?? [];
  if (encoded) return `Basic ${btoa(`${atob(encoded)}x`)}`;
  return header.replace(/("\})?$/, 'x$1');
}

describe('every operation is answered as it is documented', () => {
  test('to a good call, whose body its schema allows', () =>
    each(all, async (operation, call) => {
      const made = await call();
      const sent = requestOf(operation, made);
      expect(described.mistakeInBody(operation.method, operation.path, made.json ?? made.form ?? {})).toBeUndefined();
      expect((await ask(sent)).status).toBeLessThan(400);
    }));

  test('without credentials', () =>
    each(
      ({ documented }) => documented.security.length > 0 && documented.security.every((way) => Object.keys(way).length),
      async (operation, call) => {
        const answer = await ask(requestOf(operation, { ...(await call()), headers: {} }));
        expect(answer.status).toBeGreaterThanOrEqual(300);
        expect(answer.status).toBeLessThan(500);
      },
    ));

  test('with credentials that are wrong', () =>
    each(
      // A new account has whatever name and password are sent.
      ({ documented, path }) => documented.security.length > 0 && path !== '/v1/register',
      async (operation, call) => {
        const { headers = {}, ...made } = await call();
        const wrong = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, spoiled(value)]));
        expect((await ask(requestOf(operation, { ...made, headers: wrong }))).status).toBeGreaterThanOrEqual(300);
      },
    ));

  test('to any other method', () =>
    each(
      ({ path }) => !verifying(path),
      async (operation, call) => {
        const row = described.document.paths[operation.path] ?? {};
        const { headers = {} } = await call();
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          if (row[method.toLowerCase()]) continue;
          expect((await ask({ method, path: operation.path, headers })).status).toBe(405);
        }
      },
    ));

  test('to HEAD wherever there is GET', () =>
    each(
      ({ method, path }) => method === 'GET' && !changing.has(path),
      async (operation, call) => {
        const answer = await ask({ ...requestOf(operation, await call()), method: 'HEAD' });
        expect([answer.status < 400, answer.text]).toEqual([true, '']);
      },
    ));

  test('where a parameter comes twice', () =>
    each(
      ({ documented }) => documented.parameters?.some((parameter) => parameter.in === 'query') ?? false,
      async (operation, call) => {
        for (const { name, in: place } of operation.documented.parameters ?? []) {
          if (place !== 'query') continue;
          const { query, ...made } = await call();
          const { path, ...sent } = requestOf(operation, made);
          const twice = new URLSearchParams([...Object.entries(query ?? {}).filter(([other]) => other !== name)]);
          twice.append(name, 'x');
          twice.append(name, 'x');
          const status = verifying(operation.path) ? 403 : 400;
          expect([name, (await ask({ ...sent, path: `${path}?${twice}` })).status]).toEqual([name, status]);
        }
      },
    ));
});

describe('the protocol answers as it is documented', () => {
  const posted = (path: string, fields: Record<string, string>, of: { id: string; secret: string }) =>
    ask({
      method: 'POST',
      path,
      headers: { ...form, authorization: basic(of.id, of.secret) },
      body: new URLSearchParams(fields).toString(),
    });

  test('to a code, a refresh token, and what is none', async () => {
    const client = await buildClient(server);
    const { grant } = await codeFor(server, client, { scope: 'openid offline_access email' });
    const redeemed = await posted('/oauth/token', { grant_type: 'authorization_code', ...grant }, client);
    const { access_token, refresh_token, id_token } = JSON.parse(redeemed.text);
    expect([redeemed.status, typeof id_token]).toEqual([200, 'string']);
    const statuses = [
      await posted('/oauth/token', { grant_type: 'refresh_token', refresh_token }, client),
      await posted('/oauth/token', { grant_type: 'authorization_code', ...grant, code: 'unknown' }, client),
      await posted('/oauth/token', { grant_type: 'refresh_token', refresh_token }, { ...client, secret: 'wrong' }),
      await posted('/oauth/introspect', { token: access_token }, client),
      await posted('/oauth/introspect', { token: 'unknown' }, client),
      await posted('/oauth/revoke', { token: refresh_token }, client),
      await ask({ method: 'GET', path: '/oauth/userinfo', headers: { authorization: `Bearer ${access_token}` } }),
      await ask({ method: 'GET', path: '/oauth/userinfo', headers: { authorization: 'Bearer' } }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 400, 401, 200, 200, 200, 401, 400]);
  });
});

describe('a body is taken or refused as its schema says', () => {
  /** Every body that differs from the good one in one member, with what the schema has against it. */
  async function* variants(operation: Operation, call: () => Promise<GoodCall>, values: readonly unknown[]) {
    const members = described.membersOf(operation.method, operation.path);
    for (const name of members) {
      for (const value of values) {
        const { json, form, ...made } = await call();
        const { [name]: present, ...rest } = json ?? form ?? {};
        if (value === undefined && present === undefined) continue;
        const body = value === undefined ? rest : { ...rest, [name]: value };
        const mistake = described.mistakeInBody(operation.method, operation.path, body);
        yield { name, value, mistake, call: { ...made, ...(json ? { json: body } : { form: body }) } as GoodCall };
      }
    }
  }
  /** What the form of the body does not ask for, but what is behind it does. */
  const missed = new Set([
    'POST /authorize client_id',
    'POST /authorize response_type',
    // Only clients that people sign in to need any.
    'POST /oauth/register redirect_uris',
    'PUT /oauth/register/{client_id} redirect_uris',
  ]);
  const others = [undefined, null, 0, 7.5, true, '', [], ['x', 1], {}, { x: 'y' }];

  test('JSON, with a member that is missing or of another type', () =>
    each(takesJson, async (operation, call) => {
      let forbidden = 0;
      // What is refused changes nothing, so that one good call is enough for all of them.
      const made = await call();
      for await (const { name, value, mistake, call: changed } of variants(operation, async () => made, others)) {
        if (mistake === undefined) continue;
        forbidden += 1;
        const answer = await ask(requestOf(operation, changed));
        if (!refused(answer))
          throw new Error(`${name} ${JSON.stringify(value)}: ${answer.status}, although ${mistake}`);
      }
      expect(forbidden).toBeGreaterThan(0);
    }));

  test('JSON, with an optional member left out or null, or one more that is unknown', () =>
    each(takesJson, async (operation, call) => {
      for await (const { name, value, mistake, call: changed } of variants(operation, call, [undefined, null])) {
        if (mistake !== undefined || missed.has(`${rowOf(operation)} ${name}`)) continue;
        const answer = await ask(requestOf(operation, changed));
        if (answer.status >= 400) throw new Error(`${name} ${value}: ${answer.status} ${answer.text}`);
      }
      const { json: body, ...made } = await call();
      const more = { ...body, 'x-nobody-knows': [{}], __proto__: null, isAdmin: true };
      const mistake = described.mistakeInBody(operation.method, operation.path, more);
      const answer = await ask(requestOf(operation, { ...made, json: more }));
      if (refused(answer) !== (mistake !== undefined)) throw new Error(`one more: ${answer.status}, ${mistake}`);
    }));

  test('a form, with a member that is missing, of no known value, or there twice', () =>
    each(takesForm, async (operation, call) => {
      for await (const { name, value, mistake, call: changed } of variants(operation, call, [undefined, 'x', ''])) {
        const answer = await ask(requestOf(operation, changed));
        if (mistake !== undefined && !refused(answer))
          throw new Error(`${name}=${value}: ${answer.status}, ${mistake}`);
      }
      const { form: fields = {}, ...made } = await call();
      const sent = requestOf(operation, { ...made, form: fields });
      for (const [name, value] of Object.entries(fields)) {
        const twice = await ask({ ...sent, body: `${sent.body}&${new URLSearchParams({ [name]: value })}` });
        expect([name, twice.status]).toEqual([name, 400]);
      }
    }));

  test('what is no JSON, of another type, or too large', () =>
    each(takesJson, async (operation, call) => {
      const sent = requestOf(operation, await call());
      const statuses = async (body: string, type: string) => {
        return (await ask({ ...sent, headers: { ...sent.headers, 'content-type': type }, body })).status;
      };
      for (const body of ['{', '[]', '"x"', 'null', '', '{"a":1,"a":2}', '{"\\u0000":1}', '\ud800']) {
        expect([body, await statuses(body, 'application/json')]).toEqual([body, 400]);
      }
      expect(await statuses('{}', 'text/plain')).toBe(415);
      if (!operation.documented.requestBody?.content[form['content-type']]) {
        expect(await statuses('x=1', form['content-type'])).toBe(415);
      }
      expect(await statuses(`{"x":"${'x'.repeat(65_536)}"}`, 'application/json')).toBe(413);
    }));

  test('too large, where a form or nothing is expected', () =>
    each(
      (operation) => operation.method !== 'GET' && !takesJson(operation),
      async (operation, call) => {
        const sent = requestOf(operation, await call());
        expect((await ask({ ...sent, headers: { ...form, ...sent.headers }, body: 'x'.repeat(65_537) })).status).toBe(
          413,
        );
      },
    ));
});
