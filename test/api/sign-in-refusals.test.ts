/**
 * Wherever an API takes a password: a second factor is asked for in the same words and by the same header, the same
 * codes are taken, and one who guesses too often is told to wait. The calls are those of the OpenAPI document that know
 * `X-OTP`.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { OpenApi } from '../../src/api/kit/openapi.ts';
import { enrol } from '../support/authenticator.ts';
import { type Call, call, posting } from '../support/call.ts';
import { comeBack } from '../support/flow.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';

type Header = readonly [string, string];
interface Row {
  make(username: string, secret: string, ...headers: Header[]): Call;
  /** Its words, out of this API's error body. */
  words(body: Record<string, unknown>): unknown;
}

const by = (username: string, secret: string) => ['Authorization', `Basic ${btoa(`${username}:${secret}`)}`] as const;
const credentials =
  (path: string) =>
  (username: string, secret: string, ...headers: Header[]) =>
    posting(path, { username, password: secret }, ...headers);
const securityService = (stage: string): Row => ({
  make: credentials(`${stage}/security/login`),
  words: ({ error }) => (error as { message?: unknown } | undefined)?.message,
});

const rows: Readonly<Record<string, Row>> = {
  'GET /v1/login': {
    make: (username, secret, ...headers) => ({ path: '/v1/login', headers: [by(username, secret), ...headers] }),
    words: ({ message }) => message,
  },
  'POST /v1/password/change': {
    make: (username, secret, ...headers) =>
      posting('/v1/password/change', { new_password: password }, by(username, secret), ...headers),
    words: ({ message }) => message,
  },
  'POST /security/login': securityService(''),
  'POST /dev/security/login': securityService('/dev'),
  'POST /qa/security/login': securityService('/qa'),
  'POST /staging/security/login': securityService('/staging'),
  'POST /login': { make: credentials('/login'), words: ({ reason }) => reason },
};

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { THROTTLE_ADDRESS_LIMIT: '100000' } });
});
afterEach(comeBack);
afterAll(() => server.close());

async function ask({ words }: Row, made: Call) {
  const { status, headers, text } = await call(server, made);
  return { status, headers, said: words(JSON.parse(text)) };
}

test('the table has every call that takes a password', async () => {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
  const taking = Object.entries(paths).flatMap(([path, row]) =>
    Object.entries(row)
      .filter(([, operation]) => JSON.stringify(operation).includes('"X-OTP"'))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  // An answer's header alone is no call of its own.
  expect(taking.sort()).toEqual(Object.keys(rows).sort());
});

for (const [name, row] of Object.entries(rows)) {
  test(`${name} asks for a second factor and takes it in X-OTP`, async () => {
    const { username, subject } = await buildPerson(server);
    const app = await enrol(server.core.factors, subject);
    const code = app.fresh();
    const asked: [Header[], string][] = [
      [[], 'a second factor is needed'],
      [[['X-OTP', app.wrong()]], 'the code is wrong'],
      [[['X-OTP', 'no code at all']], 'the code is wrong'],
    ];
    for (const [headers, why] of asked) {
      const answer = await ask(row, row.make(username, password, ...headers));
      expect([answer.status, answer.said]).toEqual([401, `${why}: send a code in X-OTP (totp, recovery-code)`]);
      expect(answer.headers['x-otp']).toBe('required; totp, recovery-code');
      expect(answer.headers['www-authenticate']).toEqual(expect.stringMatching(/^(X-Basic|Bearer) realm="/));
    }
    expect((await ask(row, row.make(username, password, ['X-OTP', code]))).status).toBe(200);
    const again = await ask(row, row.make(username, password, ['X-OTP', code]));
    expect([again.status, again.headers['x-otp']]).toEqual([401, 'required; totp, recovery-code']);
    expect((await ask(row, row.make(username, password, ['X-OTP', app.recoveryCodes[0] ?? '']))).status).toBe(200);
  });

  test(`${name} says how long to wait after too many wrong passwords, to those with a second factor too`, async () => {
    const { username, subject } = await buildPerson(server);
    await enrol(server.core.factors, subject);
    for (let n = 0; n < 10; n++) await call(server, row.make(username, `wrong ${n}`));
    const answer = await ask(row, row.make(username, password));
    expect([answer.status, answer.said]).toEqual([429, 'too many attempts, wait a while']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(server.core.config.throttle.window);
    expect(answer.headers['x-otp']).toBeUndefined();
  });
}
