/** Bound access tokens (RFC 9449, section 7) at every place of this server that takes OAuth tokens. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { type CallAnswer, call } from '../support/call.ts';
import { buildOtherKey, buildProofKey, type ProofOptions, proofOf, tokenWith, wrongProofs } from '../support/dpop.ts';
import { ask, claimsOf, codeFor, comeBack, type TestClient, travel } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { audience, type Gateway, opaqueAudience, openRaw, openService, type Service, startGateway } from './world.ts';

const key = buildProofKey();
const other = buildProofKey();
const algs = 'algs="ES256 PS256 EdDSA Ed25519"';

describeStorages('bound access tokens', (storage) => {
  let service: Service;
  let server: Gateway;
  let issuer: string;
  /** Those of the server, for its second node. */
  let settings: Record<string, string>;
  /** For people, and for itself. */
  let web: TestClient;
  let client: TestClient;
  /** By the name of the door. */
  const tokens: Record<string, string> = {};
  const unbound: Record<string, string> = {};

  beforeAll(async () => {
    service = await openService();
    const plain = { tokens: ['oauth', 'identity'], scopes: ['read'], upstream: service.url };
    const routes = [
      { ...plain, prefix: '/notes', audience },
      { ...plain, prefix: '/opaque', audience: opaqueAudience },
      { ...plain, prefix: '/passes', audience, passToken: true },
    ];
    server = await startGateway(routes, { GATEWAY_ORIGINS: 'https://apis.example.com' }, (env) => {
      settings = env;
      return storage.start(env);
    });
    issuer = server.core.config.issuer;
    web = await buildClient(server);
    client = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'], scope: 'read write' });
    for (const [into, proofs] of [
      [tokens, () => [proofOf(key, { url: `${issuer}/oauth/token` })]],
      [unbound, () => []],
    ] as const) {
      const machine = async (resource: string, scope = 'read') =>
        tokenOf(await tokenWith(server, client, { grant_type: 'client_credentials', resource, scope }, ...proofs()));
      const person = async (scope: string) => {
        const { grant } = await codeFor(server, web, { scope });
        return tokenOf(await tokenWith(server, web, { grant_type: 'authorization_code', ...grant }, ...proofs()));
      };
      const notes = await machine(audience);
      Object.assign(into, {
        ...{ userinfo: await person('openid'), 'user API': await person('user') },
        ...{ gateway: notes, 'gateway, opaque': await machine(opaqueAudience) },
        ...{ 'verify by table': notes, 'verify by demand': notes },
      });
    }
  });
  afterAll(async () => {
    await server.close();
    await service.close();
  });
  afterEach(comeBack);

  const tokenOf = ({ body }: Awaited<ReturnType<typeof tokenWith>>) => {
    if (body.access_token === undefined) throw new Error(JSON.stringify(body));
    return body.access_token;
  };

  const named = [
    ['X-Original-Method', 'GET'],
    ['X-Original-URI', '/notes/1?x=1'],
  ] as const;
  const demand = new URLSearchParams({ tokens: 'oauth', audience, scope: 'read' });
  /** `proven`: the path that a proof must name. */
  const doors = [
    { name: 'userinfo', path: '/oauth/userinfo', proven: '/oauth/userinfo', headers: [] },
    { name: 'user API', path: '/user/info', proven: '/user/info', headers: [] },
    { name: 'gateway', path: '/notes/1?x=1', proven: '/notes/1', headers: [] },
    { name: 'gateway, opaque', path: '/opaque', proven: '/opaque', headers: [] },
    { name: 'verify by table', path: '/gateway/verify', proven: '/notes/1', headers: named },
    { name: 'verify by demand', path: `/gateway/verify/token?${demand}`, proven: '/notes/1', headers: named },
  ] as const;
  type Door = (typeof doors)[number];

  const proofFor = (door: Door, options: Partial<ProofOptions> = {}, by = key) =>
    proofOf(by, { method: 'GET', url: issuer + door.proven, accessToken: tokens[door.name], ...options });

  function send(
    door: Door,
    proofs: readonly string[],
    { scheme = 'DPoP', token = tokens[door.name], at = server as Pick<TestServer, 'port'> } = {},
  ): Promise<CallAnswer> {
    const shown = proofs.map((proof) => ['DPoP', proof] as const);
    const headers = [['Authorization', `${scheme} ${token}`] as const, ...shown, ...door.headers];
    return call(at, { path: door.path, headers });
  }

  async function expectRefused(answer: CallAnswer, error: string, check: string, received = '') {
    const challenge = String(answer.headers['www-authenticate']);
    expect([answer.status, JSON.parse(answer.text).error, challenge]).toEqual([
      ...[401, error, expect.stringMatching(/^DPoP realm="[^"]+", error=/)],
    ]);
    expect(challenge).toContain(`error="${error}"`);
    expect(challenge).toContain(algs);
    const record = await recordOf(answer);
    expect(record).toMatchObject({ check, error, expected: expect.any(String) });
    // Similar refusals of one minute share a record; userinfo tells a developer each.
    const told: unknown = JSON.parse(answer.text).received;
    if (told !== undefined) expect(told).toContain(received);
  }

  function recordOf({ headers, text }: CallAnswer) {
    const uri = JSON.parse(text).error_uri ?? headers['x-request-id'];
    return server.core.refusals.find(String(uri).split('/').at(-1) ?? '');
  }

  describe.each(doors)('at $name', (door) => {
    test('D8: it is taken with a proof, and the answer has a nonce for the next one', async () => {
      const first = await send(door, [proofFor(door)]);
      expect([first.status, first.headers['dpop-nonce']]).toEqual([200, expect.stringMatching(/^[\w-]{43}$/)]);
      const nonce = String(first.headers['dpop-nonce']);
      expect((await send(door, [proofFor(door, { nonce })])).status).toBe(200);
      // Spelled otherwise, it is the same address.
      const spelled = `${issuer.toUpperCase()}${door.proven.replace('e', '%65')}?more#there`;
      expect((await send(door, [proofFor(door, { url: spelled })], { scheme: 'dpop' })).status).toBe(200);
    });

    test('D8: sent as a Bearer token it is refused, with and without a proof', async () => {
      for (const proofs of [[], [proofFor(door)]])
        await expectRefused(await send(door, proofs, { scheme: 'Bearer' }), 'invalid_token', 'token_bound', 'Bearer');
    });

    test('D8: a Bearer token sent with the scheme DPoP is refused', async () => {
      const token = unbound[door.name];
      const answer = await send(door, [proofFor(door, { accessToken: token })], { token });
      await expectRefused(answer, 'invalid_token', 'token_unbound');
      expect((await send(door, [], { token, scheme: 'Bearer' })).status).toBe(200);
    });

    test('D8: no proof, two, an empty one, and two in one header', async () => {
      travel(15);
      await expectRefused(await send(door, []), 'invalid_dpop_proof', 'proof_missing', 'nothing');
      await expectRefused(await send(door, ['']), 'invalid_dpop_proof', 'proof_missing');
      await expectRefused(await send(door, [proofFor(door), proofFor(door)]), 'invalid_dpop_proof', 'proof_repeated');
      const folded = `${proofFor(door)}, ${proofFor(door)}`;
      await expectRefused(await send(door, [folded]), 'invalid_dpop_proof', 'proof_repeated');
    });

    test('D8: ath: missing, or of another token', async () => {
      travel(30);
      const without = proofFor(door, { claims: { ath: undefined } });
      await expectRefused(await send(door, [without]), 'invalid_dpop_proof', 'proof_token', 'no ath');
      const wrong = proofFor(door, { accessToken: 'another' });
      await expectRefused(await send(door, [wrong]), 'invalid_dpop_proof', 'proof_token', 'another token');
    });

    test('D8: a proof of another key', async () => {
      travel(45);
      await expectRefused(await send(door, [proofFor(door, {}, other)]), 'invalid_dpop_proof', 'proof_other_key');
    });

    test('D8: iat 55 s off is taken, 70 s off is not', async () => {
      for (const offset of [10, -10, 55, -55])
        expect([
          offset,
          (await send(door, [proofFor(door, { claims: { iat: nowSeconds() + offset } })])).status,
        ]).toEqual([offset, 200]);
      travel(60);
      for (const offset of [70, -70]) {
        const off = proofFor(door, { claims: { iat: nowSeconds() + offset } });
        await expectRefused(await send(door, [off]), 'invalid_dpop_proof', 'proof_time', '70 seconds');
      }
    });

    test('D8: a wrong nonce or an old one is use_dpop_nonce, and the answer has the next one', async () => {
      travel(75);
      const made = await send(door, [proofFor(door, { nonce: 'made-up' })]);
      await expectRefused(made, 'use_dpop_nonce', 'proof_nonce');
      const nonce = String(made.headers['dpop-nonce']);
      expect((await send(door, [proofFor(door, { nonce })])).status).toBe(200);
      travel(400);
      await expectRefused(await send(door, [proofFor(door, { nonce })]), 'use_dpop_nonce', 'proof_nonce');
    });

    test('D8: a proof is used once, also of 20 at once over two nodes, and later one from the future', async () => {
      const node = await storage.join(server, settings);
      const once = proofFor(door);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => send(door, [once], { at: n % 2 ? node : server })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(401)]);
      travel(100);
      await expectRefused(await send(door, [proofFor(door, { claims: { iat: nowSeconds() - 70 } })]), ...late);
      comeBack();
      const ahead = proofFor(door, { claims: { iat: nowSeconds() + 58 } });
      expect((await send(door, [ahead])).status).toBe(200);
      travel(115);
      await expectRefused(await send(door, [ahead]), 'invalid_dpop_proof', 'proof_replayed', 'used before');
    });
    const late = ['invalid_dpop_proof', 'proof_time'] as const;

    test('DPOP_NONCE=required: a proof without a nonce is refused', async () => {
      const node = await storage.join(server, { ...settings, DPOP_NONCE: 'required' });
      const first = await send(door, [proofFor(door)], { at: node });
      expect([first.status, JSON.parse(first.text).error]).toEqual([401, 'use_dpop_nonce']);
      const nonce = String(first.headers['dpop-nonce']);
      expect((await send(door, [proofFor(door, { nonce })], { at: node })).status).toBe(200);
    });
  });

  // Each case has a second of its own: a process records 20 refusals in one.
  const [userinfo, userApi, notes, , byTable, byDemand] = doors;
  test.each([userinfo, userApi, notes, byTable])('D8: every wrong proof is refused at $name', async (door) => {
    for (const [n, [name, options, check, received]] of wrongProofs(key, other).entries()) {
      travel(n);
      const answer = await send(door, [proofFor(door, options)]);
      expect([name, answer.status]).toEqual([name, 401]);
      await expectRefused(answer, 'invalid_dpop_proof', check, received);
    }
  });

  test.each(['PS256', 'EdDSA', 'Ed25519'] as const)('a key for %s works as one for ES256', async (alg) => {
    const { header, signature, thumbprint } = buildOtherKey(alg);
    const form = { grant_type: 'client_credentials', resource: audience, scope: 'read' };
    const asked = proofOf(key, { url: `${issuer}/oauth/token`, header, signature });
    const token = tokenOf(await tokenWith(server, client, form, asked));
    expect(claimsOf(token).cnf).toEqual({ jkt: thumbprint });
    const proof = proofFor(notes, { accessToken: token, header, signature });
    expect((await send(notes, [proof], { token })).status).toBe(200);
    await expectRefused(
      await send(notes, [proofFor(notes, { accessToken: token })], { token }),
      'invalid_dpop_proof',
      'proof_other_key',
    );
  });

  test('a nonce of the token endpoint is good at the APIs, and the other way round', async () => {
    const form = { grant_type: 'client_credentials', resource: audience, scope: 'read' };
    const url = `${issuer}/oauth/token`;
    const { headers } = await tokenWith(server, client, form, proofOf(key, { url }));
    const nonce = headers.get('dpop-nonce') ?? '';
    const answer = await send(userinfo, [proofFor(userinfo, { nonce })]);
    expect([answer.status, answer.headers['dpop-nonce']]).toEqual([200, nonce]);
    expect((await tokenWith(server, client, form, proofOf(key, { url, nonce }))).status).toBe(200);
  });

  test('introspection says DPoP and the key, and what ended is refused before its proof is looked at', async () => {
    const short = await tokenWith(
      server,
      client,
      { grant_type: 'client_credentials', resource: audience, scope: 'read' },
      proofOf(key, { url: `${issuer}/oauth/token` }),
    );
    const token = tokenOf(short);
    for (const path of ['quick', 'engine']) {
      const body = new URLSearchParams({
        token,
        ...(path === 'quick' ? {} : { client_id: client.id, client_secret: client.secret ?? '' }),
      });
      const said =
        path === 'quick'
          ? (await ask(server, 'introspect', client, token)).body
          : JSON.parse(await (await fetch(`${server.url}/oauth/introspect`, { method: 'POST', body })).text());
      expect(said).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: key.thumbprint } });
    }
    await ask(server, 'revoke', client, token);
    const answer = await send(notes, [proofFor(notes, { accessToken: token })], { token });
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([401, 'invalid_token']);
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP .*error="invalid_token".*algs=/);
  });

  test('a missing scope is 403 with a DPoP challenge', async () => {
    const form = { grant_type: 'client_credentials', resource: audience, scope: 'write' };
    const issued = await tokenWith(server, client, form, proofOf(key, { url: `${issuer}/oauth/token` }));
    const token = tokenOf(issued);
    const answer = await send(notes, [proofFor(notes, { accessToken: token })], { token });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      403,
      `DPoP realm="gatehouse", error="insufficient_scope", scope="read", resource_metadata="${issuer}/.well-known/oauth-protected-resource/notes", ${algs}`,
    ]);
  });

  describe('the gateway', () => {
    test('the proof reaches the service only where the token does', async () => {
      service.seen.length = 0;
      await send(notes, [proofFor(notes)]);
      const passes = { ...notes, path: '/passes', proven: '/passes' } as unknown as Door;
      const proof = proofFor(passes);
      expect((await send(passes, [proof])).status).toBe(200);
      expect(service.seen.map(({ headers }) => [headers.authorization, headers.dpop])).toEqual([
        [undefined, undefined],
        [`DPoP ${tokens.gateway}`, proof],
      ]);
    });

    test('GATEWAY_ORIGINS: the origins that a proof may name beside the issuer, and no header adds one', async () => {
      const url = 'https://apis.example.com/notes/1';
      expect((await send(byTable, [proofFor(byTable, { url })])).status).toBe(200);
      const evil = {
        ...byTable,
        headers: [...named, ['X-Forwarded-Host', 'evil.example'], ['X-Forwarded-Proto', 'https']],
      } as unknown as Door;
      const theirs = proofFor(byTable, { url: 'https://evil.example/notes/1' });
      await expectRefused(await send(evil, [theirs]), 'invalid_dpop_proof', 'proof_address', 'evil.example');
    });

    test('a question that does not name its request cannot take a bound token, and says why', async () => {
      const bare = { ...byDemand, headers: [] } as unknown as Door;
      const answer = await send(bare, [proofFor(byDemand)]);
      await expectRefused(answer, 'invalid_dpop_proof', 'proof_address');
      expect(JSON.parse(answer.text).error_description).toContain('not named');
      expect((await send(bare, [], { scheme: 'Bearer', token: unbound.gateway })).status).toBe(200);
    });

    test('a token of another kind has no proof', async () => {
      const answer = await send(notes, [proofFor(notes, { accessToken: 'x.y.z' })], { token: 'x.y.z' });
      expect([answer.status, JSON.parse(answer.text).error]).toEqual([401, 'invalid_token']);
    });

    test('D8: a WebSocket opens with one proof, stays open without another, and ends with its token', async () => {
      const upgrades = service.server.listenerCount('upgrade');
      service.server.on('upgrade', (_req, socket) => {
        socket.on('error', () => {});
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      });
      const form = { grant_type: 'client_credentials', resource: audience, scope: 'read' };
      const token = tokenOf(await tokenWith(server, client, form, proofOf(key, { url: `${issuer}/oauth/token` })));
      const open = (scheme: string, ...proofs: string[]) => {
        const connection = openRaw(server);
        const lines = [
          ...['GET /notes/live HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'],
          ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='],
          ...[`Authorization: ${scheme} ${token}`, ...proofs.map((proof) => `DPoP: ${proof}`)],
        ];
        connection.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
        return connection;
      };
      const proof = proofOf(key, { method: 'GET', url: `${issuer}/notes/live`, accessToken: token });
      const good = open('DPoP', proof);
      await eventually('101', () => good.text().startsWith('HTTP/1.1 101 '));
      for (const bad of [open('DPoP', proof), open('DPoP'), open('Bearer', proof)])
        await eventually('401', () => bad.text().startsWith('HTTP/1.1 401 ') && bad.text().includes('DPoP realm='));
      // Its token is looked at every two seconds; the proof is not asked for again.
      await new Promise((resolve) => setTimeout(resolve, 4_500));
      expect(good.closed()).toBe(false);
      await ask(server, 'revoke', client, token);
      await eventually('closed', () => good.closed(), 6_000);
      expect(upgrades).toBe(0);
    }, 30_000);
  });

  test('pages of the client read the nonce of a refusal', async () => {
    const origin = 'https://app.example.com';
    for (const door of [userinfo, userApi]) {
      const headers = [...door.headers, ['Origin', origin] as const];
      const answer = await send({ ...door, headers } as unknown as Door, [proofFor(door, { nonce: 'old' })]);
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([401, origin]);
      expect(answer.headers['access-control-expose-headers']).toBe('WWW-Authenticate, DPoP-Nonce');
      expect(answer.headers['dpop-nonce']).toBeDefined();
      const preflight = await call(server, {
        method: 'OPTIONS',
        path: door.path,
        headers: [
          ['Origin', origin],
          ['Access-Control-Request-Method', 'GET'],
          ['Access-Control-Request-Headers', 'authorization, dpop'],
        ],
      });
      expect(String(preflight.headers['access-control-allow-headers']).toLowerCase()).toContain('dpop');
    }
  });
});
