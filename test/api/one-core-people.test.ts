/**
 * One core behind all doors through which people come: each test goes through every door there is, and the browser. A
 * surface joins by one entry in `doors`.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, codeOf } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { bearer, type Call, call, posting } from '../support/call.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

interface Came {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Undefined: not signed in. */
  readonly token: string | undefined;
  readonly refreshToken: string | undefined;
}

interface Door {
  register(server: TestServer, username: string, secret: string): Promise<{ status: number }>;
  login(server: TestServer, username: string, secret: string, ...headers: (readonly [string, string])[]): Promise<Came>;
  /** Whether the token is taken as this door's. */
  takes(server: TestServer, token: string): Promise<boolean>;
  /** Where the surface has one. */
  logout?(server: TestServer, session: Came): Promise<{ status: number }>;
}

const agentHeader = ['User-Agent', 'suite/1.0'] as const;
const basic = (name: string, secret: string) =>
  ['Authorization', `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`] as const;

async function came(
  server: TestServer,
  made: Call,
  read: (body: Body) => readonly (string | undefined)[],
): Promise<Came> {
  const { status, headers, text } = await call(server, { ...made, headers: [...(made.headers ?? []), agentHeader] });
  const [token, refreshToken] = status === 200 ? read(JSON.parse(text) as Body) : [];
  return { status, retryAfter: headers['retry-after']?.toString(), token: token ?? undefined, refreshToken };
}
interface Body {
  readonly token?: string;
  readonly jwt?: { readonly token: string; readonly refresh_token: string };
}

const doors: Record<string, Door> = {
  identity: {
    register: (server, name, secret) =>
      call(server, { method: 'POST', path: '/v1/register', headers: [basic(name, secret)] }),
    login: (server, name, secret, ...headers) =>
      came(server, { path: '/v1/login', headers: [basic(name, secret), ...headers] }, ({ jwt }) => [
        jwt?.token,
        jwt?.refresh_token,
      ]),
    takes: async (server, token) =>
      (await call(server, { method: 'POST', path: '/v1/verify', headers: [bearer(token)] })).status === 200,
    logout: (server, { refreshToken = '' }) =>
      call(server, { method: 'POST', path: '/v1/logout', headers: [bearer(refreshToken)] }),
  },
  'security-service': {
    async register(server, username, secret) {
      const somebody = await buildPerson(server);
      const { token } = await came(server, posting('/security/login', somebody), (body) => [body.token]);
      const authorization = ['Authorization', JSON.stringify({ token })] as const;
      return call(server, posting('/security/users', { username, password: secret }, authorization));
    },
    login: (server, username, secret, ...headers) =>
      came(server, posting('/security/login', { username, password: secret }, ...headers), ({ token }) => [token]),
    takes: async (server, token) => (await call(server, posting('/security/validateToken', { token }))).status === 200,
    logout: (server, { token }) => call(server, { ...posting('/security/logout', { token }), method: 'DELETE' }),
  },
  tinyoauth: {
    register: (server, username, secret) => call(server, posting('/register', { username, password: secret })),
    login: (server, username, secret, ...headers) =>
      came(server, posting('/login', { username, password: secret }, ...headers), ({ token }) => [token]),
    // A call that needs a person, and is wrong in the rest.
    takes: async (server, token) => (await call(server, posting('/client', {}, bearer(token)))).status === 400,
  },
};
const names = Object.keys(doors);
const each = Object.entries(doors);

let made = 0;
const freshName = () => `person-${process.pid}-${++made}`;

