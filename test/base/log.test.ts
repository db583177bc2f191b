import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createLog, type Logger } from '../../src/base/log.ts';

function buildLog(format: 'json' | 'readable' = 'json'): {
  log: Logger;
  lines: string[];
  last(): Record<string, unknown>;
} {
  const lines: string[] = [];
  const { log } = createLog({ level: 'debug', format, to: { write: (line) => lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> };
}

const secret = 'sEcReT-4Jk2Lm9Qw';

describe('no secret reaches the log', () => {
  const fields: object[] = [
    { authorization: `Bearer ${secret}` },
    {
      headers: {
        Authorization: `Basic ${secret}`,
        Cookie: `sid=${secret}`,
        'Set-Cookie': [secret],
        'X-Admin-Key': secret,
        DPoP: secret,
      },
    },
    { body: { password: secret, client_secret: secret, clientSecret: secret, new_password: secret } },
    { a: { b: { c: { d: { refresh_token: secret, accessToken: secret } } } } },
    { params: { code: secret, code_verifier: secret, client_assertion: secret, assertion: secret, otp: secret } },
    { list: [{ token: secret }, [{ id_token: { raw: secret } }]] },
    { url: `/cb?state=1&code=${secret}&x=2` },
    { body: `grant_type=refresh_token&refresh_token=${secret}` },
    { note: `sent Bearer ${secret} along` },
    { note: `Authorization: Bearer: ${secret}:eyJhbGciOiJFUzI1NiJ9.${secret}.${secret}` },
    { jwt: `eyJhbGciOiJFUzI1NiJ9.eyJ${secret}.${secret}` },
    { url: `postgres://gatehouse:${secret}@db/gatehouse`, redis: `redis://:${secret}@cache` },
    {
      err: Object.assign(new Error(`GET /cb?code=${secret}`), {
        code: secret,
        config: { headers: { cookie: secret } },
      }),
    },
    { err: new Error('outer', { cause: new Error(`access_token=${secret}`) }) },
    { deep: { a: { b: { c: { d: { e: { f: { g: { h: secret } } } } } } } } },
    { bytes: Buffer.from(secret) },
  ];
  test.each(fields.map((each) => [each]))('%j', (each) => {
    for (const format of ['json', 'readable'] as const) {
      const { log, lines } = buildLog(format);
      log.info(each, 'something happened');
      log.child(each).info('in a child');
      expect(lines).toHaveLength(2);
      expect(lines.join('')).not.toContain(secret);
      expect(lines.join('')).not.toContain(Buffer.from(secret).join(','));
    }
  });

  test('nor by way of the message, or of an error given alone', () => {
    const { log, lines } = buildLog();
    log.warn(`redirected to https://app.example/cb?code=${secret}&state=1`);
    log.error(new Error(`bad token=${secret}`));
    expect(lines.join('')).not.toContain(secret);
    expect(lines.join('')).toContain('state=1');
  });

  test('what is no secret is kept', () => {
    const { log, last } = buildLog();
    log.info(
      {
        err: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
        clientId: 'app',
        status: 200,
        codec: 'x',
        n: 1n,
        none: null,
      },
      'hello',
    );
    expect(last()).toMatchObject({
      level: 'info',
      msg: 'hello',
      clientId: 'app',
      status: 200,
      codec: 'x',
      n: '1',
      err: { type: 'Error', message: 'connect', code: 'ECONNREFUSED' },
    });
    expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT/);
  });
});

test('a circle, and an error that is its own cause, end', () => {
  const { log, lines } = buildLog();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const error = new Error('round');
  error.cause = error;
  log.info({ circle, err: error }, 'round');
  expect(lines).toHaveLength(1);
});

test.each(['a.', 'eyJ-', 'Basic ', '&code=', 'a://b:', '?token', 'eyJabcde.'])(
  'a megabyte of %j is cut, and looked through in no time',
  (piece) => {
    const { log, lines } = buildLog();
    log.info({ text: piece.repeat(1_000_000 / piece.length) }, 'long');
    expect(lines[0]?.length).toBeLessThan(40_000);
  },
);

test('in development: one readable line each, which no request can break or colour', () => {
  const { log, lines } = buildLog('readable');
  log.warn({ path: '/a\n12:00:00.000 error forged', agent: '\u001b[31mred', status: 404 }, 'refused\r\nforged');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}refused\\r\\nforged {2}path=\/a\\n.* {2}agent=.*\[31mred {2}status=404\n$/,
  );
  expect(lines[0]).not.toContain('\u001b');
  log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
  expect(lines[1]).toMatch(/error failed\n {4}Error: outer\n {8}at [\s\S]*because of\n {4}Error: inner/);
});

test('the level is kept to', () => {
  const lines: string[] = [];
  const { log } = createLog({ level: 'warn', format: 'json', to: { write: (line) => lines.push(line) } });
  log.info('no');
  log.child({ a: 1 }).debug('no');
  log.warn('yes');
  expect(lines).toHaveLength(1);
});

describe('a reader of the log that goes away or stops reading', () => {
  const program = `
    const { createLog } = await import(${JSON.stringify(new URL('../../src/base/log.ts', import.meta.url).href)});
    const { log, close } = createLog({ level: 'info', format: 'json' });
    log.info('first');
    process.on('message', async (message) => {
      if (message === 'ping') {
        for (let n = 0; n < 20000; n++) log.info({ n }, 'x'.repeat(200));
        console.log('printed by something else');
        setTimeout(() => process.send('pong'), 50);
      } else {
        await close();
        process.exit(0);
      }
    });`;

  async function start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    if (child.stdout === null) throw new Error('no stdout');
    await once(child.stdout, 'readable');
    return child;
  }

  test.each(['closed', 'full'])('%s: the server answers and ends properly', async (how) => {
    const child = await start();
    if (how === 'closed') child.stdout?.destroy();
    for (let round = 0; round < 3; round++) {
      child.send('ping');
      expect((await once(child, 'message'))[0]).toBe('pong');
      await sleep(20);
    }
    child.send('end');
    const [code] = await Promise.race([once(child, 'exit'), sleep(8000, ['hangs'], { ref: false })]);
    child.kill('SIGKILL');
    expect(code).toBe(0);
  });
});
