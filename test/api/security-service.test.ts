/**
 * The surface "security service" as its callers see it: golden tables of request -> exact answer, and the life of a
 * token.
 */
import type { JsonWebKey } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { enrol } from '../support/authenticator.ts';
import { bearer, type Call, type CallAnswer, call, posting } from '../support/call.ts';
import { type Described, describedBy } from '../support/document.ts';
import { type Claims, claimsOf, comeBack, headerOf, jwt, stopClock, travel } from '../support/flow.ts';
import { forgeries } from '../support/forgeries.ts';
import { brokenJson, hostileTexts, otherTypes } from '../support/hostile-texts.ts';
import { expectNoInsides } from '../support/leaks.ts';
import { eventually } from '../support/redis-server.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

type Header = readonly [string, string];
/** As the original has it: JSON in the header. */
const inJson = (token: string): Header => ['Authorization', JSON.stringify({ token })];
const header = (value: string): Header => ['Authorization', value];

const loggingIn = (body: unknown, ...headers: Header[]): Call => posting('/security/login', body, ...headers);
const validating = (body: unknown): Call => posting('/security/validateToken', body);
const loggingOut = (body: unknown): Call => ({ ...posting('/security/logout', body), method: 'DELETE' });
const creating = (body: unknown, ...headers: Header[]): Call => posting('/security/users', body, ...headers);

/** No one is throttled by address but where that is the point. */
const env = { THROTTLE_ADDRESS_LIMIT: '100000' };
let described: Described;

interface Failure {
  readonly error: { readonly code: number; readonly message: string; readonly detail?: unknown };
}

/** What every answer of this surface has (security.md C16, G7), and what the OpenAPI document says of it. */
async function ask(server: Pick<TestServer, 'port'>, made: Call): Promise<CallAnswer> {
  const answer = await call(server, made);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  described.check(made.method ?? 'GET', made.path, answer as Parameters<Described['check']>[2]);
  if (answer.status < 400) return answer;
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(JSON.parse(answer.text)).toEqual({ error: { code: answer.status, message: expect.any(String) } });
  expectNoInsides(answer.text);
  if (answer.status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="http[^"]+\/security"$/);
  return answer;
}
const wordsOf = async (server: Pick<TestServer, 'port'>, made: Call): Promise<string> => {
  const { status, text } = await ask(server, made);
  return status < 400 ? `${status}` : `${status} ${(JSON.parse(text) as Failure).error.message}`;
};
async function login(server: TestServer, username: string, secret = password) {
  const { status, text } = await ask(server, loggingIn({ username, password: secret }));
  if (status !== 200) throw new Error(`not signed in: ${status} ${text}`);
  return JSON.parse(text) as { username: string; token: string; expirationDate: number };
}
const holds = async (server: TestServer, token: string) => (await ask(server, validating({ token }))).status === 200;

const wrong = '401 the username or the password is wrong';
const notValid = '401 the token is not valid';

/** Name, request, status, message. */
type Row = readonly [string, () => Call | Promise<Call>, number, string | RegExp];

