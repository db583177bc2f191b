/** S6: a forwarding header that does not count is in the log, once, with what to look at. */
import { afterEach, expect, test } from '@jest/globals';
import { openRaw, startGateway } from '../gateway/world.ts';
import { call } from '../support/call.ts';
import { eventually } from '../support/redis-server.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
afterEach(() => server.close());

const notices = () => server.logged.filter((line) => /forwarding headers are ignored|no X-Forwarded-For/.test(line));
const ask = (path: string, ...headers: (readonly [string, string])[]) => call(server, { path, headers });
const forwarded = ['X-Forwarded-For', '203.0.113.7, 10.0.0.1'] as const;

const claims: (readonly [string, string])[] = [
  forwarded,
  ['Forwarded', 'for=203.0.113.7'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'id.example.com'],
  ['X-Real-IP', '203.0.113.7'],
];

test.each(claims)(
  'S6: %s with TRUST_PROXY=off is said once, with the value, the peer and the setting',
  async (...claim) => {
    server = await startServer();
    await ask('/healthz');
    expect(notices()).toEqual([]);
    await ask('/oauth/userinfo', claim);
    const [line = '', ...more] = notices();
    expect(more).toEqual([]);
    expect(line).toMatch(/\bwarn\b/);
    expect(line).toContain(claim[1]);
    expect(line).toMatch(/peer=(127\.0\.0\.1|::1)\b/);
    expect(line).toContain('TRUST_PROXY');
    for (const other of claims) await ask('/login', other);
    expect(notices()).toHaveLength(1);
  },
);

test('S6: in production the line is JSON, and a long value is cut', async () => {
  server = await startServer({ env: { NODE_ENV: 'production', ISSUER: 'https://id.example.com' } });
  await ask('/', ['X-Forwarded-For', `203.0.113.7, ${'9'.repeat(4000)}`]);
  const [line = ''] = notices();
  const { level, peer, said } = JSON.parse(line);
  expect([level, peer]).toEqual(['warn', expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]);
  expect(said['x-forwarded-for']).toHaveLength(200);
});

test('S6: a peer that is not among the trusted ones is said once; a trusted one that forwards is not', async () => {
  server = await startServer({ env: { TRUST_PROXY: '192.0.2.0/24' } });
  await ask('/login', forwarded);
  await ask('/login', forwarded);
  expect(notices()).toEqual([expect.stringContaining('forwarding headers are ignored')]);
  await server.close();
  server = await startServer({ env: { TRUST_PROXY: '127.0.0.1, ::1' } });
  await ask('/login', forwarded);
  expect(notices()).toEqual([]);
});

test('S6: a trusted proxy that sends no X-Forwarded-For is said once, and not for a question of its own', async () => {
  server = await startServer({ env: { TRUST_PROXY: '1' } });
  for (const path of ['/healthz', '/readyz', '/metrics']) await ask(path);
  expect(notices()).toEqual([]);
  await ask('/login', ['Forwarded', 'for=203.0.113.7']);
  await ask('/login');
  expect(notices()).toEqual([expect.stringMatching(/sends no X-Forwarded-For[\s\S]*for=203\.0\.113\.7/)]);
});

test('S6: a WebSocket’s handshake is looked at too', async () => {
  server = await startGateway([{ prefix: '/live', tokens: ['identity'], upstream: 'http://127.0.0.1:1' }]);
  const { socket, text } = openRaw(server);
  socket.write(
    'GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n',
  );
  await eventually('an answer', () => text().startsWith('HTTP/1.1 401'));
  expect(notices()).toHaveLength(1);
  await ask('/login', forwarded);
  expect(notices()).toHaveLength(1);
  socket.destroy();
});
