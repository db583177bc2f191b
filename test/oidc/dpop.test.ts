/**
 * DPoP (RFC 9449) at the token endpoint: which proofs are taken, what is bound to the key, and that each is used once.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { basic, type TokenAnswer } from '../support/agent.ts';
import { call } from '../support/call.ts';
import { buildProofKey, type ProofKey, type ProofOptions, proofOf, tokenWith, wrongProofs } from '../support/dpop.ts';
import { claimsOf, codeFor, comeBack, recorded, redeem, refresh, type TestClient, travel } from '../support/flow.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const opaqueApi = `${api}/opaque`;
const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read' };

describeStorages('DPoP at the token endpoint', (storage) => {
  let server: TestServer;
  let service: TestClient;
  let spa: TestClient;
  let web: TestClient;
  const key = buildProofKey();
  const other = buildProofKey();
  beforeAll(async () => {
    server = await storage.start();
    const scopes = [{ name: 'read', sentence: 'Read.' }];
    await server.core.apis.add({ identifier: api, name: 'An API', scopes });
    await server.core.apis.add({ identifier: opaqueApi, name: 'Opaque', tokenFormat: 'opaque', scopes });
    service = await buildClient(server, machine);
    spa = await buildClient(server, { token_endpoint_auth_method: 'none' });
    web = await buildClient(server);
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  const forService = { grant_type: 'client_credentials', scope: 'read', resource: api };
  const proof = (options: Partial<ProofOptions> = {}, of: ProofKey = key) =>
    proofOf(of, { url: `${server.core.config.issuer}/oauth/token`, ...options });
  const machineToken = (...proofs: string[]) => tokenWith(server, service, forService, ...proofs);
  const said = ({ status, body }: TokenAnswer) => [status, body.error];

  test('a proof binds the token to its key; without one it is a Bearer token', async () => {
    const { status, body, headers } = await machineToken(proof());
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
    expect(claimsOf(body.access_token).cnf).toEqual({ jkt: key.thumbprint });
    expect(headers.get('dpop-nonce')).toMatch(/^[\w-]{43}$/);
    const plain = await machineToken();
    expect([plain.status, plain.body.token_type, plain.headers.get('dpop-nonce')]).toEqual([200, 'Bearer', null]);
    expect(claimsOf(plain.body.access_token)).not.toHaveProperty('cnf');
  });

  test('D8: every wrong proof is refused with invalid_dpop_proof, and its record says what was wrong', async () => {
    for (const [n, [name, options, check, received]] of wrongProofs(key, other).entries()) {
      // A process records 20 refusals a second, and 5 a minute of one kind.
      travel(n * 15);
      const answer = await machineToken(proof(options));
      expect([name, ...said(answer)]).toEqual([name, 400, 'invalid_dpop_proof']);
      const record = await recorded(server, answer);
      expect([name, record]).toMatchObject([name, { check, error: 'invalid_dpop_proof', clientId: service.id }]);
      expect([name, record?.received, record?.expected]).toEqual([
        ...[name, expect.stringContaining(received), expect.any(String)],
      ]);
    }
  });

  test('D8: text that is no JWT, two headers, two proofs in one, and an empty one', async () => {
    travel(3600);
    for (const [proofs, check] of [
      [['x'], 'proof_malformed'],
      [['one', 'two'], 'proof_repeated'],
      [[proof(), proof()], 'proof_repeated'],
      [[`${proof()}, ${proof()}`], 'proof_repeated'],
      [[''], 'proof_missing'],
    ] as const) {
      const headers = [
        ['Authorization', basic(service.id, service.secret ?? '')] as const,
        ['Content-Type', 'application/x-www-form-urlencoded'] as const,
        ...proofs.map((value) => ['DPoP', value] as const),
      ];
      const body = `${new URLSearchParams(forService)}`;
      const { status, text } = await call(server, { method: 'POST', path: '/oauth/token', headers, body });
      expect([check, status, JSON.parse(text).error]).toEqual([check, 400, 'invalid_dpop_proof']);
      expect((await recorded(server, { body: JSON.parse(text) }))?.check).toBe(check);
    }
  });

  test('D8: iat 60 s off is taken, 61 s off is not, with and without a nonce', async () => {
    const nonce = (await machineToken(proof())).headers.get('dpop-nonce') ?? '';
    for (const more of [{}, { nonce }]) {
      for (const [offset, status] of [
        [10, 200],
        [-10, 200],
        [55, 200],
        [-55, 200],
        [70, 400],
        [-70, 400],
        [1e9, 400],
      ] as const) {
        const answer = await machineToken(proof({ claims: { iat: nowSeconds() + offset, ...more } }));
        expect([offset, answer.status]).toEqual([offset, status]);
        if (status === 400) expect((await recorded(server, answer))?.check).toBe('proof_time');
      }
    }
  });

  test('D8: a nonce is taken on every node for minutes, then use_dpop_nonce with the next one', async () => {
    const nonce = (await machineToken(proof())).headers.get('dpop-nonce') ?? '';
    const node = await storage.join(server);
    expect((await tokenWith(node, service, forService, proof({ nonce }))).status).toBe(200);
    travel(400);
    const late = await machineToken(proof({ nonce }));
    expect(said(late)).toEqual([400, 'use_dpop_nonce']);
    expect((await recorded(server, late))?.check).toBe('proof_nonce');
    const next = late.headers.get('dpop-nonce') ?? '';
    expect(next).not.toBe(nonce);
    expect((await machineToken(proof({ nonce: next }))).status).toBe(200);
    expect(said(await machineToken(proof({ nonce: 'made-up' })))).toEqual([400, 'use_dpop_nonce']);
  });

  test('D8: htu is compared after normalisation, without query and fragment', async () => {
    const { port } = new URL(server.core.config.issuer);
    for (const htu of [
      `${server.core.config.issuer}/oauth/token?x=1#y`,
      `HTTP://LOCALHOST:${port}/oauth/token`,
      `http://localhost:${port}/oauth/../oauth/token`,
    ])
      expect([htu, (await machineToken(proof({ url: htu }))).status]).toEqual([htu, 200]);
  });

  test('D8, X4: of 20 uses of one proof at once over two nodes exactly one succeeds, and later none', async () => {
    const node = await storage.join(server);
    const once = proof();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => tokenWith(n % 2 ? node : server, service, forService, once)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(400)]);
    const refused = answers.find(({ status }) => status === 400);
    expect(refused?.body.error).toBe('invalid_dpop_proof');
    expect(said(await machineToken(once))).toEqual([400, 'invalid_dpop_proof']);
    server = await server.restart();
    const again = await machineToken(once);
    expect(said(again)).toEqual([400, 'invalid_dpop_proof']);
    expect((await recorded(server, again))?.check).toBe('proof_replayed');
    // For as long as its iat would pass: a proof from the future too.
    const ahead = proof({ claims: { iat: nowSeconds() + 58 } });
    expect((await machineToken(ahead)).status).toBe(200);
    travel(115);
    expect(said(await machineToken(ahead))).toEqual([400, 'invalid_dpop_proof']);
  });

  test('DPOP_NONCE=required: a proof without a nonce gets one', async () => {
    const node = await storage.join(server, { DPOP_NONCE: 'required' });
    const first = await tokenWith(node, service, forService, proof());
    expect(said(first)).toEqual([400, 'use_dpop_nonce']);
    const nonce = first.headers.get('dpop-nonce') ?? '';
    expect((await tokenWith(node, service, forService, proof({ nonce }))).status).toBe(200);
    expect((await tokenWith(node, service, forService)).body.token_type).toBe('Bearer');
  });

  describe('dpop_bound_access_tokens: no token without a proof, by any grant', () => {
    let bound: TestClient;
    let boundService: TestClient;
    beforeAll(async () => {
      bound = await buildClient(server, { dpop_bound_access_tokens: true });
      boundService = await buildClient(server, { ...machine, dpop_bound_access_tokens: true });
    });
    const expectRefused = async (answer: TokenAnswer) => {
      expect(answer.status).toBe(400);
      expect([answer.body.error, answer.headers.get('dpop-nonce')]).toEqual([
        ...['invalid_dpop_proof', expect.stringMatching(/^[\w-]{43}$/)],
      ]);
      expect((await recorded(server, answer))?.check).toBe('proof_missing');
    };

    test('client credentials', async () => {
      await expectRefused(await tokenWith(server, boundService, forService));
      expect((await tokenWith(server, boundService, forService, proof())).body.token_type).toBe('DPoP');
    });

    test('code and refresh', async () => {
      const { grant } = await codeFor(server, bound);
      await expectRefused(await redeem(server, bound, grant));
      const form = { grant_type: 'authorization_code', ...grant };
      const { status, body } = await tokenWith(server, bound, form, proof());
      expect([status, body.token_type]).toEqual([200, 'DPoP']);
      await expectRefused(await refresh(server, bound, body.refresh_token));
      const renewal = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' };
      expect((await tokenWith(server, bound, renewal, proof())).body.token_type).toBe('DPoP');
    });
  });

  describe('refresh tokens', () => {
    async function bound(client: TestClient) {
      const { grant } = await codeFor(server, client);
      const { body } = await tokenWith(server, client, { grant_type: 'authorization_code', ...grant }, proof());
      return body.refresh_token ?? '';
    }
    const renew = (client: TestClient, value: string, ...proofs: string[]) =>
      tokenWith(server, client, { grant_type: 'refresh_token', refresh_token: value }, ...proofs);

    test('D8: a public client’s refresh token works with its key alone, and is not used up by another', async () => {
      const value = await bound(spa);
      const none = await renew(spa, value);
      expect(said(none)).toEqual([400, 'invalid_grant']);
      expect((await recorded(server, none))?.check).toBe('proof_missing');
      const theirs = await renew(spa, value, proof({}, other));
      expect(said(theirs)).toEqual([400, 'invalid_grant']);
      expect((await recorded(server, theirs))?.check).toBe('proof_other_key');
      const mine = await renew(spa, value, proof());
      expect([mine.status, mine.body.token_type]).toEqual([200, 'DPoP']);
    });

    test('D8: within the reuse window the same key gets the successor, another key or none gets nothing', async () => {
      const value = await bound(spa);
      const first = await renew(spa, value, proof());
      const again = await renew(spa, value, proof());
      expect([again.status, again.body.refresh_token]).toEqual([200, first.body.refresh_token]);
      for (const proofs of [[], [proof({}, other)]]) {
        const theirs = await renew(spa, value, ...proofs);
        expect(said(theirs)).toEqual([400, 'invalid_grant']);
        expect(theirs.body.refresh_token).toBeUndefined();
      }
      // The thief has ended nothing, and the successor stays bound.
      const successor = first.body.refresh_token ?? '';
      expect(said(await renew(spa, successor, proof({}, other)))).toEqual([400, 'invalid_grant']);
      expect((await renew(spa, successor, proof())).status).toBe(200);
    });

    test('of many refreshes at once with two keys only those of the right key succeed', async () => {
      const value = await bound(spa);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) => renew(spa, value, n % 2 ? proof() : proof({}, other))),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map((_, n) => (n % 2 ? 200 : 400)));
      expect(new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.refresh_token)).size).toBe(
        1,
      );
    });

    test('a client that authenticates may change its key (RFC 9449, section 5)', async () => {
      const value = await bound(web);
      const { status, body } = await renew(web, value, proof({}, other));
      expect([status, body.token_type]).toEqual([200, 'DPoP']);
    });
  });

  describe('dpop_jkt', () => {
    const authorized = (jkt: string) => codeFor(server, spa, { extra: { dpop_jkt: jkt } });
    const codeForm = (grant: Awaited<ReturnType<typeof codeFor>>['grant']) => ({
      grant_type: 'authorization_code',
      ...grant,
    });

    test('D8: a bound code is refused with another key and without a proof, and stays good for the right one', async () => {
      const { grant } = await authorized(key.thumbprint);
      const theirs = await tokenWith(server, spa, codeForm(grant), proof({}, other));
      expect(said(theirs)).toEqual([400, 'invalid_grant']);
      expect((await recorded(server, theirs))?.check).toBe('proof_other_key');
      const none = await tokenWith(server, spa, codeForm(grant));
      expect(said(none)).toEqual([400, 'invalid_grant']);
      expect((await recorded(server, none))?.check).toBe('proof_missing');
      expect((await tokenWith(server, spa, codeForm(grant), proof())).body.token_type).toBe('DPoP');
    });

    test('what is no thumbprint is refused at once', async () => {
      const wrong = await fetch(
        `${server.url}/oauth/authorize?${new URLSearchParams({
          client_id: web.id,
          response_type: 'code',
          scope: 'openid',
          dpop_jkt: 'not-a-thumbprint',
        })}`,
        { redirect: 'manual' },
      );
      const location = wrong.headers.get('location') ?? '';
      expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
      expect((await recorded(server, { location }))?.check).toBe('parameter_invalid');
    });
  });

  test('the metadata names the algorithms, and a page of the client may read the nonce', async () => {
    const metadata = await fetch(`${server.url}/.well-known/openid-configuration`);
    expect(await metadata.json()).toMatchObject({
      dpop_signing_alg_values_supported: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
    });
    const preflight = await fetch(`${server.url}/oauth/token`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'dpop',
      },
    });
    expect(preflight.headers.get('access-control-allow-headers')).toContain('dpop');
    const refused = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: { origin: 'https://app.example.com', dpop: proof({ nonce: 'old' }) },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: spa.id }),
    });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      ...[400, 'https://app.example.com'],
    ]);
    expect(refused.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('dpop-nonce');
    expect(refused.headers.get('dpop-nonce')).not.toBeNull();
  });

  test('at the other address of the token endpoint, a proof names the one in the metadata', async () => {
    const headers = { dpop: proof() };
    const body = new URLSearchParams({ ...forService, client_id: service.id, client_secret: service.secret ?? '' });
    const answer = await fetch(`${server.url}/token`, { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ token_type: 'DPoP' });
  });
});
