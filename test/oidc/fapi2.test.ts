/**
 * Clients of the profile fapi2 (FAPI 2.0 Security Profile Final, section 5.3.2): the whole flow, and each rule by a
 * request that breaks it.
 */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';
import { nowSeconds } from '../../src/base/clock.ts';
import { randomToken } from '../../src/base/secrets.ts';
import { deviceGrant } from '../../src/core/clients/metadata/device-grant.ts';
import { Agent, type Answer, codeOf, pkce, type TokenAnswer, token } from '../support/agent.ts';
import { allow, askToBegin, begin, deviceClient } from '../support/device.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import {
  assertionClaims,
  assertionForm,
  type Claims,
  claimsOf,
  comeBack,
  headerOf,
  jwt,
  recorded,
  travel,
} from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { at, describeStorages } from '../support/storages.ts';

const api = 'https://ledger.example.com';
const oldApi = 'https://old.example.com';
const callback = 'https://app.example.com/cb';

describeStorages('the profile fapi2', (storage) => {
  let server: TestServer;
  let other: TestServer;
  let client: { readonly id: string };
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const proofKey = buildProofKey();
  const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid });
  const jwks = { keys: [jwkOf(keys.publicKey, 'ec'), jwkOf(rsa.publicKey, 'rsa')] };

  beforeAll(async () => {
    server = await storage.start({ AUTHORIZATION_CODE_TTL: '600' });
    other = await storage.join(server);
    const scopes = [{ name: 'pay', sentence: 'Pay.' }];
    await server.core.apis.add({ identifier: api, name: 'Ledger', scopes });
    await server.core.apis.add({
      identifier: oldApi,
      name: 'Old',
      signingAlg: 'RS256',
      scopes: [{ name: 'old', sentence: 'Old.' }],
    });
    client = await buildClient(server, { profile: 'fapi2', jwks });
    await eventually('the other node knows the API', async () => other.core.apis.find(oldApi) !== undefined, 5_000);
  });
  afterAll(() => server.close());
  let seconds = 0;
  beforeEach(() => travel(++seconds));
  afterEach(comeBack);

  const issuer = () => server.core.config.issuer;
  const assertion = (change: Claims = {}, header: Claims = {}, key: Parameters<typeof jwt>[2] = keys.privateKey) =>
    jwt({ alg: 'ES256', kid: 'ec', ...header }, { ...assertionClaims({ url: issuer() }, client), ...change }, key);
  const as = (signed = assertion()) => ({ client_id: client.id, ...assertionForm(signed) });
  const proof = (path = '/oauth/token') => proofOf(proofKey, { url: `${issuer()}${path}` });

  function pushWith(form: Record<string, string>, more: Record<string, string | undefined> = {}, node = server) {
    const { verifier, challenge } = pkce();
    const asked = {
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid offline_access pay',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...more,
    };
    const given = Object.entries(asked).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return token(node, { id: client.id }, { ...Object.fromEntries(given), ...form }, '/oauth/par').then((answer) => ({
      answer,
      verifier,
    }));
  }
  const push = (more: Record<string, string | undefined> = {}, node = server) => pushWith(as(), more, node);

  async function toEnd(address: string): Promise<Answer> {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    let page = await agent.go(address);
    for (let pages = 0; pages < 3 && page.status === 200; pages += 1) {
      const login = page.text.includes('name="password"');
      page = await agent.submit(page, login ? { username: person.username, password } : { answer: 'allow' });
    }
    return page;
  }
  async function codeFor() {
    const { answer, verifier } = await push({}, other);
    const address = `/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(answer.body.request_uri) })}`;
    const end = await toEnd(address);
    return {
      end,
      grant: { grant_type: 'authorization_code', code: codeOf(end), code_verifier: verifier, redirect_uri: callback },
    };
  }
  const redeem = (grant: Record<string, string>, form = as(), ...proofs: string[]): Promise<TokenAnswer> =>
    tokenWith(server, { id: client.id }, { ...grant, ...form }, ...proofs);
  const said = ({ status, body }: TokenAnswer) => [status, body.error];

  test('the whole flow: pushed on one node, authorized by 303 with iss, bound tokens signed with ES256, and refresh tokens that stay', async () => {
    const { end, grant } = await codeFor();
    expect([end.status, new URL(end.location ?? '').searchParams.get('iss')]).toEqual([303, issuer()]);
    const first = await redeem(grant, as(), proof());
    expect([first.status, first.body.token_type]).toEqual([200, 'DPoP']);
    expect(headerOf(first.body.id_token).alg).toBe('ES256');
    expect(headerOf(first.body.access_token).alg).toBe('ES256');
    expect(claimsOf(first.body.access_token).cnf).toEqual({ jkt: proofKey.thumbprint });
    // No rotation: the same refresh token, again and again.
    const refresh = { grant_type: 'refresh_token', refresh_token: String(first.body.refresh_token) };
    for (let times = 0; times < 3; times += 1) {
      const next = await redeem(refresh, as(), proof());
      expect([next.status, next.body.token_type]).toEqual([200, 'DPoP']);
      expect(next.body.refresh_token).toBe(first.body.refresh_token);
    }
  });

  test('a signed introspection response has an algorithm of the profile, also if the client registered none', async () => {
    const response = await fetch(`${server.url}/oauth/introspect`, {
      method: 'POST',
      headers: { accept: 'application/token-introspection+jwt' },
      body: new URLSearchParams({ ...as(), token: 'x' }),
    });
    expect([response.status, headerOf(await response.text()).alg]).toEqual([200, 'ES256']);
  });

  test('a code works for 60 seconds at most, whatever AUTHORIZATION_CODE_TTL says', async () => {
    const { grant } = await codeFor();
    travel(61 + seconds);
    expect(said(await redeem(grant, as(), proof()))).toEqual([400, 'invalid_grant']);
  });

  test('a code works once', async () => {
    const { grant } = await codeFor();
    expect((await redeem(grant, as(), proof())).status).toBe(200);
    expect(said(await redeem(grant, as(), proof()))).toEqual([400, 'invalid_grant']);
  });

  test('no token without a proof of a key', async () => {
    const { grant } = await codeFor();
    expect(said(await redeem(grant))).toEqual([400, 'invalid_dpop_proof']);
    const { status, body } = await redeem(grant, as(), proof());
    expect(status).toBe(200);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
    expect(said(await redeem(refresh))).toEqual([400, 'invalid_dpop_proof']);
    const jwks = { keys: [jwkOf(keys.publicKey, 'ec')] };
    const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'pay', profile: 'fapi2', jwks };
    const { id } = await buildClient(server, machine);
    const own = { ...assertionClaims({ url: issuer() }, { id }) };
    const form = () =>
      assertionForm(jwt({ alg: 'ES256', kid: 'ec' }, { ...own, jti: randomToken(12) }, keys.privateKey));
    const asked = { grant_type: 'client_credentials', scope: 'pay', resource: api };
    expect(said(await tokenWith(server, { id }, { ...asked, ...form() }))).toEqual([400, 'invalid_dpop_proof']);
    expect((await tokenWith(server, { id }, { ...asked, ...form() }, proof())).body.token_type).toBe('DPoP');
    // An assertion and a proof are different JWTs: one of them does not use up the other's jti.
    const jti = randomToken(12);
    const twin = assertionForm(jwt({ alg: 'ES256', kid: 'ec' }, { ...own, jti }, keys.privateKey));
    const beside = proofOf(proofKey, { url: `${issuer()}/oauth/token`, claims: { jti } });
    expect((await tokenWith(server, { id }, { ...asked, ...twin }, beside)).status).toBe(200);
    expect(said(await tokenWith(server, { id }, { ...asked, ...form() }, beside))).toEqual([400, 'invalid_dpop_proof']);
  });

  test('a device of the profile: bound tokens of ES256 alone, and refresh tokens that stay; a signed introspection is of ES256', async () => {
    const { token_endpoint_auth_method: _method, ...device } = deviceClient;
    const { id } = await buildClient(server, {
      ...device,
      profile: 'fapi2',
      jwks: { keys: [jwkOf(keys.publicKey, 'ec')] },
    });
    const own = () =>
      assertionForm(jwt({ alg: 'ES256', kid: 'ec' }, assertionClaims({ url: issuer() }, { id }), keys.privateKey));
    const withRsa = await askToBegin(server, { id }, { scope: 'openid old', ...own() });
    expect(said(withRsa)).toEqual([400, 'invalid_target']);
    const codes = await begin(other, { id }, { scope: 'openid offline_access pay', ...own() });
    const page = await allow(new Agent(server), await buildPerson(server), codes.user_code);
    expect(page.text).toContain('Go back to your device');
    const redeemed = { grant_type: deviceGrant, device_code: codes.device_code };
    const ask = (form: Record<string, string>, ...proofs: string[]) =>
      tokenWith(server, { id }, { ...form, ...own() }, ...proofs);
    expect(said(await ask(redeemed))).toEqual([400, 'invalid_dpop_proof']);
    const { body } = await ask(redeemed, proof());
    expect([body.token_type, headerOf(body.access_token).alg, headerOf(body.id_token).alg]).toEqual([
      'DPoP',
      'ES256',
      'ES256',
    ]);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
    expect(said(await ask(refresh))).toEqual([400, 'invalid_dpop_proof']);
    expect((await ask(refresh, proof())).body).toMatchObject({ token_type: 'DPoP', refresh_token: body.refresh_token });
    const introspected = await fetch(`${server.url}/oauth/introspect`, {
      method: 'POST',
      headers: { accept: 'application/token-introspection+jwt' },
      body: new URLSearchParams({ client_id: id, token: String(body.access_token), ...own() }),
    });
    expect(headerOf(await introspected.text()).alg).toBe('ES256');
  });

  test('an authorization request that was not pushed is refused', async () => {
    const query = new URLSearchParams({
      client_id: client.id,
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    });
    const answer = await new Agent(server).go(`/oauth/authorize?${query}`);
    expect(new URL(answer.location ?? '').searchParams.get('error')).toBe('invalid_request');
    expect(await recorded(server, answer)).toMatchObject({
      check: 'pushed_required',
      advice: expect.stringContaining('Its profile fapi2 demands it.'),
    });
  });

  describe('a push is refused', () => {
    const wrong: readonly [string, Record<string, string | undefined>, string, string][] = [
      ['without redirect_uri', { redirect_uri: undefined }, 'invalid_request', 'redirect_uri_missing'],
      [
        'without PKCE',
        { code_challenge: undefined, code_challenge_method: undefined },
        'invalid_request',
        'pkce_missing',
      ],
      ['with PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request', 'pkce_method'],
      ['with response_type token', { response_type: 'token' }, 'unsupported_response_type', 'response_type'],
      [
        'with another redirect_uri',
        { redirect_uri: 'https://evil.example/' },
        'invalid_request',
        'redirect_uri_unregistered',
      ],
      [
        'for an API that signs with RS256',
        { scope: 'openid old', resource: oldApi },
        'invalid_target',
        'profile_forbids',
      ],
      ['for that API by its scope alone', { scope: 'openid old' }, 'invalid_target', 'profile_forbids'],
    ];
    test.each(wrong)('%s', async (_name, more, error, check) => {
      const { answer } = await push(more);
      expect(said(answer)).toEqual([400, error]);
      expect(await recorded(server, answer)).toMatchObject({ check, endpoint: 'par', clientId: client.id });
    });

    test('without authentication', async () => {
      expect(said((await pushWith({ client_id: client.id })).answer)).toEqual([401, 'invalid_client']);
    });
  });

  describe('an assertion', () => {
    const pss = (input: string) =>
      sign('sha256', Buffer.from(input), {
        key: rsa.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      });
    const pkcs1 = (input: string) => sign('sha256', Buffer.from(input), rsa.privateKey);
    const accepted: readonly [string, () => string][] = [
      ['for the issuer', () => assertion()],
      ['made 10 seconds ahead', () => assertion({ iat: nowSeconds() + 10, nbf: nowSeconds() + 10 })],
      ['signed with PS256', () => assertion({}, { alg: 'PS256', kid: 'rsa' }, pss)],
    ];
    test.each(accepted)('%s is accepted', async (_name, made) => {
      expect((await pushWith(as(made()))).answer.status).toBe(201);
    });

    const refused: readonly [string, () => string][] = [
      ['for the token endpoint', () => assertion({ aud: `${issuer()}/oauth/token` })],
      ['for the endpoint of the push', () => assertion({ aud: `${issuer()}/oauth/par` })],
      ['for a list with the issuer', () => assertion({ aud: [issuer()] })],
      ['for the issuer with a slash', () => assertion({ aud: `${issuer()}/` })],
      ['made more than 60 seconds ahead', () => assertion({ iat: nowSeconds() + 62 })],
      ['not valid for more than 60 seconds', () => assertion({ nbf: nowSeconds() + 62 })],
      ['signed with RS256', () => assertion({}, { alg: 'RS256', kid: 'rsa' }, pkcs1)],
      ['that is not signed', () => assertion({}, { alg: 'none' }, () => '')],
      ['without jti', () => assertion({ jti: undefined })],
      ['of another client', () => assertion({ iss: 'other', sub: 'other' })],
    ];
    test.each(refused)('%s is refused at every endpoint', async (_name, made) => {
      const about = { grant_type: 'refresh_token', refresh_token: 'x', token: 'x' };
      for (const path of ['/oauth/par', '/oauth/token', '/oauth/device', '/oauth/introspect', '/oauth/revoke']) {
        const form = path === '/oauth/par' ? { response_type: 'code' } : about;
        const answer = await token(server, { id: client.id }, { ...form, ...as(made()) }, path);
        expect([path, answer.body.error]).toEqual([path, expect.stringMatching(/^invalid_(client|request)$/)]);
      }
    });

    test('its refusal says what was wrong', async () => {
      // Five records a minute of one client and check; the tests above have used them up.
      travel(90);
      const byAud = await pushWith(as(assertion({ aud: `${issuer()}/oauth/token` })));
      expect(await recorded(server, byAud.answer)).toMatchObject({ check: 'client_assertion', expected: issuer() });
      const byAlg = await pushWith(as(assertion({}, { alg: 'RS256', kid: 'rsa' }, pkcs1)));
      expect(await recorded(server, byAlg.answer)).toMatchObject({
        check: 'client_assertion',
        expected: 'PS256, ES256, EdDSA, Ed25519',
        received: 'alg RS256',
      });
    });
  });

  test('openid-client, told the issuer and its keys, gets through: push, code, bound tokens, refresh', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const { id } = await buildClient(server, {
      profile: 'fapi2',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'lib', alg: 'ES256', use: 'sig' }] },
    });
    const person = await buildPerson(server);
    const auth = oidc.PrivateKeyJwt({ key: privateKey, kid: 'lib' });
    const told = { id_token_signed_response_alg: 'ES256' };
    const insecure = { execute: [oidc.allowInsecureRequests] };
    const config = await oidc.discovery(new URL(issuer()), id, told, auth, insecure);
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
    const address = await oidc.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: callback,
        scope: 'openid profile offline_access',
        state: expectedState,
        nonce: expectedNonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      },
      { DPoP },
    );
    expect([...address.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    const { location } = await new Agent(server).authorize(person, Object.fromEntries(address.searchParams));
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
    const tokens = await oidc.authorizationCodeGrant(config, new URL(location ?? ''), checks, undefined, { DPoP });
    expect(tokens).toMatchObject({ token_type: 'dpop' });
    expect(tokens.claims()).toMatchObject({ iss: issuer(), aud: id, sub: person.subject, nonce: expectedNonce });
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP });
    expect(refreshed.refresh_token).toBe(tokens.refresh_token);
    // The push was bound to the key of its proof: another key cannot redeem the code.
    const second = await oidc.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: callback,
        scope: 'openid',
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      },
      { DPoP },
    );
    const next = await new Agent(server).authorize(person, Object.fromEntries(second.searchParams));
    const thief = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
    await expect(
      oidc.authorizationCodeGrant(config, new URL(next.location ?? ''), { pkceCodeVerifier }, undefined, {
        DPoP: thief,
      }),
    ).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('a client without the profile is as before: other audiences, queries without redirect_uri, Bearer tokens', async () => {
    const stock = await buildClient(server, {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwkOf(keys.publicKey, 'ec')] },
    });
    const claims = { ...assertionClaims({ url: issuer() }, stock), aud: `${issuer()}/oauth/token` };
    const form = {
      client_id: stock.id,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    };
    const pushed = await token(
      server,
      stock,
      { ...form, ...assertionForm(jwt({ alg: 'ES256' }, claims, keys.privateKey)) },
      '/oauth/par',
    );
    expect(pushed.status).toBe(201);
    expect((await new Agent(server).go(`/oauth/authorize?${new URLSearchParams(form)}`)).text).toContain(
      'name="password"',
    );
  });

  test('discovery names what the server does for all, and nothing of one profile', async () => {
    const metadata = (await (await fetch(`${at(server).url}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    expect(metadata).toMatchObject({
      pushed_authorization_request_endpoint: `${issuer()}/oauth/par`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
    });
    expect(metadata).not.toHaveProperty('require_pushed_authorization_requests');
  });
});