describeStorages('one core behind every door', ({ start, join }) => {
  let server: TestServer;
  let second: TestServer;
  let client: { id: string };
  beforeAll(async () => {
    server = await start({ THROTTLE_ADDRESS_LIMIT: '100000' });
    second = await join(server);
    client = await buildClient(server, { redirect_uris: ['https://app.example.com/cb'] }, 'register');
  });
  afterAll(() => server.close());

  /** A person's browser at an application. */
  function browser() {
    const agent = new Agent(server);
    return {
      async signIn(username: string): Promise<void> {
        codeOf(await agent.authorize({ username }, { client_id: client.id }));
      },
      /** Whether it still knows the person, without asking. */
      async knows(): Promise<boolean> {
        const { location } = await agent.go(`/oauth/authorize?response_type=code&client_id=${client.id}&prompt=none`);
        return new URL(location ?? server.url).searchParams.has('code');
      },
    };
  }

  /** A person with a session at every door, and one in a browser. */
  async function everywhere() {
    const person = await buildPerson(server);
    const sessions = new Map<string, Came & { token: string }>();
    for (const [name, door] of each) {
      const session = await door.login(server, person.username, password);
      if (session.token === undefined) throw new Error(`${name}: not signed in, ${session.status}`);
      sessions.set(name, { ...session, token: session.token });
    }
    const inBrowser = browser();
    await inBrowser.signIn(person.username);
    return { person, sessions, inBrowser };
  }
  /** The doors that take their token of this person. */
  const open = async (sessions: Map<string, { token: string }>, at = server): Promise<string[]> => {
    const taken = await Promise.all(each.map(([name, door]) => door.takes(at, sessions.get(name)?.token ?? '')));
    return names.filter((_, n) => taken[n]);
  };

  for (const [name, door] of each) {
    test(`an account made at ${name} signs in at every door and in the browser, in any spelling`, async () => {
      const username = freshName();
      expect((await door.register(server, username, password)).status).toBeLessThan(300);
      for (const [other, { login }] of each) {
        for (const spelling of [username, username.toUpperCase(), username.replace('p', 'ｐ')])
          expect([other, spelling, (await login(server, spelling, password)).status]).toEqual([other, spelling, 200]);
      }
      await browser().signIn(username);
    });

    test(`a name that is taken is taken at ${name}, whichever door it came through`, async () => {
      for (const [other, { register }] of each) {
        const username = freshName();
        expect((await register(server, username, password)).status).toBeLessThan(300);
        const { status } = await door.register(server, username.toUpperCase(), password);
        expect([other, status]).toEqual([other, expect.any(Number)]);
        expect([400, 409]).toContain(status);
      }
    });

    const { logout } = door;
    if (logout) {
      test(`a session ended at ${name} is refused there; the person's others live on`, async () => {
        const { sessions, inBrowser } = await everywhere();
        const own = sessions.get(name);
        if (!own) throw new Error('no session');
        expect(await open(sessions)).toEqual(names);
        expect((await logout(server, own)).status).toBeLessThan(300);
        const others = names.filter((other) => other !== name);
        expect(await open(sessions)).toEqual(others);
        await eventually(
          'the other node knows',
          async () => (await open(sessions, second)).length === others.length,
          1000,
        );
        expect(await open(sessions, second)).toEqual(others);
        expect(await inBrowser.knows()).toBe(true);
      });
    }

    test(`no other door takes a token of ${name}`, async () => {
      const { sessions } = await everywhere();
      const { token = '', refreshToken } = sessions.get(name) ?? {};
      for (const [other, { takes }] of each)
        expect([other, await takes(server, token)]).toEqual([other, other === name]);
      if (refreshToken !== undefined)
        for (const [other, { takes }] of each)
          expect([other, await takes(server, refreshToken)]).toEqual([other, false]);
      const userApi = await call(server, { path: '/user/info', headers: [bearer(token)] });
      const userinfo = await call(server, { path: '/oauth/userinfo', headers: [bearer(token)] });
      expect([userApi.status, userinfo.status]).toEqual([401, 401]);
    });
  }

  const ends: Record<string, (subject: string, username: string) => Promise<unknown>> = {
    'the account is disabled': (subject) => server.core.accounts.disable(subject),
    'the account is deleted': (subject) => server.core.accounts.remove(subject),
    'all sessions are ended': (subject) => server.core.sessions.endAll(subject),
    'kill_sessions goes with a new password': (_, username) =>
      call(
        server,
        posting(
          '/v1/password/change',
          { new_password: 'nine pears above water', kill_sessions: true },
          basic(username, password),
        ),
      ),
  };
  for (const [when, end] of Object.entries(ends)) {
    test(`when ${when}, every door and the browser refuse what there was, on every node`, async () => {
      const { person, sessions, inBrowser } = await everywhere();
      const { person: neighbour, sessions: theirs } = await everywhere();
      expect(await open(sessions, second)).toEqual(names);
      await end(person.subject, person.username);
      expect(await open(sessions)).toEqual([]);
      expect(await inBrowser.knows()).toBe(false);
      await eventually('the other node knows', async () => (await open(sessions, second)).length === 0, 1000);
      expect(await server.core.sessions.list(person.subject)).toEqual([]);
      expect(await open(theirs)).toEqual(names);
      expect(await server.core.sessions.list(neighbour.subject)).toHaveLength(names.length + 1);
    });
  }

  test('a disabled person is let in at no door', async () => {
    const person = await buildPerson(server);
    await server.core.accounts.disable(person.subject);
    for (const [name, { login }] of each)
      expect([name, (await login(server, person.username, password)).token]).toEqual([name, undefined]);
    await expect(browser().signIn(person.username)).rejects.toThrow('no code');
  });

  test('one list has the sessions of every door and the browser: whence they come, and when they were last seen', async () => {
    const { person, sessions } = await everywhere();
    expect(await open(sessions)).toEqual(names);
    await server.core.activity.close();
    const list = await server.core.sessions.list(person.subject);
    expect(list.map(({ origin }) => origin.door).sort()).toEqual([...names, 'browser'].sort());
    for (const { uid, origin, createdAt, lastSeenAt, expiresAt } of list) {
      const from = { address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/), clientId: null };
      const userAgent = origin.door === 'browser' ? expect.any(String) : 'suite/1.0';
      expect(origin).toEqual({ door: origin.door, ...from, userAgent });
      expect([origin.door, lastSeenAt]).toEqual([origin.door, expect.any(Number)]);
      expect(lastSeenAt).toBeGreaterThanOrEqual(createdAt);
      expect(expiresAt).toBeGreaterThan(createdAt);
      // What the list shows is no credential anywhere.
      expect(await open(new Map(names.map((name) => [name, { token: uid }])))).toEqual([]);
    }
  });

  test('a session is ended from the list, one at a time', async () => {
    const { person, sessions, inBrowser } = await everywhere();
    const left = new Set(names);
    for (const { uid, origin } of await server.core.sessions.list(person.subject)) {
      await server.core.sessions.end(uid, { subject: person.subject });
      left.delete(origin.door);
      expect(await open(sessions)).toEqual([...left]);
      if (origin.door === 'browser') expect(await inBrowser.knows()).toBe(false);
    }
    expect(left.size).toBe(0);
  });

  test('a password changed on identity is changed at every door and in the browser', async () => {
    const { person, sessions, inBrowser } = await everywhere();
    const changing = posting(
      '/v1/password/change',
      { new_password: 'nine pears above water' },
      basic(person.username, password),
    );
    expect((await call(server, changing)).status).toBe(200);
    for (const [name, { login }] of each) {
      expect([name, (await login(second, person.username, password)).token]).toEqual([name, undefined]);
      const { token } = await login(second, person.username, 'nine pears above water');
      expect([name, token]).toEqual([name, expect.any(String)]);
    }
    await expect(browser().signIn(person.username)).rejects.toThrow('no code');
    // Without kill_sessions what there was lives on.
    expect(await open(sessions)).toEqual(names);
    expect(await inBrowser.knows()).toBe(true);
  });

  test('B7: wrong passwords count together, at whichever door, and the right one then waits at all of them', async () => {
    const person = await buildPerson(server);
    const spellings = [person.username, person.username.toUpperCase(), `${person.username}@example.org`];
    for (let n = 0; n < 10; n++) {
      const [, door] = each[n % each.length] ?? [];
      const answer = await door?.login(server, spellings[n % 3] ?? '', 'wrong');
      expect([n, answer?.token, answer?.status === 429]).toEqual([n, undefined, false]);
    }
    for (const [name, { login }] of each) {
      const { status, retryAfter } = await login(server, person.username, password);
      expect([name, status, Number(retryAfter) > 0]).toEqual([name, 429, true]);
    }
    await expect(browser().signIn(person.username)).rejects.toThrow('no code in 429');
    // A stranger's failures count for no one else.
    expect((await doors.identity?.login(server, (await buildPerson(server)).username, password))?.status).toBe(200);
  });

  test('a second factor is asked for at every door, and one code is good once, whichever door it went to', async () => {
    const person = await buildPerson(server);
    const app = await enrol(server.core.factors, person.subject);
    const code = app.fresh();
    for (const [name, { login }] of each)
      expect([name, (await login(server, person.username, password)).status]).toEqual([name, 401]);
    const all = await Promise.all(
      each.map(([, { login }]) => login(server, person.username, password, ['X-OTP', code])),
    );
    expect(all.filter(({ token }) => token !== undefined)).toHaveLength(1);
    for (const [n, [name, { login }]] of each.entries()) {
      const { token } = await login(server, person.username, password, ['X-OTP', app.recoveryCodes[n] ?? '']);
      expect([name, token]).toEqual([name, expect.any(String)]);
    }
  });
});
