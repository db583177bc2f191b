/** openid-client as its README sets it up. It allows plain http only where it is told to. */
import * as client from 'openid-client';
import { type Answer, address, clientId, clientSecret, issuer, serve } from './web.ts';

const config = await client.discovery(issuer, clientId, clientSecret, undefined, {
  execute: [client.allowInsecureRequests],
});

let verifier = '';
let state: string | undefined;
let tokens: (client.TokenEndpointResponse & client.TokenEndpointResponseHelpers) | undefined;

function current() {
  if (!tokens) throw new Error('there are no tokens');
  return tokens;
}

serve({
  async '/login'() {
    verifier = client.randomPKCECodeVerifier();
    const parameters: Record<string, string> = {
      redirect_uri: `${address}/callback`,
      scope: 'openid profile email',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    };
    state = undefined;
    if (!config.serverMetadata().supportsPKCE()) {
      state = client.randomState();
      parameters.state = state;
    }
    return { redirect: client.buildAuthorizationUrl(config, parameters) };
  },
  async '/callback'(url): Promise<Answer> {
    tokens = await client.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: verifier,
      ...(state === undefined ? {} : { expectedState: state }),
    });
    return { redirect: new URL('/', address) };
  },
  '/': () => ({ json: current().claims() }),
  async '/refresh'() {
    const before = current();
    const renewed = await client.refreshTokenGrant(config, before.refresh_token ?? '');
    tokens = renewed;
    return { json: { renewed: renewed.access_token !== before.access_token } };
  },
  async '/userinfo'() {
    const { access_token, claims } = current();
    const { sub = '' } = claims() ?? {};
    return { json: await client.fetchUserInfo(config, access_token, sub) };
  },
  '/logout'() {
    const { id_token = '' } = current();
    const parameters = { post_logout_redirect_uri: `${address}/signed-out`, id_token_hint: id_token };
    return { redirect: client.buildEndSessionUrl(config, parameters) };
  },
  '/signed-out': () => ({ json: {} }),
});
