/** DPoP with pushed authorization requests (RFC 9449, section 10.1): the proof, the parameter and the code. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Agent, type Answer, codeOf, pkce, type TokenAnswer } from '../support/agent.ts';
import { buildProofKey, type ProofOptions, postWith, proofOf, tokenWith } from '../support/dpop.ts';
import { comeBack, recorded, type TestClient, travel } from '../support/flow.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('DPoP at the endpoint for pushed requests', (storage) => {
  let server: TestServer;
  let other: TestServer;
  let client: TestClient;
  beforeAll(async () => {
    server = await storage.start();
    other = await storage.join(server);
    client = await buildClient(server, { token_endpoint_auth_method: 'none' });
  });
  afterAll(() => server.close());

  // Each test has a second of its own: one process records at most twenty refusals a second.
  let seconds = 0;
  beforeEach(() => travel(++seconds));
  afterEach(comeBack);

  const key = buildProofKey();
  const theirs = buildProofKey();
  const proof = (by = key, options: Partial<ProofOptions> = {}) =>
    proofOf(by, { url: `${server.core.config.issuer}/oauth/par`, ...options });
  const said = ({ status, body }: TokenAnswer) => [status, body.error];

  async function push(more: Record<string, string>, proofs: readonly string[], node = server) {
    const { verifier, challenge } = pkce();
    const asked = { response_type: 'code', scope: 'openid', code_challenge: challenge, code_challenge_method: 'S256' };
    const answer = await postWith('/oauth/par', node, client, { ...asked, ...more }, proofs);
    return { answer, verifier };
  }

  async function codeOfPushed({ answer, verifier }: Awaited<ReturnType<typeof push>>) {
    expect(answer.status).toBe(201);
    const agent = new Agent(server);
    const { username } = await buildPerson(server);
    const query = new URLSearchParams({ client_id: client.id, request_uri: String(answer.body.request_uri) });
    let page: Answer = await agent.go(`/oauth/authorize?${query}`);
    for (let pages = 0; pages < 3 && page.status === 200; pages += 1) {
      const login = page.text.includes('name="password"');
      page = await agent.submit(page, login ? { username, password } : { answer: 'allow' });
    }
    return { grant_type: 'authorization_code', code: codeOf(page), code_verifier: verifier };
  }
  const tokenProof = (by = key) => proofOf(by, { url: `${server.core.config.issuer}/oauth/token` });

  test.each([
    ['the parameter', { dpop_jkt: key.thumbprint }, () => []],
    ['a proof', {}, () => [proof()]],
    ['both', { dpop_jkt: key.thumbprint }, () => [proof()]],
  ] as const)('D8: %s binds the code to the key', async (_name, more, proofs) => {
    const form = await codeOfPushed(await push(more, proofs()));
    const wrong = await tokenWith(server, client, form, tokenProof(theirs));
    expect(said(wrong)).toEqual([400, 'invalid_grant']);
    expect((await recorded(server, wrong))?.check).toBe('proof_other_key');
    expect(said(await tokenWith(server, client, form))).toEqual([400, 'invalid_grant']);
    expect((await tokenWith(server, client, form, tokenProof())).body.token_type).toBe('DPoP');
  });

  test('D8: the parameter and the proof must name the same key', async () => {
    const { answer } = await push({ dpop_jkt: theirs.thumbprint }, [proof()]);
    expect([...said(answer), answer.body.request_uri]).toEqual([400, 'invalid_request', undefined]);
    expect((await recorded(server, answer))?.check).toBe('proof_other_key');
  });

  test('D8: a wrong proof, and one that was made for the token endpoint', async () => {
    for (const [wrong, check] of [
      [tokenProof(), 'proof_address'],
      [proof(key, { method: 'GET' }), 'proof_method'],
      [proof(key, { signature: theirs.privateKey }), 'proof_signature'],
    ] as const) {
      const { answer } = await push({}, [wrong]);
      expect([check, ...said(answer)]).toEqual([check, 400, 'invalid_dpop_proof']);
      expect((await recorded(server, answer))?.check).toBe(check);
    }
    const { answer } = await push({}, [proof(key, { nonce: 'old' })]);
    expect(said(answer)).toEqual([400, 'use_dpop_nonce']);
    const nonce = answer.headers.get('dpop-nonce') ?? '';
    expect((await push({}, [proof(key, { nonce })])).answer.status).toBe(201);
  });

  test('D8: of 20 uses of one proof at once over two nodes exactly one succeeds', async () => {
    const once = proof();
    const pushed = await Promise.all(Array.from({ length: 20 }, (_, n) => push({}, [once], n % 2 ? other : server)));
    expect(pushed.map(({ answer }) => answer.status).sort()).toEqual([201, ...Array<number>(19).fill(400)]);
    expect(said((await push({}, [once])).answer)).toEqual([400, 'invalid_dpop_proof']);
  });
});
