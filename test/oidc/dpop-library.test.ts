/** openid-client with DPoP switched on, as its documentation says: code, refresh and userinfo, with nonces. */
import { expect, test } from '@jest/globals';
import * as oidc from 'openid-client';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import { buildClient, buildPerson, startServer } from '../support/server.ts';

const redirect_uri = 'https://app.example.com/cb';

test.each(['offered', 'required'])('a public client goes through with nonces that are %s', async (nonces) => {
  const server = await startServer({ env: { DPOP_NONCE: nonces } });
  try {
    const metadata = { token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true };
    const { id } = await buildClient(server, metadata);
    const insecure = { execute: [oidc.allowInsecureRequests] };
    const config = await oidc.discovery(new URL(server.url), id, metadata, oidc.None(), insecure);
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
    const { verifier, challenge } = pkce();
    const query = {
      redirect_uri,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      dpop_jkt: await DPoP.calculateThumbprint(),
    };
    const address = oidc.buildAuthorizationUrl(config, query);
    const answer = await new Agent(server).authorize(
      await buildPerson(server),
      Object.fromEntries(address.searchParams),
    );
    const back = new URL(answer.location ?? '');
    expect(back.searchParams.get('code')).toBe(codeOf(answer));
    const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier }, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP });
    const subject = tokens.claims()?.sub ?? '';
    for (const { access_token } of [tokens, next, next])
      expect((await oidc.fetchUserInfo(config, access_token, subject, { DPoP })).sub).toBe(subject);
    await expect(oidc.refreshTokenGrant(config, next.refresh_token ?? '')).rejects.toThrow();
    await expect(oidc.fetchUserInfo(config, next.access_token, subject)).rejects.toThrow();
  } finally {
    await server.close();
  }
});