describe('the security service on the wire', () => {
  let server: TestServer;
  let username: string;
  let token: string;
  beforeAll(async () => {
    server = await startServer({ env });
    described = await describedBy(server);
    username = (await buildPerson(server)).username;
    token = (await login(server, username)).token;
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  function table(rows: readonly Row[]): void {
    test.each(rows)('%s', async (_, made, status, message) => {
      const answer = await ask(server, await made());
      const words = typeof message === 'string' ? message : expect.stringMatching(message);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([status, { error: { code: status, message: words } }]);
    });
  }

  for (const base of ['/security', '/dev/security', '/qa/security', '/staging/security']) {
    test(`the calls of the original, as they are written there: ${base}`, async () => {
      const at = (made: Call): Call => ({ ...made, path: made.path.replace('/security', base) });
      const fresh = `ada${base.replaceAll('/', '-')}`;
      const created = await ask(server, at(creating({ username: fresh, password }, header(`{ "token": "${token}" }`))));
      expect(created.status).toBe(201);
      expect(JSON.parse(created.text)).toEqual({ id: expect.any(Number) });
      const { id } = JSON.parse(created.text) as { id: number };
      expect(Number.isSafeInteger(id)).toBe(true);
      expect((await server.core.accounts.findById(id))?.username).toBe(fresh);

      const before = Date.now();
      const signedIn = await ask(server, at(loggingIn({ username: fresh, password })));
      expect(signedIn.status).toBe(200);
      const body = JSON.parse(signedIn.text);
      expect(body).toEqual({
        username: fresh,
        token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
        expirationDate: expect.any(Number),
      });
      const day = 86_400_000;
      expect(body.expirationDate).toBe(Number(claimsOf(body.token).exp) * 1000);
      expect(body.expirationDate).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000 + day);
      expect(body.expirationDate).toBeLessThanOrEqual(Date.now() + day);

      const valid = await ask(server, at(validating({ token: body.token })));
      expect([valid.status, valid.text, valid.headers['content-length']]).toEqual([200, '', '0']);
      const out = await ask(server, at(loggingOut({ token: body.token })));
      expect([out.status, out.text]).toEqual([204, '']);
      expect(await wordsOf(server, at(validating({ token: body.token })))).toBe(notValid);
      expect(await wordsOf(server, at(loggingOut({ token: body.token })))).toBe('204');
    });
  }

  test('the token is of its own kind, and every service can check it', async () => {
    stopClock();
    const { token } = await login(server, username);
    expect(headerOf(token)).toMatchObject({ alg: 'ES256', typ: 'security-service+jwt' });
    const claims = claimsOf(token);
    expect(claims).toMatchObject({ iss: server.url, aud: `${server.url}/security`, uid: username });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(86_400);
  });

  describe('a body that is no JSON object is 400, one of another type 415, too large a one 413', () => {
    const routes: Record<string, (body: unknown) => Call> = {
      login: loggingIn,
      validateToken: validating,
      logout: loggingOut,
      users: (body) => creating(body, inJson(token)),
    };
    for (const [name, made] of Object.entries(routes)) {
      const typed =
        (...headers: Header[]) =>
        () => ({
          ...made({}),
          headers: [...headers, ...(made({}).headers ?? []).filter(([one]) => one !== 'Content-Type')],
        });
      const unsupported = [415, 'the body must be application/json in UTF-8, not compressed'] as const;
      table([
        [`${name}: none`, () => made(''), 400, 'the body is not valid JSON'],
        [`${name}: cut off`, () => made('{"username":'), 400, 'the body is not valid JSON'],
        [`${name}: an array`, () => made('[]'), 400, 'the body must be a JSON object'],
        [`${name}: too large`, () => made({ token: 'x'.repeat(70_000) }), 413, 'the body is larger than 65536 bytes'],
        [
          `${name}: no content type, no JSON`,
          () => ({ ...typed()(), body: 'token=x' }),
          400,
          'the body is not valid JSON',
        ],
        [`${name}: no content type, nothing`, () => ({ ...typed()(), body: '' }), 400, 'the body is not valid JSON'],
        [
          `${name}: no content type, no body at all`,
          () => {
            const { body: _none, ...rest } = typed()();
            return rest;
          },
          400,
          'the body is not valid JSON',
        ],
        [`${name}: a form`, typed(['Content-Type', 'application/x-www-form-urlencoded']), ...unsupported],
        [
          `${name}: compressed`,
          typed(['Content-Type', 'application/json'], ['Content-Encoding', 'gzip']),
          ...unsupported,
        ],
      ]);
      test(`${name}: whatever else is no JSON object`, async () => {
        for (const body of brokenJson) expect([body, (await ask(server, made(body))).status]).toEqual([body, 400]);
      });
    }
  });

  test('JSON needs no content type', async () => {
    const untyped = (made: Call): Call => ({
      ...made,
      headers: (made.headers ?? []).filter(([name]) => name !== 'Content-Type'),
    });
    const form = { username: `new-${username}`, password };
    expect((await ask(server, untyped(creating(form, inJson(token))))).status).toBe(201);
    const signedIn = await ask(server, untyped(loggingIn(form)));
    expect(signedIn.status).toBe(200);
    const mine = { token: String(JSON.parse(signedIn.text).token) };
    expect((await ask(server, untyped(validating(mine)))).status).toBe(200);
    expect((await ask(server, untyped(loggingOut(mine)))).status).toBe(204);
    expect((await ask(server, untyped(validating(mine)))).status).toBe(401);
  });

  describe('login', () => {
    const missing = (member: string) => [401, `${member} must be given, as a string`] as const;
    const typed = (member: string) => [401, `${member} must be a string`] as const;
    table([
      ['nothing', () => loggingIn({}), ...missing('username')],
      ['no username', () => loggingIn({ password }), ...missing('username')],
      ['no password', () => loggingIn({ username }), ...missing('password')],
      ['a username that is a number', () => loggingIn({ username: 1, password }), ...typed('username')],
      ['a password that is null', () => loggingIn({ username, password: null }), ...typed('password')],
      ['an empty username', () => loggingIn({ username: '', password }), 401, 'username must not be empty'],
      ['an empty password', () => loggingIn({ username, password: '' }), 401, 'password must not be empty'],
      ['a wrong password', () => loggingIn({ username, password: 'wrong' }), 401, wrong.slice(4)],
      ['no account of that name', () => loggingIn({ username: 'nobody', password }), 401, wrong.slice(4)],
      ['60 kilobytes of name', () => loggingIn({ username: 'n'.repeat(60_000), password }), 401, wrong.slice(4)],
      ['60 kilobytes of password', () => loggingIn({ username, password: 'p'.repeat(60_000) }), 401, wrong.slice(4)],
    ]);

    test('any other type of a member is 401', async () => {
      for (const value of otherTypes.filter((one) => !one.startsWith('"'))) {
        expect(await wordsOf(server, loggingIn(`{"username":${value},"password":"x"}`))).toBe(
          '401 username must be a string',
        );
        expect(await wordsOf(server, loggingIn(`{"username":"x","password":${value}}`))).toBe(
          '401 password must be a string',
        );
      }
    });

    test('an unknown name, a wrong password and a disabled account are told apart by nothing', async () => {
      const person = await buildPerson(server);
      await server.core.accounts.disable(person.subject);
      const answers = [
        await ask(server, loggingIn({ username: person.username, password })),
        await ask(server, loggingIn({ username: 'nobody', password })),
        await ask(server, loggingIn({ username, password: 'wrong' })),
      ].map(({ status, text, headers: { date: _, 'x-request-id': __, ...headers } }) => ({ status, text, headers }));
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
    });

    test('in any spelling of the name, or with a verified e-mail address; other members are ignored', async () => {
      const person = await buildPerson(server);
      for (const name of [person.username.toUpperCase(), ` ${person.username} `, `${person.username}@example.org`]) {
        const { text } = await ask(server, loggingIn({ username: name, password, sub: 'somebody', isAdmin: true }));
        expect(JSON.parse(text).username).toBe(person.username);
      }
    });

    test('ten wrong passwords and the right one waits too', async () => {
      const person = await buildPerson(server);
      for (let n = 0; n < 10; n++)
        expect(await wordsOf(server, loggingIn({ username: person.username, password: 'wrong' }))).toBe(wrong);
      const { status, text, headers } = await ask(server, loggingIn({ username: person.username, password }));
      expect([status, JSON.parse(text).error.message]).toEqual([429, 'too many attempts, wait a while']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    });

    test('a second factor is asked for by name, and the call succeeds when it is repeated with a code', async () => {
      const person = await buildPerson(server);
      const app = await enrol(server.core.factors, person.subject);
      const form = { username: person.username, password };
      const asked = await ask(server, loggingIn(form));
      expect(JSON.parse(asked.text).error.message).toMatch(/^a second factor is needed: .*\(totp, recovery-code\)$/);
      expect([asked.status, asked.headers['x-otp']]).toEqual([401, 'required; totp, recovery-code']);
      expect(await wordsOf(server, loggingIn(form, ['X-OTP', app.wrong()]))).toMatch(/^401 the code is wrong/);
      const code = app.fresh();
      expect(await wordsOf(server, loggingIn(form, ['X-OTP', code]))).toBe('200');
      expect(await wordsOf(server, loggingIn(form, ['X-OTP', code]))).toMatch(/^401 the code has been used/);
    });
  });

  describe('validateToken', () => {
    table([
      ['no token', () => validating({}), 401, 'token must be given, as a string'],
      ['a number', () => validating({ token: 1 }), 401, 'token must be a string'],
      ['null', () => validating({ token: null }), 401, 'token must be a string'],
      ['an object', () => validating({ token: {} }), 401, 'token must be a string'],
      ['empty', () => validating({ token: '' }), 401, 'the token is not valid'],
      ['no JWT', () => validating({ token: 'x' }), 401, 'the token is not valid'],
      ['60 kilobytes', () => validating({ token: 'x.'.repeat(30_000) }), 401, 'the token is not valid'],
    ]);

    const signAs = (head: Claims, claims: Claims): string => {
      const key = server.core.keys.ring().find(({ id }) => id === head.kid);
      if (!key) throw new Error('no such key');
      return jwt(head, claims, key.privateKey);
    };

    test('D1: whatever a forger makes of a token is refused here and at users', async () => {
      const jwks = (await (await fetch(`${server.url}/oauth/jwks`)).json()) as { keys: JsonWebKey[] };
      for (const [name, forged] of Object.entries(forgeries(token, jwks, signAs))) {
        expect([name, await wordsOf(server, validating({ token: forged }))]).toEqual([name, notValid]);
        expect([name, (await ask(server, creating({}, inJson(forged)))).status]).toEqual([name, 401]);
      }
      expect(await holds(server, token)).toBe(true);
    });

    test('a token of another kind, for another person, expired or ended is refused', async () => {
      const [head, claims] = [headerOf(token), claimsOf(token)];
      expect(await holds(server, signAs(head, claims))).toBe(true);
      for (const change of [
        { aud: `${server.url}/v1` },
        { iss: 'https://else.example' },
        { sub: 'somebody' },
        { sid: 'x' },
      ])
        expect([change, await holds(server, signAs(head, { ...claims, ...change }))]).toEqual([change, false]);
      expect(await holds(server, signAs({ ...head, typ: 'identity+jwt' }, claims))).toBe(false);
      expect(await holds(server, signAs({ ...head, typ: 'at+jwt' }, claims))).toBe(false);
      travel(86_400 + 16);
      expect(await holds(server, token)).toBe(false);
    });
  });

  describe('logout', () => {
    table([
      ['no token', () => loggingOut({}), 400, 'token must be given, as a string'],
      ['a number', () => loggingOut({ token: 1 }), 400, 'token must be a string'],
      ['null', () => loggingOut({ token: null }), 400, 'token must be a string'],
    ]);

    test('any string is 204, and ends nothing that is not its own', async () => {
      const mine = await login(server, username);
      const cut = mine.token.slice(0, -4);
      for (const value of ['', 'x', cut, `${mine.token}x`, ...hostileTexts])
        expect([value, (await ask(server, loggingOut({ token: value }))).status]).toEqual([value, 204]);
      expect(await holds(server, mine.token)).toBe(true);
    });

    test('ends this session and no other', async () => {
      const [one, two] = [await login(server, username), await login(server, username)];
      await ask(server, loggingOut({ token: one.token }));
      expect([await holds(server, one.token), await holds(server, two.token)]).toEqual([false, true]);
    });
  });

  describe('users', () => {
    const fresh = { username: 'fresh', password };
    const refused = [401, 'a valid token is needed in Authorization'] as const;
    const inHeader =
      (value: string, body: unknown = '{') =>
      () =>
        creating(body, header(value));
    const withToken = (value: (token: string) => string) => () => creating('{', header(value(token)));
    describe('without a token that holds it is 401, before the body is looked at', () => {
      table([
        ['no header', () => creating('{'), ...refused],
        ['an empty one', inHeader(''), ...refused],
        ['another scheme', inHeader('Basic YWRhOng='), ...refused],
        ['only the scheme', inHeader('Bearer'), ...refused],
        ['no JWT', inHeader('Bearer x'), ...refused],
        ['the token alone', withToken((one) => one), ...refused],
        ['two words', withToken((one) => `Bearer x ${one}`), ...refused],
        ['no JSON', withToken((one) => `{token:"${one}"}`), ...refused],
        ['an array', withToken((one) => `["${one}"]`), ...refused],
        ['a string', withToken((one) => `"${one}"`), ...refused],
        ['in another member', withToken((one) => `{"Token":"${one}"}`), ...refused],
        ['in an array', withToken((one) => `{"token":["${one}"]}`), ...refused],
        ['deeper', withToken((one) => `{"token":{"token":"${one}"}}`), ...refused],
        ['two tokens', withToken((one) => `{"token":"x","token":"${one}"}`), ...refused],
        ['something behind it', withToken((one) => `{"token":"${one}"}x`), ...refused],
        ['a token that is null', inHeader('{"token":null}'), ...refused],
        ['a prototype', withToken((one) => `{"__proto__":{"token":"${one}"}}`), ...refused],
        ['deeply nested', inHeader(`{"token":${'['.repeat(3_000)}${']'.repeat(3_000)}}`), ...refused],
        ['two headers', () => creating('{', inJson(token), inJson(token)), ...refused],
        ['two of different forms', () => creating('{', inJson(token), bearer(token)), ...refused],
      ]);

      test('nor with one of which the session, or the person, has ended', async () => {
        const person = await buildPerson(server);
        const [one, two] = [await login(server, person.username), await login(server, person.username)];
        await ask(server, loggingOut({ token: one.token }));
        expect((await ask(server, creating(fresh, inJson(one.token)))).status).toBe(401);
        await server.core.accounts.disable(person.subject);
        expect((await ask(server, creating(fresh, inJson(two.token)))).status).toBe(401);
      });
    });

    const body = (made: unknown) => () => creating(made, inJson(token));
    table([
      ['nothing', body({}), 400, 'username must be given, as a string'],
      ['no password', body({ username: 'fresh' }), 400, 'password must be given, as a string'],
      ['a number', body({ username: 1, password }), 400, 'username must be a string'],
      ['an empty username', body({ username: '', password }), 400, 'username must not be empty'],
      ['a taken name', () => creating({ username, password }, inJson(token)), 400, 'the name is taken'],
      [
        'in another case',
        () => creating({ username: username.toUpperCase(), password }, bearer(token)),
        400,
        'the name is taken',
      ],
      [
        'a short password',
        body({ username: 'fresh', password: 'short' }),
        400,
        'The password needs at least 15 characters.',
      ],
      ['a common password', body({ username: 'fresh', password: 'passwordpassword' }), 400, /^The password is /],
      ['too long a password', body({ username: 'fresh', password: 'x y '.repeat(9_000) }), 400, /longer than 1024/],
      ['a name with blanks', body({ username: 'two words', password }), 400, /^the name cannot be used: Use letters/],
      [
        'too long a name',
        body({ username: 'n'.repeat(9_000), password }),
        400,
        'the name cannot be used: It is too long.',
      ],
    ]);

    test('the token in JSON or behind Bearer; other members of either are ignored', async () => {
      const headers = [
        inJson(token),
        bearer(token),
        header(`bearer ${token}`),
        header(` {"a" : [1], "token":"${token}" , "b":{}} `),
      ];
      for (const [n, sent] of headers.entries()) {
        const made = await ask(
          server,
          creating({ username: `made-${n}`, password, admin: true, id: 1, verified: true }, sent),
        );
        expect([n, made.status]).toEqual([n, 201]);
        const account = await server.core.accounts.findById(JSON.parse(made.text).id);
        expect(account).toMatchObject({ username: `made-${n}`, admin: false, verified: false });
        await login(server, `made-${n}`);
      }
    });

    test('the one who makes an account is on record', async () => {
      const { text } = await ask(server, creating({ username: 'recorded', password }, inJson(token)));
      const account = await server.core.accounts.findById(JSON.parse(text).id);
      const [event] = await server.core.stores.audit.list(
        { subject: account?.subject ?? '', event: 'account.created' },
        1,
      );
      expect(event?.detail).toEqual({ via: 'security-service', by: claimsOf(token).sub });
    });

    test('SIGN_UP does not govern it, the limiter does', async () => {
      const closed = await startServer({ env: { SIGN_UP: 'off', THROTTLE_ADDRESS_LIMIT: '3' } });
      try {
        const signedIn = await login(closed, (await buildPerson(closed)).username);
        for (const n of [1, 2, 3])
          expect(
            (await ask(closed, creating({ username: `person${n}`, password }, inJson(signedIn.token)))).status,
          ).toBe(201);
        const limited = await ask(closed, creating({ username: 'person4', password }, inJson(signedIn.token)));
        expect(limited.status).toBe(429);
        expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
      } finally {
        await closed.close();
      }
    });
  });

  describe('what is not there', () => {
    test('another method is 405, with Allow', async () => {
      for (const [path, allow] of [
        ['/security/login', 'POST, OPTIONS'],
        ['/dev/security/validateToken', 'POST, OPTIONS'],
        ['/qa/security/logout', 'DELETE, OPTIONS'],
        ['/staging/security/users', 'POST, OPTIONS'],
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
        '/security',
        '/security/',
        '/security/Login',
        '/security/login/',
        '/security/validatetoken',
        '/prod/security/login',
        '/dev/security',
        '/DEV/security/login',
        '/dev//security/login',
      ];
      for (const path of paths) {
        const { status, headers } = await call(server, posting(path, { username, password }));
        expect([path, status, headers['content-type']]).toEqual([path, 404, 'application/json; charset=utf-8']);
      }
    });
  });

  test.each(hostileTexts.map((text) => [text.slice(0, 30), text]))('%j in every place is no 5xx', async (_, text) => {
    const sent = Buffer.from(text).toString('latin1');
    const calls: Call[] = [
      loggingIn({ username: text, password }),
      loggingIn({ username: 'nobody-at-all', password: text }),
      loggingIn({ username: 'nobody-at-all', password, [text]: text }),
      loggingIn({ username: 'nobody-at-all', password }, ['X-OTP', sent], ['User-Agent', sent]),
      validating({ token: text }),
      creating({ username: text, password: 'short' }, inJson(token)),
      creating({ username: 'nobody-at-all', password: `${text}`.slice(0, 14) }, inJson(token)),
      creating({}, header(sent)),
      creating({}, header(`Bearer ${sent}`)),
      creating({}, header(`{"token":"${sent.replaceAll(/["\\]/g, '')}"}`)),
      { ...validating({ token: text }), path: `/security/validateToken?token=${encodeURIComponent(text)}` },
    ];
    for (const made of calls) {
      const { status } = await ask(server, made);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });
});

describeStorages('tokens of the security service', ({ start, join }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start(env);
    described = await describedBy(server);
  });
  afterAll(() => server.close());

  test('an end is seen on another node within a second, and after a restart', async () => {
    const own = await start(env);
    const second = await join(own);
    const person = await buildPerson(own);
    const [out, kept, disabled] = [
      (await login(own, person.username)).token,
      (await login(own, person.username)).token,
      (await login(own, (await buildPerson(own)).username)).token,
    ];
    for (const token of [out, kept, disabled]) expect(await holds(second, token)).toBe(true);
    await ask(own, loggingOut({ token: out }));
    await own.core.accounts.disable(String(claimsOf(disabled).sub));
    expect([await holds(own, out), await holds(own, disabled)]).toEqual([false, false]);
    for (const ended of [out, disabled])
      await eventually('refused there', async () => !(await holds(second, ended)), 1000);
    expect(await holds(second, kept)).toBe(true);
    const again = await own.restart();
    try {
      expect([await holds(again, out), await holds(again, disabled), await holds(again, kept)]).toEqual([
        false,
        false,
        true,
      ]);
    } finally {
      await again.close();
    }
  });

  test('X3: 100 accounts of one name at once, in every spelling and on two nodes, make one', async () => {
    const second = await join(server);
    const { token } = await login(server, (await buildPerson(server)).username);
    const name = `Byron${Math.floor(performance.now())}`;
    const spellings = [name, name.toLowerCase(), name.toUpperCase(), name.replace('B', 'Ｂ')];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        wordsOf(
          n % 3 ? server : second,
          creating({ username: spellings[n % 4], password: `${password} ${n}` }, inJson(token)),
        ),
      ),
    );
    expect(answers.filter((one) => one === '201')).toHaveLength(1);
    expect(answers.filter((one) => one === '400 the name is taken')).toHaveLength(99);
    await login(server, name, `${password} ${answers.indexOf('201')}`);
  });
});
