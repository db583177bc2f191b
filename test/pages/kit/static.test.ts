/** The files under public/, as a browser gets them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../../support/server.ts';

describe('a style sheet', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  const get = (headers: Record<string, string>, method = 'GET') =>
    fetch(`${server.url}/public/gatehouse.css?v=x`, { method, headers: { 'cache-control': 'max-age=0', ...headers } });

  test.each([
    ['gzip, deflate, br', 'gzip'],
    ['identity', null],
    ['gzip;q=0', null],
    ['br', null],
  ])('Accept-Encoding %s: the same sheet, in %s, and caches know of both', async (asked, encoding) => {
    const answer = await get({ 'accept-encoding': asked });
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('vary')).toMatch(/Accept-Encoding/i);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe(await (await get({ 'accept-encoding': 'identity' })).text());
  });

  test('one tag for both encodings is a weak one, and holds for both (RFC 9110, section 8.8.3.3)', async () => {
    const tag = (await get({ 'accept-encoding': 'gzip' })).headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"[\w-]{12}"$/);
    for (const asked of ['gzip', 'identity']) {
      const again = await get({ 'accept-encoding': asked, 'if-none-match': tag });
      expect([again.status, again.headers.get('content-encoding'), await again.text()]).toEqual([304, null, '']);
    }
  });

  test('HEAD has the length of what GET sends', async () => {
    const head = await get({ 'accept-encoding': 'identity' }, 'HEAD');
    const body = await (await get({ 'accept-encoding': 'identity' })).arrayBuffer();
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(body.byteLength)]);
  });
});
