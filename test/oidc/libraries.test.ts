/** Certified client libraries, told nothing but the issuer and their registration, get through every flow. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { Agent } from '../support/agent.ts';
import { claimsOf, userApiTakes } from '../support/flow.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const api = 'https://api.example.com';
const redirect_uri = 'https://app.example.com/cb';
const home = 'https://app.example.com/bye';

/** The person's part: from the library's address to the one the application is called back at. */
async function byPerson(agent: Agent, username: string, address: URL): Promise<URL> {
  const { location } = await agent.authorize({ username }, Object.fromEntries(address.searchParams));
  return new URL(location ?? 'about:blank');
}

describeStorages('client libraries', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
    await server.core.apis.add({ identifier: api, name: 'An API', scopes: [{ name: 'read', sentence: 'Read.' }] });
  });
  afterAll(() => server.close());

  describe('openid-client 6', () => {
    const insecure = { execute: [oidc.allowInsecureRequests] };
    const kinds: [string, Record<string, unknown>, (secret: string) => oidc.ClientAuth | undefined][] = [
      ['client_secret_basic', {}, (secret) => oidc.ClientSecretBasic(secret)],
      [
        'client_secret_post',
        { token_endpoint_auth_method: 'client_secret_post' },
        (secret) => oidc.ClientSecretPost(secret),
      ],
      ['a public client', { token_endpoint_auth_method: 'none' }, () => oidc.None()],
    ];
    test.each(kinds)(
      '%s: code with PKCE, refresh, userinfo, introspection, revocation, logout',
      async (name, metadata, auth) => {
        const client = await buildClient(server, { ...metadata, post_logout_redirect_uris: [home] });
        const person = await buildPerson(server);
        const agent = new Agent(server);
        const config = await oidc.discovery(new URL(server.url), client.id, undefined, auth(client.secret), insecure);

        const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
        const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
        const address = oidc.buildAuthorizationUrl(config, {
          ...{ redirect_uri, scope: 'openid profile email', state: expectedState, nonce: expectedNonce },
          ...{
            code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
            code_challenge_method: 'S256',
            max_age: '600',
          },
        });
        const called = await byPerson(agent, person.username, address);
        const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 600 };
        const tokens = await oidc.authorizationCodeGrant(config, called, checks);
        const claims = tokens.claims();
        expect(claims).toMatchObject({ iss: server.url, aud: client.id, sub: person.subject, nonce: expectedNonce });

        const info = await oidc.fetchUserInfo(config, tokens.access_token, person.subject);
        expect(info).toMatchObject({
          sub: person.subject,
          preferred_username: person.username,
          email: person.email,
          email_verified: true,
          given_name: 'Test',
        });

        const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
        expect(refreshed.claims()?.sub).toBe(person.subject);
        if (name !== 'a public client') {
          expect(await oidc.tokenIntrospection(config, refreshed.access_token)).toMatchObject({
            active: true,
            sub: person.subject,
            client_id: client.id,
          });
        }
        const logout = oidc.buildEndSessionUrl(config, {
          id_token_hint: tokens.id_token ?? '',
          post_logout_redirect_uri: home,
          state: 'bye',
        });
        const goodbye = await agent.confirmLogout(await agent.go(logout.href));
        expect(goodbye.location).toBe(`${home}?state=bye`);

        await oidc.tokenRevocation(config, refreshed.refresh_token ?? '');
        await expect(oidc.refreshTokenGrant(config, refreshed.refresh_token ?? '')).rejects.toMatchObject({
          error: 'invalid_grant',
        });
      },
    );

    test('client_credentials with private_key_jwt for an API', async () => {
      for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519']) {
        const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
        const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg, kid: 'its-key', use: 'sig' }] };
        const client = await buildClient(server, {
          redirect_uris: [],
          grant_types: ['client_credentials'],
          scope: 'read',
          token_endpoint_auth_method: 'private_key_jwt',
          jwks,
        });
        const config = await oidc.discovery(
          new URL(server.url),
          client.id,
          undefined,
          oidc.PrivateKeyJwt({ key: privateKey, kid: 'its-key' }),
          insecure,
        );
        const tokens = await oidc.clientCredentialsGrant(config, { scope: 'read', resource: api });
        expect(claimsOf(tokens.access_token)).toMatchObject({
          iss: server.url,
          aud: api,
          scope: 'read',
          client_id: client.id,
        });
      }
    });

    test('a user-API token beside OpenID Connect, by resource', async () => {
      const client = await buildClient(server);
      const person = await buildPerson(server);
      const config = await oidc.discovery(
        new URL(server.url),
        client.id,
        undefined,
        oidc.ClientSecretBasic(client.secret),
        insecure,
      );
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const address = oidc.buildAuthorizationUrl(config, {
        ...{ redirect_uri, scope: 'openid user', resource: `${server.url}/user` },
        ...{ code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256' },
      });
      const called = await byPerson(new Agent(server), person.username, address);
      const tokens = await oidc.authorizationCodeGrant(
        config,
        called,
        { pkceCodeVerifier },
        { resource: `${server.url}/user` },
      );
      expect(await userApiTakes(server, tokens.access_token)).toBe(true);
      // P3: the granted API is the default from then on.
      const again = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
      expect(await userApiTakes(server, again.access_token)).toBe(true);
    });
  });

  describe('oauth4webapi 3', () => {
    const options = { [oauth.allowInsecureRequests]: true };

    async function discover(algorithm: 'oidc' | 'oauth2' = 'oidc'): Promise<oauth.AuthorizationServer> {
      const issuer = new URL(server.url);
      return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm }));
    }

    test('discovery by either document, and what it promises', async () => {
      const [metadata, oauth2] = [await discover(), await discover('oauth2')];
      expect(oauth2.token_endpoint).toBe(metadata.token_endpoint);
      expect(metadata).toMatchObject({
        issuer: server.url,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: expect.arrayContaining(['RS256', 'ES256']),
        grant_types_supported: expect.not.arrayContaining(['implicit', 'password']),
        token_endpoint_auth_methods_supported: expect.not.arrayContaining(['client_secret_jwt']),
      });
      expect(JSON.stringify(metadata)).not.toContain('"HS256"');
    });

    test('code with PKCE, ID token signature, userinfo, introspection, refresh, revocation', async () => {
      const as = await discover();
      for (const id_token_signed_response_alg of ['RS256', 'ES256']) {
        const registered = await buildClient(server, { id_token_signed_response_alg });
        const person = await buildPerson(server);
        const client: oauth.Client = { client_id: registered.id, id_token_signed_response_alg };
        const auth = oauth.ClientSecretBasic(registered.secret);
        const verifier = oauth.generateRandomCodeVerifier();
        const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
        const address = new URL(as.authorization_endpoint ?? '');
        const parameters = {
          client_id: client.client_id,
          redirect_uri,
          response_type: 'code',
          scope: 'openid email',
          state,
          nonce,
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        };
        address.search = `${new URLSearchParams(parameters)}`;

        const called = oauth.validateAuthResponse(
          as,
          client,
          await byPerson(new Agent(server), person.username, address),
          state,
        );
        const response = await oauth.authorizationCodeGrantRequest(
          as,
          client,
          auth,
          called,
          redirect_uri,
          verifier,
          options,
        );
        const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
          expectedNonce: nonce,
          requireIdToken: true,
        });
        await oauth.validateApplicationLevelSignature(as, response, options);
        const claims = oauth.getValidatedIdTokenClaims(tokens);
        expect(claims).toMatchObject({ sub: person.subject, nonce });

        const info = await oauth.processUserInfoResponse(
          as,
          client,
          person.subject,
          await oauth.userInfoRequest(as, client, tokens.access_token, options),
        );
        expect(info.email).toBe(person.email);
        const introspected = await oauth.processIntrospectionResponse(
          as,
          client,
          await oauth.introspectionRequest(as, client, auth, tokens.access_token, options),
        );
        expect(introspected.active).toBe(true);
        const refreshed = await oauth.processRefreshTokenResponse(
          as,
          client,
          await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token ?? '', options),
        );
        expect(refreshed.token_type).toBe('bearer');
        await oauth.processRevocationResponse(
          await oauth.revocationRequest(as, client, auth, tokens.refresh_token ?? '', options),
        );
        const after = await oauth.processIntrospectionResponse(
          as,
          client,
          await oauth.introspectionRequest(as, client, auth, refreshed.access_token, options),
        );
        expect(after.active).toBe(false);
      }
    });

    test('client_credentials, and a JWT that a resource server verifies by discovery alone (RFC 9068)', async () => {
      const as = await discover();
      const registered = await buildClient(server, {
        redirect_uris: [],
        grant_types: ['client_credentials'],
        scope: 'read',
      });
      const client: oauth.Client = { client_id: registered.id };
      const parameters = new URLSearchParams({ scope: 'read', resource: api });
      const response = await oauth.clientCredentialsGrantRequest(
        as,
        client,
        oauth.ClientSecretPost(registered.secret),
        parameters,
        options,
      );
      const tokens = await oauth.processClientCredentialsResponse(as, client, response);
      const request = new Request(`${api}/things`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
      expect(await oauth.validateJwtAccessToken(as, request, api, options)).toMatchObject({
        client_id: registered.id,
        scope: 'read',
        iss: server.url,
      });
      await expect(oauth.validateJwtAccessToken(as, request, `${server.url}/user`, options)).rejects.toThrow();
    });
  });
});
