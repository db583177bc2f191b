/** P11: machine endpoints answer in JSON, whatever the caller accepts. Java's own default names HTML first. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { goodCalls } from '../support/good-calls.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let operations: (readonly [path: string, method: string])[];
beforeAll(async () => {
  server = await startServer({ env: { REGISTRATION: 'open' } });
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => /^(get|post|put|patch|delete)$/.test(method))
      .map((method) => [path, method.toUpperCase()] as const),
  );
});
afterAll(() => server.close());

const accepts = [
  'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'text/html',
];
/** Where a person's browser is sent to. */
const forPeople = ['/oauth/authorize', '/oauth/logout', '/authorize', '/why/{reference}'];

/** `POST /oauth/token 401 text/html`; undefined: there is no body, or it is no page. */
async function pageAt(path: string, init: RequestInit): Promise<string | undefined> {
  const response = await fetch(server.url + path.replaceAll(/\{\w+\}/g, 'x'), { redirect: 'manual', ...init });
  const type = response.headers.get('content-type') ?? '';
  await response.arrayBuffer();
  return type.includes('html') ? `${init.method} ${path} ${response.status} ${type}` : undefined;
}

test('P11: refusals of every machine endpoint: no credentials, a body that is none, another method', async () => {
  expect(operations.length).toBeGreaterThan(30);
  const others = [
    ...['/metrics', '/healthz', '/readyz', '/openapi.json', '/gateway/verify', '/token', '/oauth/jwks'],
    ...['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  ].map((path) => [path, 'GET'] as const);
  const pages: (string | undefined)[] = [];
  for (const accept of accepts) {
    for (const [path, method] of [...operations, ...others]) {
      if (forPeople.includes(path)) continue;
      const form = { accept, 'content-type': 'application/x-www-form-urlencoded' };
      pages.push(await pageAt(path, { method, headers: { accept } }));
      pages.push(await pageAt(path, { method: 'DELETE', headers: { accept } }));
      if (method === 'GET') continue;
      pages.push(await pageAt(path, { method, headers: form, body: 'a=b' }));
      pages.push(await pageAt(path, { method, headers: { ...form, authorization: 'Basic eA==' }, body: 'x' }));
    }
  }
  expect(pages.filter((page) => page !== undefined)).toEqual([]);
});

test('P11: good calls, too', async () => {
  const calls = goodCalls(server);
  const pages: (string | undefined)[] = [];
  for (const [operation, make] of Object.entries(calls)) {
    const [method = '', path = ''] = operation.split(' ');
    if (forPeople.includes(path)) continue;
    const call = await make();
    const type = call.json ? { 'content-type': 'application/json' } : {};
    const headers = { ...type, ...call.headers, accept: accepts[0] ?? '' };
    const body = call.json ? JSON.stringify(call.json) : call.form && new URLSearchParams(call.form);
    const query = call.query ? `?${new URLSearchParams(call.query)}` : '';
    pages.push(await pageAt((call.path ?? path) + query, { method, headers, ...(body && { body }) }));
  }
  expect(pages.length).toBeGreaterThan(30);
  expect(pages.filter((page) => page !== undefined)).toEqual([]);
});
