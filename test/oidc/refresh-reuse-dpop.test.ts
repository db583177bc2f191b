/** A replaced refresh token that is bound to a DPoP key returns its replacement to that key alone. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildProofKey, type ProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import { codeFor, recorded, type TestClient, tokensFor } from '../support/flow.ts';
import { buildClient, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('reuse of refresh tokens with DPoP', (storage) => {
  let server: TestServer;
  let client: TestClient;
  const [key, other] = [buildProofKey(), buildProofKey()];
  beforeAll(async () => {
    server = await storage.start();
    client = await buildClient(server, { token_endpoint_auth_method: 'none', refresh_reuse: 'until-used' });
  });
  afterAll(() => server.close());

  const proofs = (of: ProofKey | undefined) =>
    of === undefined ? [] : [proofOf(of, { url: `${server.core.config.issuer}/oauth/token` })];
  const refreshed = (value: string | undefined, of: ProofKey | undefined) =>
    tokenWith(server, client, { grant_type: 'refresh_token', refresh_token: value ?? '' }, ...proofs(of));
  const checkOf = async (answer: Awaited<ReturnType<typeof refreshed>>) => {
    await server.core.refusals.close();
    return (await recorded(server, answer))?.check;
  };

  test('a bound token: another key, or none, is refused and burns nothing; the same key goes on', async () => {
    const { grant } = await codeFor(server, client);
    const { body: first } = await tokenWith(
      server,
      client,
      { grant_type: 'authorization_code', ...grant },
      ...proofs(key),
    );
    const { body: second } = await refreshed(first.refresh_token, key);
    expect(second).toMatchObject({ token_type: 'DPoP', refresh_token: expect.any(String) });
    for (const wrong of [other, undefined]) {
      const { status, body } = await refreshed(first.refresh_token, wrong);
      expect([status, body.access_token]).toEqual([400, undefined]);
    }
    expect((await refreshed(first.refresh_token, key)).body).toMatchObject({
      token_type: 'DPoP',
      refresh_token: second.refresh_token,
    });
    expect((await refreshed(second.refresh_token, key)).status).toBe(200);
  });

  test('a token that is not bound: a repeat with another key than the first request is refused', async () => {
    const { body: first } = await tokensFor(server, client);
    const { body: second } = await refreshed(first.refresh_token, key);
    for (const wrong of [other, undefined]) {
      const differs = await refreshed(first.refresh_token, wrong);
      expect([differs.status, differs.body.error, await checkOf(differs)]).toEqual([
        400,
        'invalid_grant',
        'refresh_differs',
      ]);
    }
    expect((await refreshed(first.refresh_token, key)).body.refresh_token).toBe(second.refresh_token);
  });
});
