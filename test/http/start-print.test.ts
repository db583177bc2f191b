/** The start prints what is open: each fact in force, and no other. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { banner } from '../../src/ops/banner.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { startServer, type TestServerOptions } from '../support/server.ts';

/** The lines of the block, by their names. */
async function printed(options: TestServerOptions = {}) {
  const server = await startServer(options);
  let text = '';
  await banner(server.app, (part) => {
    text += part;
  });
  const address = server.url;
  await server.close();
  const block = /^\nGatehouse is ready\.\n\n((?: {2}\S.*\n)+)\n$/.exec(text)?.[1] ?? '';
  const lines = block.trimEnd().split('\n');
  return {
    text,
    address,
    lines: Object.fromEntries(lines.map((line) => [line.slice(2, 14).trimEnd(), line.slice(15)])),
  };
}

describe('what is open', () => {
  test('S1: a plain start', async () => {
    const { lines, address } = await printed();
    expect(lines).toMatchObject({
      Address: address,
      Playground: `${address}/playground`,
      'First admin': expect.stringMatching(/^http:\S+\/setup\?token=\S+$/),
      'Listens on': expect.stringMatching(/^(127\.0\.0\.1|\[::1\]):\d+ {2}\(this machine only\)$/),
      Proxy: 'not trusted: X-Forwarded-For is ignored',
      'Sign-up': 'open to everyone',
      Passwords: 'the sign-in page, tinyoauth API, identity API, security-service API',
      Mails: expect.stringMatching(/^http:\/\/localhost:\d+\/dev\/mails\?key=[\w-]{32} {2}\(opens once\)$/),
      Development: 'pages and error details for browsers on this machine only',
      Production: expect.stringContaining('NODE_ENV=production'),
    });
    expect(Object.keys(lines)).not.toContain('Workers');
    expect(Object.keys(lines)).not.toContain('Metrics on');
  });

  test('S1: production', async () => {
    const env = { NODE_ENV: 'production', SURFACES: 'oauth-clients', SIGN_UP: 'invite' };
    const { lines, text } = await printed({ env });
    expect(lines).toMatchObject({
      'Sign-up': 'by invitation',
      Passwords: 'the sign-in page',
      Mails: 'none are sent: set SMTP_URL',
    });
    expect(Object.keys(lines)).not.toContain('Development');
    expect(text).not.toMatch(/playground|dev\/mails|NODE_ENV/);
  });

  test('S1: production with several surfaces, on all addresses', async () => {
    const { lines } = await printed({
      host: '0.0.0.0',
      env: {
        NODE_ENV: 'production',
        ISSUER: 'https://id.example.com',
        SURFACES: 'identity,oauth-clients,space-guard',
        SIGN_UP: 'off',
        METRICS_PORT: '9464',
        SMTP_URL: 'smtps://user:hunter2@mail.example.com',
      },
    });
    expect(lines).toMatchObject({
      Address: 'https://id.example.com',
      'Listens on': expect.stringMatching(/^all IPv4 addresses, port \d+$/),
      'Metrics on': '127.0.0.1:9464  (this machine only)',
      'Sign-up': 'off',
      Passwords: 'the sign-in page, identity API',
      Mails: 'sent through mail.example.com',
    });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  test.each([
    ['10.0.0.0/8, ::1', 'X-Forwarded-For is trusted from 10.0.0.0/8, ::1'],
    ['1', 'X-Forwarded-For is trusted through one proxy'],
    ['2', 'X-Forwarded-For is trusted through 2 proxies'],
  ])('S1: TRUST_PROXY=%s', async (TRUST_PROXY, words) => {
    expect((await printed({ env: { TRUST_PROXY } })).lines.Proxy).toBe(words);
  });

  test('S1: development on a public address', async () => {
    const issuer = 'https://tunnel.example';
    const { lines, text } = await printed({ env: { ISSUER: issuer, DEVELOPMENT_ON: issuer } });
    expect(lines).toMatchObject({
      Development: `no development pages, because ${issuer} is not loopback`,
      Mails: 'printed in this terminal',
    });
    expect(text).not.toContain('playground');
  });
});

describePostgres('workers', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshPostgres();
  });
  afterAll(() => database.drop());

  test('S1: several workers, whose mails go to the terminal', async () => {
    const { lines } = await printed({ env: { WORKERS: '3', DATABASE_URL: database.url, MIGRATE: 'true' } });
    expect(lines).toMatchObject({
      Workers: '3',
      Mails: 'printed in this terminal',
      Data: 'PostgreSQL (DATABASE_URL)',
    });
  });
});
