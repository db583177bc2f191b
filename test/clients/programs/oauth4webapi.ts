/** oauth4webapi as its examples set it up (examples/oidc.ts): discovery, code with PKCE, client_secret_post. */
import * as oauth from 'oauth4webapi';
import { type Answer, address, clientId, clientSecret, issuer, serve } from './web.ts';

// Plain http is allowed only where it is told to.
const http = { [oauth.allowInsecureRequests]: true };
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...http });
const as = await oauth.processDiscoveryResponse(issuer, discovered);
const client: oauth.Client = { client_id: clientId };
const clientAuth = oauth.ClientSecretPost(clientSecret);
const redirectUri = `${address}/callback`;

let verifier = '';
let tokens: oauth.TokenEndpointResponse | undefined;
let claims: oauth.IDToken | undefined;

function current() {
  if (!tokens || !claims) throw new Error('there are no tokens');
  return { tokens, claims };
}

function endpoint(name: 'authorization_endpoint' | 'end_session_endpoint'): URL {
  return new URL(as[name] ?? '');
}

serve({
  async '/login'() {
    verifier = oauth.generateRandomCodeVerifier();
    const url = endpoint('authorization_endpoint');
    url.searchParams.set('client_id', client.client_id);
    url.searchParams.set('redirect_uri', redirectUri);
    url.searchParams.set('response_type', 'code');
    url.searchParams.set('scope', 'openid profile email');
    url.searchParams.set('code_challenge', await oauth.calculatePKCECodeChallenge(verifier));
    url.searchParams.set('code_challenge_method', 'S256');
    return { redirect: url };
  },
  async '/callback'(url): Promise<Answer> {
    const parameters = oauth.validateAuthResponse(as, client, url);
    const response = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      clientAuth,
      parameters,
      redirectUri,
      verifier,
      http,
    );
    tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { requireIdToken: true });
    claims = oauth.getValidatedIdTokenClaims(tokens);
    return { redirect: new URL('/', address) };
  },
  '/': () => ({ json: current().claims }),
  async '/refresh'() {
    const before = current().tokens;
    const response = await oauth.refreshTokenGrantRequest(as, client, clientAuth, before.refresh_token ?? '', http);
    tokens = await oauth.processRefreshTokenResponse(as, client, response);
    return { json: { renewed: tokens.access_token !== before.access_token } };
  },
  async '/userinfo'() {
    const response = await oauth.userInfoRequest(as, client, current().tokens.access_token, http);
    return { json: await oauth.processUserInfoResponse(as, client, current().claims.sub, response) };
  },
  '/logout'() {
    const url = endpoint('end_session_endpoint');
    url.searchParams.set('post_logout_redirect_uri', `${address}/signed-out`);
    url.searchParams.set('id_token_hint', current().tokens.id_token ?? '');
    return { redirect: url };
  },
  '/signed-out': () => ({ json: {} }),
});
