/** Signing out on behalf of an application (OpenID Connect RP-Initiated Logout). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import {
  ask,
  claimsOf,
  comeBack,
  headerOf,
  isActive,
  refresh,
  tokensFor,
  travel,
  userApiTakes,
  userinfo,
} from '../support/flow.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';

const home = 'https://app.example.com/goodbye';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server, { post_logout_redirect_uris: [home] });
});
afterAll(() => server.close());
afterEach(comeBack);

const logout = (agent: Agent, parameters: Record<string, string>) =>
  agent.go(`/oauth/logout?${new URLSearchParams(parameters)}`, { follow: false });

async function signedIn(agent: Agent): Promise<boolean> {
  const query = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    scope: 'openid',
    prompt: 'none',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
  });
  const { location } = await agent.go(`/oauth/authorize?${query}`, { follow: false });
  const { searchParams } = new URL(location ?? '');
  if (!searchParams.has('code')) expect(searchParams.get('error')).toBe('login_required');
  return searchParams.has('code');
}

describe('F1: where a logout leads', () => {
  test('F1: anything but a registered address is refused without a redirect, and no one is signed out', async () => {
    const other = await buildClient(server, { post_logout_redirect_uris: ['https://other.example.com/bye'] });
    const { agent, body } = await tokensFor(server, client);
    const addresses = [
      `${home}?x=1`,
      `${home}/`,
      `${home}#x`,
      'https://evil.example/',
      'https://other.example.com/bye',
      'javascript:alert(1)',
      '//app.example.com/goodbye',
      '/goodbye',
    ];
    for (const post_logout_redirect_uri of addresses) {
      for (const proof of [{ id_token_hint: body.id_token ?? '' }, { client_id: client.id }]) {
        const answer = await logout(agent, { ...proof, post_logout_redirect_uri });
        expect([answer.status, answer.location]).toEqual([400, undefined]);
        expect(answer.text).not.toContain('href="javascript');
      }
    }
    // Without a client to check it against, the address is dropped.
    const nobody = await logout(agent, { post_logout_redirect_uri: home });
    expect(nobody.status).toBe(200);
    expect((await agent.confirmLogout(nobody)).url).toContain('/oauth/logout/success');
    expect(other.id).not.toBe(client.id);
  });

  test('F1, F5: a registered address is used, with exactly the state that came', async () => {
    const { agent, body } = await tokensFor(server, client);
    const state = '"><svg/onload=alert(1)> +&=';
    const page = await logout(agent, { id_token_hint: body.id_token ?? '', post_logout_redirect_uri: home, state });
    expect(page.text).not.toContain('<svg/');
    const { location } = await agent.confirmLogout(page);
    expect(location).toBe(`${home}?${new URLSearchParams({ state })}`);
    expect(await signedIn(agent)).toBe(false);
  });

  test('F5: without an accepted address the state goes nowhere', async () => {
    const { agent, body } = await tokensFor(server, client);
    const page = await logout(agent, { id_token_hint: body.id_token ?? '', state: '<svg/onload=1>' });
    const done = await agent.confirmLogout(page);
    expect(done.url).not.toContain('state');
    expect(page.text + done.text).not.toContain('<svg/onload');
  });

  test('a logout that comes as a form is the same logout', async () => {
    const { agent, body } = await tokensFor(server, client);
    const page = await agent.go('/oauth/logout', {
      form: { id_token_hint: body.id_token ?? '', post_logout_redirect_uri: home },
    });
    expect((await agent.confirmLogout(page)).location).toBe(home);
    expect(await signedIn(agent)).toBe(false);
  });
});

describe('F2: who may sign a person out', () => {
  test('F2: opening the address (an image would) signs no one out', async () => {
    const { agent, body } = await tokensFor(server, client);
    await logout(agent, {});
    await logout(agent, { id_token_hint: body.id_token ?? '' });
    expect(await signedIn(agent)).toBe(true);
  });

  test('F2: without a hint, and with an expired one, a page asks; it does not send itself', async () => {
    const { agent, body } = await tokensFor(server, client);
    const current = await logout(agent, { id_token_hint: body.id_token ?? '' });
    travel(3_700);
    const pages = [await logout(agent, {}), await logout(agent, { id_token_hint: body.id_token ?? '' })];
    for (const page of pages) {
      expect(page.status).toBe(200);
      expect(page.text).toMatch(/<button[^>]*name="logout"/);
      expect(page.text).not.toMatch(/data-auto|requestSubmit|\.submit\(\)/);
    }
    // A current hint of this very person is as good as an answer.
    expect(current.text).toContain('data-auto');
  });

  test('F2: a page of another browser, or none at all, confirms nothing', async () => {
    const { agent } = await tokensFor(server, client);
    const foreign = new Agent(server);
    const page = await logout(agent, {});
    expect((await foreign.confirmLogout(page)).status).toBe(400);
    expect((await agent.go('/oauth/logout/confirm', { form: { xsrf: 'x', logout: 'yes' } })).status).toBe(400);
    expect((await agent.go('/oauth/logout/confirm', { form: { logout: 'yes' } })).status).toBe(400);
    expect(await signedIn(agent)).toBe(true);
  });

  test('F2: a hint that is forged, unsigned or no ID token is an error page', async () => {
    const { agent, body } = await tokensFor(server, client);
    const [header, payload, signature] = (body.id_token ?? '').split('.');
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const bad = [
      `${header}.${encode({ ...claimsOf(body.id_token), sub: 'somebody' })}.${signature}`,
      `${encode({ ...headerOf(body.id_token), alg: 'none' })}.${payload}.`,
      `${header}.${payload}.`,
      'garbage',
      body.access_token ?? '',
    ];
    for (const id_token_hint of bad) {
      const answer = await logout(agent, { id_token_hint, post_logout_redirect_uri: home });
      expect([answer.status, answer.location]).toEqual([400, undefined]);
    }
    expect(await signedIn(agent)).toBe(true);
  });
});

describe('F3: after a logout', () => {
  test("F3, B2: the session's cookie is dead on the server, and what hung on the session with it", async () => {
    const { agent, body, person } = await tokensFor(server, client);
    const lasting = await tokensFor(server, client, {
      person,
      agent,
      scope: 'openid offline_access',
      extra: { prompt: 'consent' },
    });
    const kept = new Map(agent.cookies);
    expect((await userinfo(server, body.access_token)).status).toBe(200);

    await agent.confirmLogout(await logout(agent, {}));
    expect(await signedIn(agent)).toBe(false);
    for (const [key, cookie] of kept) agent.cookies.set(key, cookie);
    expect(await signedIn(agent)).toBe(false);
    expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await userinfo(server, body.access_token)).status).toBe(401);
    expect(await isActive(server, client, body.refresh_token)).toBe(false);
    // Of two answers in one grant the one with offline_access was asked for on purpose: it outlives the browser.
    expect((await refresh(server, client, lasting.body.refresh_token)).status).toBe(200);
  });

  test('F3: a refresh token without openid outlives the browser session, its JWTs too', async () => {
    const { agent, body } = await tokensFor(server, client, { scope: 'user' });
    await agent.confirmLogout(await logout(agent, {}));
    expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
    expect(await userApiTakes(server, body.access_token)).toBe(true);
  });

  test("F3: the person's session in another browser lives on", async () => {
    const { agent, person } = await tokensFor(server, client);
    const elsewhere = await tokensFor(server, client, { person });
    await agent.confirmLogout(await logout(agent, {}));
    expect(await signedIn(elsewhere.agent)).toBe(true);
    expect((await refresh(server, client, elsewhere.body.refresh_token)).status).toBe(200);
    expect((await ask(server, 'introspect', client, elsewhere.body.access_token)).body.active).toBe(true);
  });
});
