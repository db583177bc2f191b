/** The device flow (RFC 8628): begun on one node, typed on another, polled on both. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import { digest } from '../../src/base/secrets.ts';
import { deviceGrant } from '../../src/core/clients/metadata/device-grant.ts';
import type { Unit } from '../../src/core/stores/engine.ts';
import { Agent } from '../support/agent.ts';
import { allow, answer, askToBegin, begin, confirm, deviceClient, enter, poll, press } from '../support/device.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import {
  claimsOf,
  comeBack,
  isActive,
  recorded,
  refresh,
  stopClock,
  type TestClient,
  travel,
  userApiTakes,
  userinfo,
} from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const scope = 'openid profile offline_access';

describeStorages('the device flow', (storage) => {
  let first: TestServer;
  let second: TestServer;
  let client: TestClient;
  beforeAll(async () => {
    first = await storage.start();
    second = await storage.join(first);
    client = await buildClient(first, deviceClient);
  });
  afterAll(() => first.close());
  afterEach(comeBack);

  /** A device that a person has allowed, on the other node. */
  async function allowed(form: Record<string, string> = { scope }) {
    const person = await buildPerson(first);
    const codes = await begin(first, client, form);
    const agent = new Agent(second);
    const page = await allow(agent, person, codes.user_code);
    if (!page.text.includes('Go back to your device')) throw new Error(page.text);
    return { person, codes, agent };
  }
  const errorOf = async (node: TestServer, codes: { device_code: string }, as = client) => {
    const { status, body } = await poll(node, as, codes);
    return [status, body.error];
  };

  test('a device gets its tokens after the person has allowed it, wherever each of them asks', async () => {
    const person = await buildPerson(first);
    const codes = await begin(first, client, { scope });
    expect(codes).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${first.url}/device`,
      verification_uri_complete: `${first.url}/device?user_code=${codes.user_code}`,
      expires_in: 600,
      interval: 5,
    });
    const pending = await poll(second, client, codes);
    expect([pending.status, pending.body]).toEqual([
      400,
      { error: 'authorization_pending', error_description: expect.any(String) },
    ]);
    expect(pending.headers.get('retry-after')).toBe('5');
    const page = await allow(new Agent(second), person, codes.user_code);
    expect(page.text).toContain('Go back to your device');
    const { status, body } = await poll(second, client, codes);
    expect([status, body.token_type, body.scope, claimsOf(body.id_token).sub]).toEqual([
      200,
      'Bearer',
      scope,
      person.subject,
    ]);
    expect((await userinfo(first, body.access_token)).status).toBe(200);
    const next = await refresh(first, client, body.refresh_token);
    expect([next.status, next.body.scope]).toEqual([200, scope]);
  });

  test('discovery names the endpoint and the grant type', async () => {
    const metadata = await (await fetch(`${first.url}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({
      device_authorization_endpoint: `${first.url}/oauth/device`,
      grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:device_code']),
    });
  });

  test('of 200 concurrent redemptions one gets tokens, and they end with the replays', async () => {
    const { codes } = await allowed();
    const nodes = Array.from({ length: 200 }, (_, n) => (n % 2 ? first : second));
    const answers = await Promise.all(nodes.map((node) => poll(node, client, codes)));
    const [given, ...more] = answers.filter(({ status }) => status === 200);
    expect([more.length, [...new Set(answers.map(({ body }) => body.error))].sort()]).toEqual([
      0,
      ['invalid_grant', undefined],
    ]);
    expect(await isActive(first, client, given?.body.access_token)).toBe(false);
    expect((await refresh(first, client, given?.body.refresh_token)).status).toBe(400);
  });

  test('a code that is used again ends its grant, also after it has expired', async () => {
    const { codes, person } = await allowed();
    const { body } = await poll(first, client, codes);
    travel(630);
    const again = await poll(second, client, codes);
    expect([again.status, again.body.error]).toEqual([400, 'invalid_grant']);
    expect(await recorded(second, again)).toMatchObject({ check: 'device_code_used', endpoint: 'token' });
    expect((await refresh(first, client, body.refresh_token)).status).toBe(400);
    await eventually('the audit trail has it', async () => {
      const events = await first.core.stores.audit.list({ event: 'grant.replayed', subject: person.subject }, 5);
      return events.length === 1;
    });
  });

  test('slow_down: each early poll adds five seconds for good, on every node', async () => {
    stopClock();
    const codes = await begin(first, client);
    expect(await errorOf(first, codes)).toEqual([400, 'authorization_pending']);
    travel(3);
    stopClock();
    const early = await poll(second, client, codes);
    expect([early.body.error, early.headers.get('retry-after')]).toEqual(['slow_down', '10']);
    expect(await recorded(second, early)).toMatchObject({ check: 'device_too_fast' });
    const waits: unknown[] = [];
    for (const seconds of [7, 15, 15, 11, 20]) {
      travel(seconds);
      stopClock();
      waits.push((await poll(seconds % 2 ? first : second, client, codes)).body.error);
    }
    // 7 s is less than 10 s, so it is 15 s from then on; 11 s raises it to 20 s.
    expect(waits).toEqual([
      'slow_down',
      'authorization_pending',
      'authorization_pending',
      'slow_down',
      'authorization_pending',
    ]);
  });

  test('a network that delays one poll by a second is not too fast', async () => {
    stopClock();
    const codes = await begin(first, client);
    await poll(first, client, codes);
    travel(4);
    expect(await errorOf(first, codes)).toEqual([400, 'authorization_pending']);
  });

  test('another client does not slow a device down, and gets nothing', async () => {
    const codes = await begin(first, client);
    const other = await buildClient(first, deviceClient);
    for (let n = 0; n < 3; n += 1) {
      const { body } = await poll(first, other, codes);
      expect(body.error).toBe('invalid_grant');
      expect(await recorded(first, { body })).toMatchObject({ check: 'device_code_of_another_client' });
    }
    expect(await errorOf(first, codes)).toEqual([400, 'authorization_pending']);
  });

  test('access_denied and expired_token are told apart', async () => {
    const person = await buildPerson(first);
    const [cancelled, denied, late] = await Promise.all([1, 2, 3].map(() => begin(first, client)));
    if (!cancelled || !denied || !late) throw new Error();

    const agent = new Agent(second);
    const page = await press(agent, await enter(agent, cancelled.user_code), {
      user_code: cancelled.user_code,
      abort: 'yes',
    });
    expect(page.text).toContain('The device was not signed in');
    const end = await answer(agent, person, await confirm(agent, denied.user_code), 'deny');
    expect(end.text).toContain('The device was not signed in');
    for (const codes of [cancelled, denied]) {
      const refused = await poll(first, client, codes);
      expect([refused.status, refused.body.error]).toEqual([400, 'access_denied']);
      expect(await recorded(first, refused)).toMatchObject({ check: 'device_denied' });
      // It stays refused, and its code cannot be allowed any more.
      expect(await errorOf(second, codes)).toEqual([400, 'access_denied']);
      expect((await enter(new Agent(first), codes.user_code)).text).toContain('That code is already in use');
    }
    travel(601);
    const expired = await poll(second, client, late);
    expect([expired.status, expired.body.error]).toEqual([400, 'expired_token']);
    expect(await recorded(second, expired)).toMatchObject({ check: 'device_code_expired' });
    expect((await enter(new Agent(first), late.user_code)).text).toContain('That code has expired');
    await eventually('the audit trail has both refusals', async () => {
      const events = await first.core.stores.audit.list({ event: 'device_code.denied', clientId: client.id }, 5);
      return events.length === 2;
    });
  });

  test('a code that was allowed and never asked for expires too', async () => {
    const { codes } = await allowed();
    travel(601);
    expect(await errorOf(first, codes)).toEqual([400, 'expired_token']);
  });

  test('expired codes are purged', async () => {
    const codes = await begin(first, client);
    const [key] = [digest(codes.device_code)];
    expect(await first.core.stores.engine.readToken(key)).toBeDefined();
    travel(601);
    while ((await first.core.stores.engine.purgeExpired(Math.floor(Date.now() / 1000), 1_000)) > 0);
    expect(await first.core.stores.engine.readToken(key)).toBeUndefined();
    expect(await first.core.stores.deviceCodes.poll(key, Date.now(), { least: 1, step: 5 })).toBeUndefined();
  });

  test('an API’s token: by resource, by audience, by its scopes, with its default scopes', async () => {
    const identifier = 'https://tv.example';
    const saved = await first.core.apis.add({
      identifier,
      name: 'TV',
      scopes: [
        { name: 'tv:watch', sentence: 'Watch', default: true },
        { name: 'tv:record', sentence: 'Record' },
      ],
    });
    expect(saved.outcome).toBe('saved');
    await eventually('the other node knows the API', async () => second.core.apis.find(identifier) !== undefined);
    for (const [form, granted] of [
      [{ resource: `${identifier}/`, scope: 'tv:record' }, 'tv:record'],
      [{ audience: identifier }, 'tv:watch'],
      [{ scope: 'tv:watch tv:record' }, 'tv:watch tv:record'],
    ] as const) {
      const { codes } = await allowed(form);
      const { body } = await poll(second, client, codes);
      expect([claimsOf(body.access_token).aud, body.scope]).toEqual([identifier, granted]);
    }
    const both = await allowed({ scope: 'openid tv:watch' });
    const answered = await poll(second, client, both.codes);
    expect(claimsOf(answered.body.access_token).aud).toEqual([identifier, `${first.url}/userinfo`]);
    expect((await userinfo(first, answered.body.access_token)).status).toBe(200);
    const { codes } = await allowed({});
    const { body } = await poll(second, client, codes);
    expect([body.scope, await userApiTakes(first, body.access_token)]).toEqual(['user', true]);
  });

  test('requests that no person could allow are refused at once', async () => {
    const about = async (form: Record<string, string>, as: TestClient = client) => {
      const { status, body } = await askToBegin(first, as, form);
      const record = await recorded(first, { body });
      return [status, body.error, record?.check, record?.endpoint];
    };
    expect(await about({ scope: 'no-such' })).toEqual([400, 'invalid_scope', 'scope_unknown', 'device']);
    expect(await about({ resource: 'https://nowhere.example' })).toEqual([
      400,
      'invalid_target',
      'resource_unknown',
      'device',
    ]);
    expect(await about({ resource: `${first.url}/userinfo` })).toEqual([
      400,
      'invalid_target',
      'resource_unknown',
      'device',
    ]);
    expect(await about({ scope: 'openid', request: 'a.b.c' })).toEqual([
      400,
      'request_not_supported',
      'feature_off',
      'device',
    ]);
    expect(await about({ scope: 'openid', dpop_jkt: 'x'.repeat(43) })).toEqual([
      400,
      'invalid_request',
      'parameter_invalid',
      'device',
    ]);
    expect(await about({}, await buildClient(first))).toEqual([
      400,
      'unauthorized_client',
      'grant_type_not_allowed',
      'device',
    ]);
    expect(await about({}, { id: 'unknown' })).toEqual([401, 'invalid_client', 'client_unknown', 'device']);
    const confidential = await buildClient(first, {
      ...deviceClient,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(await about({}, { id: confidential.id })).toEqual([
      401,
      'invalid_client',
      'client_credentials_missing',
      'device',
    ]);
    expect(await about({}, { ...confidential, secret: 'x'.repeat(43) })).toEqual([
      401,
      'invalid_client',
      'client_secret_wrong',
      'device',
    ]);
    expect((await askToBegin(first, confidential)).status).toBe(200);
  });

  test('D8: a device that proves a key gets bound tokens; its refresh token works with that key alone', async () => {
    const key = buildProofKey();
    const proof = (of = key) => proofOf(of, { url: `${first.url}/oauth/token` });
    const { codes } = await allowed();
    const ask = (node: TestServer, form: Record<string, string>, ...proofs: string[]) =>
      tokenWith(node, client, form, ...proofs);
    const redeemed = { grant_type: deviceGrant, device_code: codes.device_code };
    const elsewhere = proofOf(key, { url: `${first.url}/oauth/par` });
    expect((await ask(second, redeemed, elsewhere)).body.error).toBe('invalid_dpop_proof');
    const used = proof();
    const { status, body } = await ask(second, redeemed, used);
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
    const refreshed = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
    for (const [wrong, error] of [
      [[], 'invalid_grant'],
      [[proof(buildProofKey())], 'invalid_grant'],
      [[used], 'invalid_dpop_proof'],
    ] as const)
      expect((await ask(first, refreshed, ...wrong)).body.error).toBe(error);
    expect((await ask(first, refreshed, proof())).body.token_type).toBe('DPoP');
  });

  test('a client that must push its authorization requests begins devices as before', async () => {
    const pushes = await buildClient(first, { ...deviceClient, require_pushed_authorization_requests: true });
    const codes = await begin(second, pushes);
    expect((await allow(new Agent(first), await buildPerson(first), codes.user_code)).status).toBe(200);
    expect((await poll(second, pushes, codes)).body.token_type).toBe('Bearer');
  });

  test('a client without the grant type cannot redeem either', async () => {
    const other = await buildClient(first, { token_endpoint_auth_method: 'none' });
    const { status, body } = await poll(first, other, { device_code: 'x'.repeat(43) });
    expect([status, body.error]).toEqual([400, 'unauthorized_client']);
  });

  test('a user code is no device code, and a name of a row neither', async () => {
    const codes = await begin(first, client);
    for (const device_code of [codes.user_code, `row:${digest(codes.device_code)}`, digest(codes.device_code), '']) {
      const { status, body } = await poll(first, client, { device_code });
      expect([device_code, status, body.error]).toEqual([
        device_code,
        400,
        device_code === '' ? 'invalid_request' : 'invalid_grant',
      ]);
    }
    const mistaken = await poll(first, client, { device_code: codes.user_code });
    expect((await recorded(first, mistaken))?.advice).toContain('user_code');
  });

  test('nothing that is stored opens a device: neither code is readable', async () => {
    const codes = await begin(first, client);
    const bundle = await first.core.stores.engine.readToken(digest(codes.device_code));
    const plain = codes.user_code.replace('-', '');
    const stored = JSON.stringify(bundle);
    expect(stored).toContain('"params"'.replaceAll('"', '\\"'));
    for (const value of [codes.device_code, codes.user_code, plain]) expect(stored).not.toContain(value);
    // Without the server's key a digest of so few bits could be searched for.
    expect(await first.core.stores.deviceCodes.find(digest(plain))).toBeUndefined();
  });

  test('the end of account, consent, session or client ends a device that was allowed', async () => {
    const ends: Record<string, (made: Awaited<ReturnType<typeof allowed>>) => Promise<unknown>> = {
      'account disabled': ({ person }) => first.core.accounts.disable(person.subject),
      'consent revoked': ({ person }) => first.core.stores.engine.revokeGrantsOf(person.subject, client.id),
      'everything signed out': ({ person }) => first.core.stores.engine.endAll(person.subject),
    };
    for (const [name, end] of Object.entries(ends)) {
      const made = await allowed();
      await end(made);
      expect([name, await errorOf(second, made.codes)]).toEqual([name, [400, 'invalid_grant']]);
    }
    // Without offline_access, tokens end with the browser session, as in the code flow.
    const withSession = await allowed({ scope: 'openid' });
    await withSession.agent.confirmLogout(await withSession.agent.go('/oauth/logout'));
    expect(await errorOf(first, withSession.codes)).toEqual([400, 'invalid_grant']);
    const outlives = await allowed({ scope });
    await outlives.agent.confirmLogout(await outlives.agent.go('/oauth/logout'));
    expect((await poll(first, client, outlives.codes)).status).toBe(200);
  });

  test('the end of the client ends its codes, whether typed or not', async () => {
    const doomed = await buildClient(first, deviceClient);
    const [waiting, begun] = [await begin(first, doomed), await begin(first, doomed)];
    const person = await buildPerson(first);
    const agent = new Agent(first);
    const page = await confirm(agent, begun.user_code);
    await first.app.clients.remove(doomed.id);
    expect((await enter(new Agent(first), waiting.user_code)).text).toContain('That code is incorrect');
    expect((await answer(agent, person, page)).status).toBe(400);
    await eventually('the other node knows', async () => (await poll(second, doomed, waiting)).status === 401);
  });

  test('an approval that could not be stored is none in the audit trail; the same page can be sent again', async () => {
    const person = await buildPerson(first);
    const codes = await begin(first, client);
    const agent = new Agent(first);
    const login = await confirm(agent, codes.user_code);
    const consent = await agent.submit(login, { username: person.username, password: person.password });
    const { engine } = first.core.stores;
    const { commit } = engine;
    const without = async (unit: Unit) => {
      if (unit.tokens?.some(({ kind }) => kind === 'DeviceCode')) throw new Unavailable('database');
      return commit(unit);
    };
    Object.assign(engine, { commit: without });
    const failed = await agent.submit(consent, { answer: 'allow' });
    Object.assign(engine, { commit });
    expect(failed.status).toBe(503);
    expect(await errorOf(first, codes)).toEqual([400, 'authorization_pending']);
    const approvals = () => first.core.stores.audit.list({ event: 'device_code.approved', subject: person.subject }, 5);
    expect((await agent.go(new URL(failed.url).pathname)).text).toContain('Go back to your device');
    await eventually('the audit trail has the approval', async () => (await approvals()).length > 0);
    expect(await approvals()).toHaveLength(1);
  });

  test('an account that is disabled during its sign-in gives no device anything', async () => {
    const person = await buildPerson(first);
    const codes = await begin(first, client);
    const agent = new Agent(first);
    const login = await confirm(agent, codes.user_code);
    const consent = await agent.submit(login, { username: person.username, password: person.password });
    expect(consent.text).toContain('value="allow"');
    await first.core.accounts.disable(person.subject);
    await agent.submit(consent, { answer: 'allow' });
    const { body } = await poll(first, client, codes);
    expect(body.access_token).toBeUndefined();
  });
});
