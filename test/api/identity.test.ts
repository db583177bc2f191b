/**
 * The surface "identity" as its callers see it: golden tables of request -> exact answer, and the life of a session.
 */
import type { JsonWebKey } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { enrol } from '../support/authenticator.ts';
import { bearer, type Call, type CallAnswer, call, posting } from '../support/call.ts';
import { setClock } from '../support/clock.ts';
import { type Described, describedBy } from '../support/document.ts';
import {
  type Claims,
  claimsOf,
  comeBack,
  headerOf,
  jwt as jwtOf,
  raw,
  statusOf as statusLine,
  travel,
} from '../support/flow.ts';
import { forgeries } from '../support/forgeries.ts';
import { brokenJson, hostileTexts, otherTypes } from '../support/hostile-texts.ts';
import { expectNoInsides } from '../support/leaks.ts';
import { eventually } from '../support/redis-server.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

type Header = readonly [string, string];
const basic = (username: string, secret = password): Header => encoded(`${username}:${secret}`);
const encoded = (text: string | Buffer): Header => ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`];

const registering = (...headers: Header[]): Call => ({ method: 'POST', path: '/v1/register', headers });
const loggingIn = (...headers: Header[]): Call => ({ path: '/v1/login', headers });
const loggingOut = (...headers: Header[]): Call => ({ method: 'POST', path: '/v1/logout', headers });
const refreshing = (...headers: Header[]): Call => ({ path: '/v1/token/refresh', headers });
const verifying = (...headers: Header[]): Call => ({ method: 'POST', path: '/v1/verify', headers });
const changing = (body: unknown, ...headers: Header[]): Call => posting('/v1/password/change', body, ...headers);

/** No one is throttled by address but where that is the point: a suite registers more people than one address may. */
const env = { THROTTLE_ADDRESS_LIMIT: '100000' };
const another = 'nine pears above water';
let described: Described;

/** What every answer of this surface has (security.md C16, G7), and what the OpenAPI document says of it. */
async function ask(
  server: Pick<TestServer, 'port'>,
  made: Call,
): Promise<{ status: number; body: Answer; headers: CallAnswer['headers'] }> {
  const answer = await call(server, made);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  described.check(made.method ?? 'GET', made.path, answer as Parameters<Described['check']>[2]);
  const body = JSON.parse(answer.text || '{}') as Answer;
  if (answer.status !== 204 && made.method !== 'HEAD') {
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    // A number with a fraction, in the text itself.
    expect(answer.text).toMatch(/"timestamp":\d{10}\.\d+\}$/);
    expect(body.ok).toBe(answer.status === 200);
    expectNoInsides(answer.text);
  }
  if (answer.status >= 400) expect(Object.keys(body)).toEqual(['ok', 'message', 'timestamp']);
  if (answer.status === 401) expect(answer.headers['www-authenticate']).toMatch(/^(X-Basic|Bearer) realm="http/);
  return { status: answer.status, body, headers: answer.headers };
}
interface Answer {
  readonly ok?: boolean;
  readonly message?: string;
  readonly timestamp?: number;
  readonly uid?: string;
  readonly jwt?: { readonly token: string; readonly refresh_token: string; readonly payload: Claims };
  readonly [member: string]: unknown;
}

async function login(server: TestServer, username: string, secret = password, at = server) {
  const { status, body } = await ask(at, loggingIn(basic(username, secret)));
  if (status !== 200 || !body.jwt) throw new Error(`not signed in: ${status} ${body.message}`);
  return { ...body.jwt, refreshToken: body.jwt.refresh_token };
}
const statusOf = async (server: Pick<TestServer, 'port'>, made: Call): Promise<string> => {
  const { status, body } = await ask(server, made);
  return status === 200 ? '200' : `${status} ${body.message}`;
};
const refreshedAt = async (server: Pick<TestServer, 'port'>, token: string) => {
  const { status, body } = await ask(server, refreshing(bearer(token)));
  if (status !== 200 || !body.jwt) throw new Error(`not refreshed: ${status} ${body.message}`);
  return { ...body.jwt, refreshToken: body.jwt.refresh_token };
};
/** Sends again what a busy server turned away. It says so: 503 with `Retry-After`. */
const served = async (server: Pick<TestServer, 'port'>, token: string): ReturnType<typeof refreshedAt> => {
  const { status, body, headers } = await ask(server, refreshing(bearer(token)));
  if (status !== 503) {
    if (status !== 200 || !body.jwt) throw new Error(`not refreshed: ${status} ${body.message}`);
    return { ...body.jwt, refreshToken: body.jwt.refresh_token };
  }
  expect(headers['retry-after']).toMatch(/^\d+$/);
  return served(server, token);
};
const gone = '404 session does not exist';
const invalid = '401 invalid token';
/** On another node within a second. */
const refusedAt = (node: TestServer, token: string): Promise<void> =>
  eventually('refused there', async () => (await statusOf(node, verifying(bearer(token)))) === invalid, 1000);

/** Name, request, status, message, headers that matter. */
type Row = readonly [string, () => Call | Promise<Call>, number, string | RegExp, Readonly<Record<string, unknown>>?];

describe('identity on the wire', () => {
  let server: TestServer;
  let username: string;
  beforeAll(async () => {
    server = await startServer({ env });
    described = await describedBy(server);
    username = (await buildPerson(server)).username;
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  function table(rows: readonly Row[]): void {
    test.each(rows)('%s', async (_, made, status, message, headers = {}) => {
      const answer = await ask(server, await made());
      const words = typeof message === 'string' ? message : expect.stringMatching(message);
      expect([answer.status, answer.body]).toEqual([
        status,
        { ok: false, message: words, timestamp: expect.any(Number) },
      ]);
      expect(answer.headers).toMatchObject(headers);
    });
  }

  describe('the calls of the original, as they are written there', () => {
    const header: Header = [
      'Authorization',
      'Basic YTI5ODhjYTIwOWFkMDkwN2QzYWY5YzFjM2I3YWNiMWU6ZG9udHVzZXRoaXNwYXNzd29yZA==',
    ];
    const uid = 'a2988ca209ad0907d3af9c1c3b7acb1e';
    const success = { ok: true, timestamp: expect.any(Number) };
    const hex = (length: number) => expect.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
    const jwt = {
      token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh_token: hex(64),
      payload: expect.objectContaining({ sid: hex(32), iat: expect.any(Number), exp: expect.any(Number), uid }),
    };
    const now = () => Math.floor(Date.now() / 1000);

    test('register, log in, verify, refresh, change the password, log out', async () => {
      const before = now();
      const registered = await ask(server, registering(header));
      expect(registered.body).toEqual({ uid, reg_date: expect.any(Number), ...success });
      expect(registered.status).toBe(200);
      expect(Number.isInteger(registered.body.reg_date)).toBe(true);
      for (const time of [registered.body.reg_date, registered.body.timestamp].map(Number)) {
        expect(time).toBeGreaterThanOrEqual(before);
        expect(time).toBeLessThan(now() + 1);
      }

      const again = await ask(server, registering(header));
      expect([again.status, again.body.message]).toEqual([400, 'user already exist']);

      const signedIn = await ask(server, loggingIn(header));
      expect([signedIn.status, signedIn.body]).toEqual([200, { jwt, uid, ...success }]);
      const first = signedIn.body.jwt;
      expect(Number(first?.payload.exp) - Number(first?.payload.iat)).toBe(3600);

      const verified = await ask(server, verifying(bearer(first?.token ?? '')));
      expect([verified.status, verified.body]).toEqual([200, { valid: true, payload: first?.payload, ...success }]);

      const refreshed = await ask(server, refreshing(bearer(first?.refresh_token ?? '')));
      expect([refreshed.status, refreshed.body]).toEqual([200, { jwt, uid, ...success }]);
      const second = refreshed.body.jwt;
      expect(second?.payload.sid).not.toBe(first?.payload.sid);

      const changed = await ask(server, changing({ new_password: 'new password here', kill_sessions: false }, header));
      expect([changed.status, changed.body]).toEqual([
        200,
        { changed_password: true, killed_sessions: false, ...success },
      ]);
      expect(await statusOf(server, loggingIn(header))).toBe('401 incorrect credentials');
      expect(await statusOf(server, loggingIn(basic(uid, 'new password here')))).toBe('200');

      const token = second?.refresh_token ?? '';
      const loggedOut = await ask(server, loggingOut(bearer(token)));
      expect([loggedOut.status, loggedOut.body]).toEqual([200, { logged_out: true, token, uid, ...success }]);
      expect(await statusOf(server, loggingOut(bearer(token)))).toBe(gone);
      expect(await statusOf(server, verifying(bearer(second?.token ?? '')))).toBe(invalid);
      expect(await statusOf(server, verifying(bearer(first?.token ?? '')))).toBe(invalid);
    });

    test('`payload` is what the token holds, and every service can check it with the published keys', async () => {
      const { token, payload } = await login(server, username);
      expect(claimsOf(token)).toEqual(payload);
      expect(headerOf(token)).toMatchObject({ alg: 'ES256', typ: 'identity+jwt', kid: expect.any(String) });
      const keys = createRemoteJWKSet(new URL(`${server.url}/oauth/jwks`));
      const expected = { issuer: server.url, audience: `${server.url}/v1`, typ: 'identity+jwt' };
      expect((await jwtVerify(token, keys, expected)).payload).toEqual(payload);
    });

    test('the timestamp has a fraction at a full second too', async () => {
      setClock(Math.ceil(Date.now() / 1000) * 1000, { runs: false });
      const answer = await call(server, registering());
      expect(answer.text).toMatch(/"timestamp":\d{10}\.0\d*\}$/);
      expect((await call(server, loggingIn(basic(username)))).text).toMatch(/"timestamp":\d{10}\.0\d*\}$/);
    });
  });

  describe('the Authorization header, before anything else is looked at', () => {
    const routes: Record<string, { scheme: 'Basic' | 'Bearer'; made: (...headers: Header[]) => Call }> = {
      register: { scheme: 'Basic', made: registering },
      login: { scheme: 'Basic', made: loggingIn },
      'password/change': { scheme: 'Basic', made: (...headers) => changing('{', ...headers) },
      logout: { scheme: 'Bearer', made: loggingOut },
      'token/refresh': { scheme: 'Bearer', made: refreshing },
      verify: { scheme: 'Bearer', made: verifying },
    };
    const missing = [400, 'missing authorization header'] as const;
    const method = [400, 'invalid authorization method'] as const;
    const token = [400, 'invalid authorization token'] as const;
    const header = (value: string): Header => ['Authorization', value];
    for (const [name, { scheme, made }] of Object.entries(routes)) {
      const other = scheme === 'Basic' ? bearer('x') : basic('ada');
      table([
        [`${name}: none`, () => made(), ...missing],
        [`${name}: an empty one`, () => made(header('')), ...missing],
        [`${name}: another scheme`, () => made(other), ...method],
        [`${name}: a scheme of its own`, () => made(header('Digest x')), ...method],
        [`${name}: no scheme`, () => made(header('YWRhOng=')), ...method],
        [`${name}: with a colon`, () => made(header(`${scheme}: x`)), ...method],
        [`${name}: only the scheme`, () => made(header(scheme)), ...token],
        [`${name}: two words`, () => made(header(`${scheme} YWRh Ong=`)), ...token],
        [`${name}: twice`, () => made(basic('ada'), bearer('x')), ...token],
        [`${name}: the same twice`, () => made(basic('ada'), basic('ada')), ...token],
      ]);
    }
    const credentials: Record<string, Header> = {
      'no base64': header('Basic %%%'),
      'percent signs': header('Basic %zz'),
      'base64 of another alphabet': header('Basic YWRhOj4_Pj8='),
      'base64 without padding': header('Basic YWRhOng'),
      'base64 that is not canonical': header('Basic YWRhOnh='),
      'no colon': encoded('ada'),
      'no name': encoded(':secret'),
      'no password': encoded('ada:'),
      'only a colon': encoded(':'),
      nothing: header('Basic ='),
      'a NUL': encoded('ada:se\0cret'),
      'a line break': encoded('a\r\nda:secret'),
      'no UTF-8': encoded(Buffer.from([0x61, 0x3a, 0xff])),
      'an overlong NUL': encoded(Buffer.from([0x61, 0x3a, 0xc0, 0x80])),
      'half a surrogate pair': encoded(Buffer.from([0x61, 0x3a, 0xed, 0xa0, 0x80])),
      'beyond Unicode': encoded(Buffer.from([0x61, 0x3a, 0xf4, 0x90, 0x80, 0x80])),
    };
    for (const [name, sent] of Object.entries(credentials)) {
      table([
        [`register: ${name}`, () => registering(sent), ...token],
        [`login: ${name}`, () => loggingIn(sent), ...token],
        [`password/change: ${name}`, () => changing({ new_password: another }, sent), ...token],
      ]);
    }

    test('schemes are compared without regard to case, and more than one blank may follow', async () => {
      const [, value = ''] = basic(username)[1].split(' ');
      for (const scheme of ['basic ', 'BASIC ', 'bAsIc   '])
        expect(await statusOf(server, loggingIn(header(scheme + value)))).toBe('200');
      const { token: jwt } = await login(server, username);
      for (const name of ['bearer ', 'BEARER   '])
        expect(await statusOf(server, verifying(header(name + jwt)))).toBe('200');
    });

    test('names and passwords are UTF-8, and a password may have colons', async () => {
      for (const [name, secret] of [
        ['zoë.müller', 'zwölf kühle Birnen im Keller'],
        ['людмила', 'семь лимонов под стеклом'],
        ['colon', 'a:b::c d:e, and lemons:'],
        ['emoji', 'lemons 🍋 under glass 🥃 today'],
      ] as const) {
        expect(await statusOf(server, registering(basic(name, secret)))).toBe('200');
        const { payload } = await login(server, name, secret);
        expect(payload.uid).toBe(name);
        expect(await statusOf(server, loggingIn(basic(name, `${secret}x`)))).toBe('401 incorrect credentials');
      }
    });
  });

  describe('register', () => {
    table([
      ['a taken name', () => registering(basic(username)), 400, 'user already exist'],
      ['in another case', () => registering(basic(username.toUpperCase())), 400, 'user already exist'],
      [
        'a short password',
        () => registering(basic('fresh', 'short')),
        400,
        'The password needs at least 15 characters.',
      ],
      ['a common password', () => registering(basic('fresh', 'passwordpassword')), 400, /^The password is /],
      ['the own name', () => registering(basic('fresh.lemons-2020', 'fresh.lemons-2020')), 400, /own username/],
      ['too long a password', () => registering(basic('fresh', 'x y'.repeat(400))), 400, /longer than 1024/],
      ['a name with a blank', () => registering(basic('two words')), 400, /^the name cannot be used: Use letters/],
      ['a name with markup', () => registering(basic('<svg/onload=>')), 400, /^the name cannot be used: Use letters/],
      ['too long a name', () => registering(basic('n'.repeat(65))), 400, 'the name cannot be used: It is too long.'],
      [
        'a name that cannot be seen',
        () => registering(basic('a\u200bda')),
        400,
        /^the name cannot be used: .*invisible/,
      ],
      [
        'too large a body',
        () => ({ ...registering(basic('fresh')), body: 'x'.repeat(65_537) }),
        413,
        /larger than 65536/,
      ],
    ]);

    test('the name is kept as it was given', async () => {
      const { body } = await ask(server, registering(basic('Grace.Hopper')));
      expect(body.uid).toBe('Grace.Hopper');
      const { payload } = await login(server, 'grace.hopper');
      expect(payload.uid).toBe('Grace.Hopper');
    });

    test('SIGN_UP says who may', async () => {
      for (const SIGN_UP of ['invite', 'off']) {
        const closed = await startServer({ env: { SIGN_UP } });
        try {
          expect(await statusOf(closed, registering(basic('fresh')))).toMatch(/^403 /);
          expect(await statusOf(closed, registering(basic('fresh', 'short')))).toMatch(/^403 /);
        } finally {
          await closed.close();
        }
      }
    });

    test('registrations from one address are counted, together with failed sign-ins', async () => {
      const small = await startServer({ env: { THROTTLE_ADDRESS_LIMIT: '4' } });
      try {
        for (const n of [1, 2, 3]) expect(await statusOf(small, registering(basic(`person${n}`)))).toBe('200');
        expect(await statusOf(small, loggingIn(basic('person1', 'wrong')))).toMatch(/^401/);
        const answer = await ask(small, registering(basic('person4')));
        expect([answer.status, answer.body.message]).toEqual([429, 'too many attempts, wait a while']);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        expect((await ask(small, loggingIn(basic('person1')))).status).toBe(429);
      } finally {
        await small.close();
      }
    });
  });

  describe('login', () => {
    table([
      ['no account of that name', () => loggingIn(basic('nobody')), 404, 'user does not exist'],
      [
        'a wrong password',
        () => loggingIn(basic(username, 'wrong')),
        401,
        'incorrect credentials',
        { 'www-authenticate': expect.stringMatching(/^X-Basic realm=/) },
      ],
      ['a name of 8 kilobytes', () => loggingIn(basic('n'.repeat(8192))), 404, 'user does not exist'],
      ['a password of 8 kilobytes', () => loggingIn(basic(username, 'p'.repeat(8192))), 401, 'incorrect credentials'],
    ]);

    test('with a verified e-mail address', async () => {
      const person = await buildPerson(server);
      const { payload } = await login(server, `${person.username}@example.org`);
      expect(payload).toMatchObject({ sub: person.subject, uid: person.username });
    });

    test('HEAD begins no session', async () => {
      const person = await buildPerson(server);
      const { refreshToken } = await login(server, person.username);
      for (const made of [loggingIn(basic(person.username)), refreshing(bearer(refreshToken))]) {
        const answer = await call(server, { ...made, method: 'HEAD' });
        expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, OPTIONS']);
      }
      expect(await server.core.sessions.list(person.subject)).toHaveLength(1);
      expect(await statusOf(server, refreshing(bearer(refreshToken)))).toBe('200');
    });

    test('a disabled account is 401, with the right password too', async () => {
      const person = await buildPerson(server);
      await server.core.accounts.disable(person.subject);
      for (const secret of [password, 'wrong'])
        expect(await statusOf(server, loggingIn(basic(person.username, secret)))).toBe('401 incorrect credentials');
      expect(await statusOf(server, changing({ new_password: another }, basic(person.username)))).toBe(
        '401 incorrect credentials',
      );
    });

    test('ten wrong passwords and the right one waits too', async () => {
      const person = await buildPerson(server);
      for (let n = 0; n < 10; n++)
        expect((await ask(server, loggingIn(basic(person.username, 'no')))).status).toBe(401);
      const { status, body, headers } = await ask(server, loggingIn(basic(person.username)));
      expect([status, body.message]).toEqual([429, 'too many attempts, wait a while']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect((await ask(server, changing({ new_password: another }, basic(person.username)))).status).toBe(429);
    });
  });

  describe('HIDE_ACCOUNT_EXISTENCE', () => {
    test('folds login, change and logout into the 401', async () => {
      const hiding = await startServer({ env: { HIDE_ACCOUNT_EXISTENCE: 'true' } });
      try {
        const unknown = 'f'.repeat(64);
        expect(await statusOf(hiding, loggingIn(basic('nobody')))).toBe('401 incorrect credentials');
        expect(await statusOf(hiding, changing({ new_password: another }, basic('nobody')))).toBe(
          '401 incorrect credentials',
        );
        expect(await statusOf(hiding, loggingOut(bearer(unknown)))).toBe('401 incorrect credentials');
        expect(await statusOf(hiding, refreshing(bearer(unknown)))).toBe(gone);
      } finally {
        await hiding.close();
      }
    });
  });

  describe('logout and refresh', () => {
    for (const [name, made] of [
      ['logout', loggingOut],
      ['refresh', refreshing],
    ] as const) {
      const incorrect = [
        401,
        'incorrect credentials',
        { 'www-authenticate': expect.stringMatching(/^Bearer /) },
      ] as const;
      table([
        [`${name}: 63 characters`, () => made(bearer('a'.repeat(63))), ...incorrect],
        [`${name}: 65 characters`, () => made(bearer('a'.repeat(65))), ...incorrect],
        [`${name}: 64 others`, () => made(bearer('g'.repeat(64))), ...incorrect],
        [`${name}: no token's characters`, () => made(bearer(`${'a'.repeat(63)}é`)), ...incorrect],
        [`${name}: the JWT`, async () => made(bearer((await login(server, username)).token)), ...incorrect],
        [`${name}: unknown`, () => made(bearer('0'.repeat(64))), 404, 'session does not exist'],
        [
          `${name}: in upper case`,
          async () => made(bearer((await login(server, username)).refreshToken.toUpperCase())),
          404,
          'session does not exist',
        ],
      ]);
    }
    table([
      ['too large a body', () => ({ ...loggingOut(bearer('0'.repeat(64))), body: 'x'.repeat(65_537) }), 413, /larger/],
    ]);
  });

  describe('password/change', () => {
    const change = (body: unknown) => () => changing(body, basic(username));
    const text = (body: string) => () => changing(body, basic(username));
    table([
      [
        'no account of that name',
        () => changing({ new_password: another }, basic('nobody')),
        404,
        'session does not exist',
      ],
      [
        'a wrong password',
        () => changing({ new_password: another }, basic(username, 'no')),
        401,
        'incorrect credentials',
      ],
      [
        'the body before the account',
        () => changing({}, basic('nobody')),
        400,
        'new_password must be given, as a string',
      ],
      ['new_password null', change({ new_password: null }), 400, 'new_password must be a string'],
      ['new_password a number', change({ new_password: 1 }), 400, 'new_password must be a string'],
      ['new_password empty', change({ new_password: '' }), 400, 'The password needs at least 15 characters.'],
      ['new_password weak', change({ new_password: 'aaaaaaaaaaaaaaaaaaaa' }), 400, /simple pattern/],
      ['new_password endless', change({ new_password: 'x y '.repeat(5_000) }), 400, /longer than 1024/],
      [
        'kill_sessions a string',
        change({ new_password: another, kill_sessions: 'true' }),
        400,
        'kill_sessions must be a boolean',
      ],
      [
        'kill_sessions a number',
        change({ new_password: another, kill_sessions: 1 }),
        400,
        'kill_sessions must be a boolean',
      ],
      [
        'kill_sessions null',
        change({ new_password: another, kill_sessions: null }),
        400,
        'kill_sessions must be a boolean',
      ],
      ['no JSON', text('{'), 400, 'the body is not valid JSON'],
      ['an array', text('[]'), 400, 'the body must be a JSON object'],
      ['null', text('null'), 400, 'the body must be a JSON object'],
      ['a member twice', text('{"new_password":"a","new_password":"b"}'), 400, 'the body has a member twice'],
      ['a NUL', text('{"new_password":"a\\u0000"}'), 400, /U\+0000/],
      ['half a surrogate pair', text('{"new_password":"\\ud800"}'), 400, /surrogate/],
      ['deeply nested', text(`{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`), 400, /levels deep/],
      ['too large', change({ new_password: 'x'.repeat(70_000) }), 413, /larger than 65536/],
      [
        'a form',
        () => ({
          ...changing('new_password=x', basic(username)),
          headers: [['Content-Type', 'application/x-www-form-urlencoded'], basic(username)],
        }),
        415,
        /application\/json/,
      ],
      ['nothing', () => changing('', basic(username)), 400, 'the body is not valid JSON'],
      [
        'nothing, and no content type',
        () => ({ ...changing('', basic(username)), headers: [basic(username)] }),
        400,
        'the body is not valid JSON',
      ],
      [
        'nothing, called a form',
        () => ({
          ...changing('', basic(username)),
          headers: [['Content-Type', 'application/x-www-form-urlencoded'], basic(username)],
        }),
        400,
        'the body is not valid JSON',
      ],
      [
        'no JSON, and no content type',
        () => ({ ...changing('new_password=x', basic(username)), headers: [basic(username)] }),
        400,
        'the body is not valid JSON',
      ],
      ['compressed', () => changing('{}', basic(username), ['Content-Encoding', 'gzip']), 415, /application\/json/],
    ]);

    test('JSON needs no content type', async () => {
      const person = await buildPerson(server);
      const made = changing({ new_password: another }, basic(person.username));
      expect((await ask(server, { ...made, headers: [basic(person.username)] })).status).toBe(200);
      await login(server, person.username, another);
    });

    test('whatever else is sent in place of a body or of its members is 4xx', async () => {
      for (const body of brokenJson) expect((await ask(server, changing(body, basic(username)))).status).toBe(400);
      for (const value of otherTypes.filter((one) => !one.startsWith('"')))
        expect([value, await statusOf(server, changing(`{"new_password":${value}}`, basic(username)))]).toEqual([
          value,
          '400 new_password must be a string',
        ]);
    });

    test('members that were not asked for change nothing', async () => {
      const [one, other] = [await buildPerson(server), await buildPerson(server)];
      const body = `{"new_password":"${another}","uid":"${other.username}","sub":"${other.subject}","isAdmin":true,"__proto__":{"kill_sessions":true},"constructor":{"prototype":{}}}`;
      const { status, body: answer } = await ask(server, changing(body, basic(one.username)));
      expect([status, answer.killed_sessions]).toEqual([200, false]);
      await login(server, other.username);
      await login(server, one.username, another);
      expect((await server.core.accounts.findBySubject(one.subject))?.admin).toBe(false);
    });
  });

  describe('verify', () => {
    const signAs = (header: Claims, claims: Claims): string => {
      const key = server.core.keys.ring().find(({ id }) => id === header.kid);
      if (!key) throw new Error('no such key');
      return jwtOf(header, claims, key.privateKey);
    };

    test('D1: whatever a forger makes of a token is refused, in one of the three ways', async () => {
      const { token } = await login(server, username);
      const jwks = (await (await fetch(`${server.url}/oauth/jwks`)).json()) as { keys: JsonWebKey[] };
      const forged = forgeries(token, jwks, signAs);
      for (const [name, value] of Object.entries(forged)) {
        const { status, body } = await ask(server, verifying(bearer(value)));
        expect([name, status, body.message]).toEqual([name, 401, expect.stringMatching(/^invalid (signature|token)$/)]);
      }
      for (const name of [
        'an unknown kid',
        'a key of its own under the kid of ours',
        'changed signature',
        'changed claims',
        'no kid',
      ])
        expect([name, await statusOf(server, verifying(bearer(forged[name] ?? '')))]).toEqual([
          name,
          '401 invalid signature',
        ]);
    });

    test('expired is said only of a token that is not forged', async () => {
      const person = await buildPerson(server);
      const { token } = await login(server, person.username);
      const [header = '', , signature = ''] = token.split('.');
      const claims = Buffer.from(JSON.stringify({ ...claimsOf(token), uid: 'somebody' })).toString('base64url');
      travel(3600 + 16);
      expect(await statusOf(server, verifying(bearer(token)))).toBe('401 expired signature');
      expect(await statusOf(server, verifying(bearer(`${header}.${claims}.${signature}`)))).toBe(
        '401 invalid signature',
      );
    });

    test('another kind of token, or another audience or issuer, is an invalid one', async () => {
      const { token } = await login(server, username);
      const [header, claims] = [headerOf(token), claimsOf(token)];
      const kinds = {
        'an access token': signAs({ ...header, typ: 'at+jwt' }, claims),
        'a token of another surface': signAs(
          { ...header, typ: 'security-service+jwt' },
          { ...claims, aud: `${server.url}/security` },
        ),
        'without a type': signAs({ alg: header.alg, kid: header.kid }, claims),
        'another audience': signAs(header, { ...claims, aud: `${server.url}/security` }),
        'another issuer': signAs(header, { ...claims, iss: 'https://else.example' }),
        'without a session': signAs(header, { ...claims, sid: undefined, session: undefined }),
        "another person's session": signAs(header, { ...claims, sub: 'somebody' }),
        'from the future': signAs(header, { ...claims, iat: Number(claims.iat) + 60 }),
        'no JWT': 'x',
      };
      for (const [name, value] of Object.entries(kinds))
        expect([name, await statusOf(server, verifying(bearer(value)))]).toEqual([name, invalid]);
      expect(await statusOf(server, verifying(bearer(signAs(header, claims))))).toBe('200');
    });
  });

  describe('what is not there', () => {
    test('another method is 405, with Allow', async () => {
      for (const [path, allow] of [
        ['/v1/register', 'POST, OPTIONS'],
        ['/v1/login', 'GET, OPTIONS'],
        ['/v1/logout', 'POST, OPTIONS'],
        ['/v1/token/refresh', 'GET, OPTIONS'],
        ['/v1/password/change', 'POST, OPTIONS'],
        ['/v1/verify', 'POST, OPTIONS'],
      ] as const) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'].filter((one) => !allow.includes(one))) {
          const { status, headers } = await ask(server, { method, path });
          expect([path, method, status, headers.allow]).toEqual([path, method, 405, allow]);
        }
        expect((await call(server, { method: 'OPTIONS', path })).headers.allow).toBe(allow);
      }
    });

    test('another path, or another spelling of one, is 404', async () => {
      const paths = [
        '/v1',
        '/v1/',
        '/v1/Login',
        '/v1/login/',
        '//v1/login',
        '/v1//login',
        '/V1/login',
        '/v1/%6cogin',
        '/v1/login;x=1',
        '/v1/../v1/login',
        '/v2/login',
      ];
      for (const path of paths) expect([path, (await call(server, loggingInAt(path))).status]).toEqual([path, 404]);
    });
    const loggingInAt = (path: string): Call => ({ path, headers: [basic(username)] });
  });

  describe('hostile text', () => {
    let n = 0;
    test.each(hostileTexts.map((text) => [text.slice(0, 30), text]))(
      '%j as a name and as a password',
      async (_, text) => {
        // The bytes of its UTF-8, as a header carries them.
        const sent = Buffer.from(text).toString('latin1');
        const calls: Call[] = [
          registering(basic(text, 'short')),
          registering(basic(`fresh-${n++}`, text)),
          loggingIn(basic(text)),
          loggingIn(basic('nobody-at-all', text)),
          changing({ new_password: another }, basic(text)),
          changing({ new_password: text }, basic('nobody-at-all', text)),
          loggingIn(basic('nobody-at-all'), ['X-OTP', sent]),
          { ...loggingIn(basic('nobody-at-all')), path: `/v1/login?uid=${encodeURIComponent(text)}` },
          loggingOut(bearer(sent)),
          verifying(bearer(sent)),
        ];
        for (const made of calls) {
          const { status } = await ask(server, made);
          expect(status).toBeLessThan(500);
          // As a password some of them are good ones.
          if (made.path !== '/v1/register') expect(status).toBeGreaterThanOrEqual(400);
        }
      },
    );
  });

  test('G4, G5: what is hardly HTTP is refused, and nothing is left behind', async () => {
    const line = (first: string, ...rest: string[]) => [first, 'Host: x', 'Connection: close', ...rest].join('\r\n');
    const authorization = basic(username).join(': ');
    const json = 'Content-Type: application/json';
    const change = 'POST /v1/password/change HTTP/1.1';
    const requests: Record<string, [string, number]> = {
      'a chunked body without an end': [
        `${line(change, authorization, json, 'Transfer-Encoding: chunked')}\r\n\r\n11000\r\n${'x'.repeat(0x11000)}\r\n`,
        413,
      ],
      'a length beside chunks': [
        `${line(change, authorization, json, 'Transfer-Encoding: chunked', 'Content-Length: 2')}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
        400,
      ],
      'two lengths': [`${line(change, authorization, json, 'Content-Length: 2', 'Content-Length: 3')}\r\n\r\n{}`, 400],
      'a negative length': [`${line(change, authorization, json, 'Content-Length: -1')}\r\n\r\n`, 400],
      'a NUL in the header': [`${line('GET /v1/login HTTP/1.1', 'Authorization: Basic \0')}\r\n\r\n`, 400],
      'a folded header': [`${line('GET /v1/login HTTP/1.1', 'Authorization: Basic\r\n YWRhOng=')}\r\n\r\n`, 400],
      'a blank before the colon': [`${line('GET /v1/login HTTP/1.1', 'Authorization : Basic YWRhOng=')}\r\n\r\n`, 400],
      'a header of 100 kilobytes': [
        `${line('GET /v1/login HTTP/1.1', `Authorization: Basic ${'A'.repeat(100_000)}`)}\r\n\r\n`,
        431,
      ],
      'an address of its own': [`${line('GET http://evil.example/v1/login HTTP/1.1', authorization)}\r\n\r\n`, 404],
    };
    for (const [name, [bytes, status]] of Object.entries(requests))
      expect([name, statusLine(await raw(server, bytes))]).toEqual([name, status]);
    expect(await statusOf(server, loggingIn(basic(username)))).toBe('200');
  });

  describe('second factor', () => {
    test('is asked for by name, and the call succeeds when it is repeated with a code', async () => {
      const person = await buildPerson(server);
      const app = await enrol(server.core.factors, person.subject);
      const asked = await ask(server, loggingIn(basic(person.username)));
      expect([asked.status, asked.body.message]).toEqual([
        401,
        expect.stringMatching(/^a second factor is needed: .*\(totp, recovery-code\)$/),
      ]);
      expect(asked.headers['x-otp']).toBe('required; totp, recovery-code');
      expect(await server.core.sessions.list(person.subject)).toEqual([]);
      const wrong = await ask(server, loggingIn(basic(person.username), ['X-OTP', app.wrong()]));
      expect([wrong.status, wrong.body.message]).toEqual([401, expect.stringMatching(/^the code is wrong/)]);
      expect(await statusOf(server, loggingIn(basic(person.username, 'wrong'), ['X-OTP', app.fresh()]))).toBe(
        '401 incorrect credentials',
      );
      expect(await statusOf(server, loggingIn(basic(person.username), ['X-OTP', app.fresh()]))).toBe('200');
      const changed = changing({ new_password: another }, basic(person.username));
      expect(await statusOf(server, changed)).toMatch(/^401 a second factor is needed/);
      expect(
        await statusOf(server, {
          ...changed,
          headers: [...(changed.headers ?? []), ['X-OTP', app.recoveryCodes[0] ?? '']],
        }),
      ).toBe('200');
    });
  });
});

describeStorages('sessions of identity', ({ start, join }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start(env);
    described = await describedBy(server);
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  test('a refresh replaces the refresh token; JWTs from before stay good until they expire or the session ends', async () => {
    const { username } = await buildPerson(server);
    const first = await login(server, username);
    const second = await refreshedAt(server, first.refreshToken);
    const third = await refreshedAt(server, second.refreshToken);
    expect(new Set([first, second, third].map((one) => one.refreshToken)).size).toBe(3);
    expect(new Set([first, second, third].map((one) => one.payload.sid)).size).toBe(3);
    for (const { token } of [first, second, third])
      expect(await statusOf(server, verifying(bearer(token)))).toBe('200');
    expect(await statusOf(server, loggingOut(bearer(third.refreshToken)))).toBe('200');
    for (const { token } of [first, second, third])
      expect(await statusOf(server, verifying(bearer(token)))).toBe(invalid);
  });

  test('a session goes on as long as it is refreshed, for a service that verifies on another node too', async () => {
    const second = await join(server);
    const { username } = await buildPerson(server);
    let made = await login(server, username);
    expect(await statusOf(second, verifying(bearer(made.token)))).toBe('200');
    for (let n = 0; n < 3; n++) {
      travel(29 * 86_400);
      made = await refreshedAt(server, made.refreshToken);
      for (const node of [server, second]) expect(await statusOf(node, verifying(bearer(made.token)))).toBe('200');
    }
    travel(30 * 86_400 + 1);
    expect(await statusOf(server, refreshing(bearer(made.refreshToken)))).toBe(gone);
  });

  test('C10: 50 refreshes at once, on two nodes, bring one successor', async () => {
    const second = await join(server);
    const { username, subject } = await buildPerson(server);
    const { refreshToken } = await login(server, username);
    const all = await Promise.all(Array.from({ length: 50 }, (_, n) => served(n % 2 ? server : second, refreshToken)));
    const successors = new Set(all.map((one) => one.refreshToken));
    expect(successors.size).toBe(1);
    expect(new Set(all.map(({ payload }) => payload.sid)).size).toBe(1);
    expect(await server.core.sessions.list(subject)).toHaveLength(1);
    const [successor = ''] = successors;
    await refreshedAt(server, successor);
  });

  test('within the reuse window the replaced token brings the same successor again', async () => {
    const { username } = await buildPerson(server);
    const { refreshToken } = await login(server, username);
    const once = await refreshedAt(server, refreshToken);
    expect((await refreshedAt(server, refreshToken)).refreshToken).toBe(once.refreshToken);
    travel(8);
    expect((await refreshedAt(server, refreshToken)).refreshToken).toBe(once.refreshToken);
    await refreshedAt(server, once.refreshToken);
    // C11: only the immediate predecessor is forgiven.
    expect(await statusOf(server, refreshing(bearer(refreshToken)))).toBe(gone);
  });

  const replays: Record<string, (server: TestServer) => Promise<TestServer>> = {
    'on the same node': async (first) => first,
    'on another node': join,
    'after a restart': (first) => first.restart(),
  };
  for (const [where, move] of Object.entries(replays)) {
    test(`C8, C9: outside the window a replaced token ends the session: ${where}`, async () => {
      const own = await start(env);
      const { username } = await buildPerson(own);
      const first = await login(own, username);
      const second = await refreshedAt(own, first.refreshToken);
      const other = await login(own, username);
      travel(11);
      const there = await move(own);
      try {
        expect(await statusOf(there, refreshing(bearer(first.refreshToken)))).toBe(gone);
        expect(await statusOf(there, refreshing(bearer(second.refreshToken)))).toBe(gone);
        for (const { token } of [first, second]) expect(await statusOf(there, verifying(bearer(token)))).toBe(invalid);
        // The person's other session lives on.
        expect(await statusOf(there, verifying(bearer(other.token)))).toBe('200');
        await refreshedAt(there, other.refreshToken);
        if (there.port !== own.port) {
          for (const { token } of [first, second]) await refusedAt(own, token);
        }
      } finally {
        await (where === 'after a restart' ? there : own).close();
      }
    });
  }

  test('X6: a logout that races refreshes leaves nothing usable', async () => {
    const { username, subject } = await buildPerson(server);
    for (let n = 0; n < 50; n++) {
      const made = await login(server, username);
      const race = [
        ask(server, refreshing(bearer(made.refreshToken))),
        ask(server, loggingOut(bearer(made.refreshToken))),
        ask(server, refreshing(bearer(made.refreshToken))),
      ];
      const answers = await Promise.all(n % 2 ? race : race.reverse());
      const got = answers.flatMap(({ body }) => (body.jwt ? [body.jwt] : []));
      // A logout with the token that has just been replaced names the same session.
      expect(answers.filter(({ body }) => body.logged_out)).toHaveLength(1);
      for (const { token, refresh_token } of [...got, { token: made.token, refresh_token: made.refreshToken }]) {
        expect(await statusOf(server, refreshing(bearer(refresh_token)))).toBe(gone);
        expect(await statusOf(server, verifying(bearer(token)))).toBe(invalid);
      }
    }
    expect(await server.core.sessions.list(subject)).toEqual([]);
  });

  test('kill_sessions ends every session of the person on every node; without it they live on', async () => {
    const second = await join(server);
    const { username } = await buildPerson(server);
    const [one, two] = [await login(server, username), await login(server, username)];
    const change = (kill_sessions: boolean | undefined, from: string, to: string) =>
      ask(server, changing({ new_password: to, kill_sessions }, basic(username, from)));
    expect((await change(undefined, password, another)).body.killed_sessions).toBe(false);
    for (const { token } of [one, two]) expect(await statusOf(second, verifying(bearer(token)))).toBe('200');
    const next = await refreshedAt(second, one.refreshToken);
    expect(await statusOf(second, loggingIn(basic(username)))).toBe('401 incorrect credentials');

    const answer = await change(true, another, 'eleven plums on a roof');
    expect(answer.body).toEqual({
      changed_password: true,
      killed_sessions: true,
      ok: true,
      timestamp: expect.any(Number),
    });
    for (const { token } of [one, two, next]) expect(await statusOf(server, verifying(bearer(token)))).toBe(invalid);
    for (const { token } of [one, two, next]) await refusedAt(second, token);
    for (const token of [next.refreshToken, two.refreshToken])
      expect(await statusOf(second, refreshing(bearer(token)))).toBe(gone);
    await login(server, username, 'eleven plums on a roof');
  });

  test('an account that is disabled or deleted is refused with all it has, within a second on every node', async () => {
    const second = await join(server);
    for (const end of ['disable', 'remove'] as const) {
      const { username, subject } = await buildPerson(server);
      const made = await login(server, username);
      expect(await statusOf(second, verifying(bearer(made.token)))).toBe('200');
      await server.core.accounts[end](subject);
      expect(await statusOf(server, verifying(bearer(made.token)))).toBe(invalid);
      await refusedAt(second, made.token);
      expect(await statusOf(second, refreshing(bearer(made.refreshToken)))).toBe(gone);
      expect(await statusOf(second, loggingOut(bearer(made.refreshToken)))).toBe(gone);
      expect(await statusOf(second, loggingIn(basic(username)))).toMatch(end === 'disable' ? /^401/ : /^404/);
    }
  });

  test('X3: 100 registrations of one name at once, in every spelling and on two nodes, make one account', async () => {
    const second = await join(server);
    const name = `Lovelace${Math.floor(performance.now())}`;
    const fullWidth = [...name].map((sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0)).join('');
    const spellings = [name, name.toLowerCase(), name.toUpperCase(), fullWidth];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        ask(n % 3 ? server : second, registering(basic(spellings[n % 4] ?? name, `${password} ${n}`))),
      ),
    );
    const won = answers.flatMap(({ status, body }, n) => (status === 200 ? [{ uid: body.uid, n }] : []));
    expect(won).toHaveLength(1);
    expect(answers.filter(({ body }) => body.message === 'user already exist')).toHaveLength(99);
    for (const spelling of spellings) {
      const { payload } = await login(server, spelling, `${password} ${won[0]?.n}`);
      expect(payload.uid).toBe(won[0]?.uid);
    }
  });
});
