/** How long a browser stays signed in: where its person wanted to be remembered, where not, and when no one uses it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { Agent, type Answer, codeOf } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { comeBack, redeem, refresh, travel } from '../support/flow.ts';
import { mailsTo } from '../support/mail.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const hour = 3600;

/** The lines by which the session's and the device's cookies were set on the way, the later ones in front. */
class Watching extends Agent {
  readonly set: string[] = [];
  override async go(...request: Parameters<Agent['go']>): Promise<Answer> {
    const [to, options = {}] = request;
    const answer = await super.go(to, { ...options, follow: false });
    this.set.unshift(...answer.headers.getSetCookie());
    const onward = answer.location?.startsWith(this.server.url) === true;
    if (options.follow === false || !onward || answer.status !== 303) return answer;
    return answer.location?.includes('code=') ? answer : this.go(answer.location ?? '');
  }
  line(name: string): string | undefined {
    return this.set.find((line) => line.startsWith(`${name}=`));
  }
}

describeStorages('a browser that stays signed in', (storage) => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await storage.start({ SESSION_TTL: String(48 * hour), SESSION_TTL_UNREMEMBERED: String(hour) });
    client = await buildClient(server, {}, 'register');
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  const address = (more: Record<string, string> = {}, clientId = client.id) =>
    `/oauth/authorize?${new URLSearchParams({ response_type: 'code', client_id: clientId, scope: 'openid', ...more })}`;

  async function signIn(keep: boolean, person?: { username: string }, agent = new Watching(server)) {
    const somebody = person ?? (await buildPerson(server));
    const page = await agent.go(address());
    const after = await agent.submit(page, {
      ...{ username: somebody.username, password },
      ...(keep && { keep: 'yes' }),
    });
    return { agent, person: somebody, after };
  }
  async function isSignedIn(agent: Agent): Promise<boolean> {
    const { location = '' } = await agent.go(address({ prompt: 'none' }));
    return new URL(location).searchParams.get('error') !== 'login_required';
  }

  test('not remembered: the cookie ends with the browser, the session soon, and the browser is known only until it is closed', async () => {
    const { agent } = await signIn(false);
    expect(agent.line('gatehouse')).toBeDefined();
    expect(agent.line('gatehouse')).not.toMatch(/expires|max-age/i);
    expect(agent.line('gatehouse-device')).toMatch(/^gatehouse-device=[\w-]{43}; path=\/; samesite=lax; httponly$/);
    travel(hour - 10);
    expect(await isSignedIn(agent)).toBe(true);
    travel(20);
    expect(await isSignedIn(agent)).toBe(false);
  });

  test('remembered: as long as the settings say, and the browser is known from then on', async () => {
    const before = nowSeconds();
    const { agent } = await signIn(true);
    const expires = /expires=([^;]+)/i.exec(agent.line('gatehouse') ?? '')?.[1] ?? '';
    const signedInAt = Date.parse(expires) / 1000 - 48 * hour;
    expect(signedInAt).toBeGreaterThanOrEqual(before);
    expect(signedInAt).toBeLessThanOrEqual(nowSeconds() + 1);
    expect(agent.line('gatehouse-device')).toMatch(
      /^gatehouse-device=[\w-]{43}; path=\/; expires=.*; samesite=lax; httponly$/,
    );
    travel(48 * hour - 10);
    expect(await isSignedIn(agent)).toBe(true);
    travel(20);
    expect(await isSignedIn(agent)).toBe(false);
  });

  test('proved once more, the later choice counts, whichever it is', async () => {
    for (const [first, later] of [
      [false, true],
      [true, false],
    ] as const) {
      const { agent, person } = await signIn(first);
      const page = await agent.go(address({ prompt: 'login' }));
      await agent.submit(page, { username: person.username, password, ...(later && { keep: 'yes' }) });
      expect([later, /expires/i.test(agent.line('gatehouse') ?? '')]).toEqual([later, later]);
      travel(2 * hour);
      expect([later, await isSignedIn(agent)]).toEqual([later, later]);
      comeBack();
    }
  });

  test('the choice is kept on the way through a second factor', async () => {
    for (const keep of [true, false]) {
      const person = await buildPerson(server);
      const app = await enrol(server.core.factors, person.subject);
      const { agent, after } = await signIn(keep, person);
      expect(after.text).toContain('name="code"');
      await agent.submit(after, { code: app.fresh() });
      expect([keep, /expires/i.test(agent.line('gatehouse') ?? '')]).toEqual([keep, keep]);
      expect([keep, /expires/i.test(agent.line('gatehouse-device') ?? '')]).toEqual([keep, keep]);
      comeBack();
    }
  });

  test('a sign-in is told by mail, but not in a browser that is known, nor where a person is signed in already', async () => {
    if (storage.kind !== 'sqlite') return;
    const { agent, person } = await signIn(true);
    const to = `${person.username}@example.org`;
    expect(await mailsTo(server, to)).toMatchObject([{ kind: 'new-sign-in' }]);
    agent.cookies.delete('gatehouse/');
    await signIn(false, person, agent);
    await agent.submit(await agent.go(address({ prompt: 'login' })), { username: person.username, password });
    expect(await mailsTo(server, to)).toHaveLength(1);
    await signIn(false, person);
    const [mail] = await mailsTo(server, to);
    expect(mail?.text).toContain('IP address: 127.0.0.1');
    expect(mail?.link).toBe(`${server.url}/account/sessions`);
    expect(await mailsTo(server, to)).toHaveLength(2);
  });

  test('no sign-in is told where NEW_DEVICE_MAIL is false', async () => {
    if (storage.kind !== 'sqlite') return;
    const quiet = await storage.start({ NEW_DEVICE_MAIL: 'false' });
    try {
      const person = await buildPerson(quiet);
      const { id } = await buildClient(quiet, {}, 'register');
      expect(codeOf(await new Agent(quiet).authorize(person, { client_id: id, scope: 'openid' }))).not.toBe('');
      expect(await mailsTo(quiet, person.email ?? '')).toEqual([]);
    } finally {
      await quiet.close();
    }
  });

  describe('that is not used', () => {
    let idle: TestServer;
    let application: Awaited<ReturnType<typeof buildClient>>;
    beforeAll(async () => {
      idle = await storage.start({ SESSION_IDLE_TTL: String(hour), NEW_DEVICE_MAIL: 'false' });
      application = await buildClient(idle, {}, 'register');
    });
    afterAll(() => idle.close());
    /** Marks are written a moment later. */
    async function seen(subject: string): Promise<void> {
      const since = nowSeconds();
      await eventually('the person has been seen', async () => {
        const [session] = await idle.core.sessions.list(subject);
        return (session?.lastSeenAt ?? 0) >= since - 60;
      });
    }

    async function tokens(agent: Agent, person: { username: string }) {
      const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
      const asked = {
        client_id: application.id,
        scope: 'openid',
        code_challenge: challenge,
        code_challenge_method: 'S256',
      };
      const code = codeOf(await agent.authorize(person, asked));
      const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
      return (await redeem(idle, application, { code, code_verifier: verifier })).body;
    }
    const signedIn = async (agent: Agent) => {
      const { location = '' } = await agent.go(address({ prompt: 'none' }, application.id));
      return new URL(location).searchParams.get('error') !== 'login_required';
    };

    test('is signed out, and its applications with it', async () => {
      const agent = new Agent(idle);
      const person = await buildPerson(idle);
      const { refresh_token: token } = await tokens(agent, person);
      travel(hour + 5);
      expect(await signedIn(agent)).toBe(false);
      expect((await refresh(idle, application, token)).status).toBe(400);
      expect(await idle.core.sessions.list(person.subject)).toEqual([]);
    });

    test('stays signed in while it, or an application of its person, is used', async () => {
      const agent = new Agent(idle);
      const person = await buildPerson(idle);
      const { refresh_token: token } = await tokens(agent, person);
      travel(hour - 600);
      await signedIn(agent);
      await seen(person.subject);
      travel(hour - 600);
      expect((await refresh(idle, application, token)).status).toBe(200);
      await seen(person.subject);
      travel(hour - 600);
      expect(await signedIn(agent)).toBe(true);
      expect(await idle.core.sessions.list(person.subject)).toHaveLength(1);
    });
  });
});
