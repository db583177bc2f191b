/**
 * The configuration of the engine. Features that are not named here are off: implicit, hybrid and password grants,
 * request objects, dynamic registration, and the engine's development pages.
 */
import { type Configuration, errors, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider';
import { nowSeconds } from '../base/clock.ts';
import { deriveKey } from '../base/secrets.ts';
import { acrNames } from '../core/factors/assurance.ts';
import type { KeyRing } from '../core/keys/keys.ts';
import { sessionLifetime } from '../core/sessions/session-limits.ts';
import { proofAlgorithms } from '../core/tokens/dpop-proof.ts';
import { isOriginAmong } from '../http/cors.ts';
import { createAdapter, orUnavailable } from './adapter/adapter.ts';
import { begunAt } from './adapter/sessions.ts';
import { mayLook } from './clients/credentials.ts';
import { engineFetch } from './clients/engine-fetch.ts';
import { checkFapiAssertion, codeLifetime, fapiFeature } from './clients/fapi2.ts';
import type { ProtocolDeps } from './deps.ts';
import { deviceFlow } from './device/device-flow.ts';
import type { Recorder } from './refusals/record.ts';
import { currentUnit } from './request-unit.ts';
import { checkAcrRequest } from './requests/assurance.ts';
import { interactions, loadExistingGrant, pkceRequired } from './requests/policy.ts';
import { checkThumbprint, dpopFeature } from './requests/proofs.ts';
import { checkRequestedScopes } from './requests/requested-scopes.ts';
import { checkMachineScopes, createResources } from './requests/resources.ts';
import { engineScopes } from './requests/scopes.ts';
import { type ClaimSources, enginePerson, scopeClaims } from './tokens/claims.ts';
import { EngineKey } from './tokens/signing.ts';
import { isForUserinfoToo, shapeAccessToken } from './tokens/token-endpoint.ts';

export const routes = {
  authorization: '/oauth/authorize',
  pushed_authorization_request: '/oauth/par',
  token: '/oauth/token',
  userinfo: '/oauth/userinfo',
  jwks: '/oauth/jwks',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  end_session: '/oauth/logout',
  device_authorization: '/oauth/device',
  // Short, because people type it.
  code_verification: '/device',
} as const;

/** Node limits the request line and headers to 16 KiB together; the rest is for cookies. */
export const longestAddress = 12_288;

export function configuration(deps: ProtocolDeps, ring: KeyRing, recorder: Recorder): Configuration {
  const { config } = deps;
  const { lifetimes } = config;
  const secure = deps.issuer.startsWith('https:');
  const asymmetric = ['RS256', 'ES256'] as const;
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const;

  return {
    adapter: createAdapter({ ...deps, lifetimes }),
    jwks: { keys: ring.map((key) => new EngineKey(key)) },
    routes,
    scopes: engineScopes,
    claims: scopeClaims,
    acrValues: acrNames(deps.issuer).all,
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'RS256',
    },
    extraClientMetadata: {
      properties: [
        'profile',
        'require_pkce',
        'registered_scope',
        'second_factor',
        'consent',
        'reviewed',
        'made_by_person',
        'made_by_register',
        'made_by_itself',
        'document_snapshot',
        'id_token_claims',
        'allow_insecure_redirects',
        'loopback_ports',
      ],
    },
    enabledJWA: {
      idTokenSigningAlgValues: asymmetric,
      userinfoSigningAlgValues: asymmetric,
      // Some libraries send `Ed25519` instead of `EdDSA` (RFC 9864).
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
      dPoPSigningAlgValues: proofAlgorithms,
    },
    clockTolerance: 15,
    pkce: { required: pkceRequired(config.requirePkce) },
    allowOmittingSingleRegisteredRedirectUri: true,
    // `scope` is no extra parameter: naming it here makes the engine call the check.
    extraParams: { scope: (ctx) => checkRequestedScopes(ctx, deps), dpop_jkt: checkThumbprint },
    formats: { customizers: { jwt: (ctx, token, jwt) => shapeAccessToken(ctx, token, jwt, deps) } },
    // This switch is for the whole server, but each client has its own rule for ID token claims (claims.ts).
    conformIdTokenClaims: false,
    discovery: {
      ...(config.registration.mode !== 'off' && { registration_endpoint: `${deps.issuer}/oauth/register` }),
      introspection_signing_alg_values_supported: [...asymmetric],
      ...(config.protocol.mcp && { client_id_metadata_document_supported: true }),
      prompt_values_supported: [
        'none',
        'login',
        'consent',
        'select_account',
        ...(config.signUp === 'open' ? ['create'] : []),
      ],
      require_pushed_authorization_requests: config.protocol.requirePushedAuthorizationRequests || undefined,
    },
    features: {
      devInteractions: { enabled: false },
      // Enabled for discovery and for token issuance; userinfo.ts answers the requests.
      userinfo: { enabled: true },
      jwtUserinfo: { enabled: true },
      // For both, the engine only authenticates the client and never sees the token (about-tokens.ts).
      revocation: { enabled: true, allowedPolicy: () => false },
      introspection: { enabled: true, allowedPolicy: () => false },
      clientCredentials: { enabled: true },
      deviceFlow: deviceFlow(deps, recorder),
      // For discovery and `sid`; see leaveLogoutsToOutbox.
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: deps.pages.logout,
        postLogoutSuccessSource: deps.pages.signedOut,
      },
      resourceIndicators: createResources(deps),
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      claimsParameter: { enabled: true, assertClaimsParameter: checkAcrRequest },
      dPoP: dpopFeature(deps),
      // Who must push is decided for each client (clients/clients.ts), because this server's own pages push nothing.
      pushedAuthorizationRequests: { enabled: true },
      fapi: fapiFeature,
    },
    cookies: {
      // The `__Host-` prefix requires the root path; the engine gives the other two cookies paths of their own.
      names: {
        session: secure ? '__Host-gatehouse' : 'gatehouse',
        interaction: secure ? '__Secure-gatehouse-interaction' : 'gatehouse-interaction',
        resume: secure ? '__Secure-gatehouse-resume' : 'gatehouse-resume',
      },
      long: { ...cookie, secure, path: '/' },
      short: { ...cookie, secure },
      keys: [deriveKey(deps.secretKey, 'cookies').toString('base64url')],
    },
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      AuthorizationCode: (_ctx, _code, client) => codeLifetime(lifetimes.authorizationCode, client),
      DeviceCode: lifetimes.deviceCode,
      IdToken: lifetimes.idToken,
      Interaction: lifetimes.interaction,
      // Counted from the sign-in; the engine requires at least one second. After a session has ended, its cookie gets
      // an empty session, which needs to last only for a sign-in.
      Session: (ctx, session) => {
        keepWhereAsked(ctx, session);
        const { accountId, uid, loginTs = nowSeconds() } = session;
        const since = begunAt(session, currentUnit()?.reads.sessionsByUid.get(uid)) ?? loginTs;
        return accountId === undefined
          ? lifetimes.interaction
          : Math.max(1, since + sessionLifetime(lifetimes, session) - nowSeconds());
      },
      // A grant must outlive its session and its last refresh token, because the grant's expiry never moves.
      Grant: lifetimes.session + lifetimes.refreshToken,
      // Counted from the redemption of the code, also after rotation; it ends earlier if the token is not used.
      RefreshToken: (_ctx, token) => refreshTokenTtl(lifetimes, token),
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: (_ctx, source) => source.scopes.has('openid') && !source.scopes.has('offline_access'),
    // Only public clients get a new refresh token with each use (RFC 9700, section 4.14.2).
    rotateRefreshToken: async (ctx) => {
      if (ctx.oidc.client?.clientAuthMethod === 'none') return currentUnit()?.repeat === undefined;
      await keepInUse(lifetimes, ctx.oidc.entities.RefreshToken);
      return false;
    },
    loadExistingGrant: loadExistingGrant(deps),
    findAccount: async (ctx, subject) => {
      const unit = currentUnit();
      const account = unit?.reads.accounts.has(subject)
        ? unit.reads.accounts.get(subject)
        : await orUnavailable(() => deps.accounts.bySubject(subject));
      unit?.reads.accounts.set(subject, account);
      if (account?.disabledAt === null) return enginePerson(account, sourcesOf(deps, ctx));
      // The account was disabled or deleted just after the sign-in; here the engine requires an account.
      if (ctx.oidc.route === 'resume') throw new errors.AccessDenied(undefined, 'the account is disabled or deleted');
      return undefined;
    },
    extraTokenClaims: (ctx, token) => {
      if (token.kind === 'ClientCredentials') {
        checkMachineScopes(ctx, token.scope, deps.apis);
        return undefined;
      }
      // `gid` names the grant, so that this server's own endpoints and the gateway can check that it still exists.
      const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities;
      const { acr, authTime } = AuthorizationCode ?? DeviceCode ?? RefreshToken ?? {};
      // `acr` and `auth_time` let an API demand a step-up (RFC 9068, section 2.2.1; RFC 9470, section 6). A JWT names
      // its session if it ends with it; an opaque token is stored with its session.
      const isJwt = token.resourceServer?.accessTokenFormat === 'jwt';
      const session = isJwt && token.expiresWithSession ? token.sessionUid : undefined;
      return { gid: token.grantId, session, acr, auth_time: authTime };
    },
    assertJwtClientAuthClaimsAndHeader: (ctx, claims, header, client) => {
      mayLook(deps.credentials, client.clientId);
      checkFapiAssertion(client, deps.issuer, claims, header);
      checkAssertion(ctx, claims, header, client);
    },
    clientBasedCORS: (_ctx, origin, { redirectUris = [], loopback_ports: ports }) =>
      isOriginAmong(redirectUris, origin, ports === 'any' ? 'any' : 'registered'),
    interactions: {
      policy: interactions({ ...deps, allowedByPolicy: deps.events.allowedByPolicy }),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    renderError: async (ctx, out, error) => {
      const refused = ctx.status < 500;
      deps.pages.error(ctx, out, error, refused ? await recorder.record(ctx, error) : undefined);
    },
    ...engineFetch(deps.outgoing),
  };
}

/** Called when claims are made, after the client and the access token are known. */
function sourcesOf({ groups, issuer }: ProtocolDeps, ctx: KoaContextWithOIDC): ClaimSources {
  const { oidc } = ctx;
  return {
    groupsOf: (subject) => orUnavailable(() => groups.namesOf(subject)),
    idTokenClaims() {
      const rule = oidc.client?.id_token_claims;
      if (rule === 'standard' || rule === 'all') return rule;
      // OpenID Connect Core, section 5.4: the ID token has the claims if no access token works at userinfo.
      const isForApi = oidc.entities.AccessToken?.aud !== undefined;
      return isForApi && !isForUserinfoToo(ctx, issuer) ? 'all' : 'minimal';
    },
  };
}

type Lifetimes = ProtocolDeps['config']['lifetimes'];

/** The engine keeps a session transient if a later sign-in asks to stay signed in, so clear the flag. */
function keepWhereAsked({ oidc }: KoaContextWithOIDC, session: { transient?: boolean | undefined }): void {
  if (oidc.result?.login?.remember === true && session.transient) session.transient = undefined;
}

function refreshTokenTtl({ refreshToken, refreshTokenIdle }: Lifetimes, { iiat }: Pick<RefreshToken, 'iiat'>): number {
  return Math.max(1, Math.min(refreshTokenIdle, (iiat ?? nowSeconds()) + refreshToken - nowSeconds()));
}

/** Each use of a refresh token that is not rotated restarts its idle time; its absolute expiry stays. */
async function keepInUse(lifetimes: Lifetimes, token: RefreshToken | undefined): Promise<void> {
  if (!token || lifetimes.refreshTokenIdle >= lifetimes.refreshToken) return;
  token.exp = nowSeconds() + refreshTokenTtl(lifetimes, token);
  await token.save();
}

/**
 * Stricter than the engine (RFC 7523, section 3; security.md C7): short-lived, one audience, `kid` if there are several
 * keys.
 */
function checkAssertion(
  _ctx: KoaContextWithOIDC,
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
  client: { jwks?: { keys: readonly unknown[] } | undefined },
): void {
  const refuse = (why: string) => {
    throw new errors.InvalidClientAuth(why);
  };
  if (typeof claims.aud !== 'string') refuse('aud must be one string');
  if (typeof claims.exp !== 'number' || claims.exp > nowSeconds() + 600)
    refuse('exp must be at most ten minutes ahead');
  // As for `nbf`: an `iat` beyond clock skew shows that the client did not just make the assertion.
  if (claims.iat !== undefined && !(Number(claims.iat) <= nowSeconds() + 60)) refuse('iat must not be in the future');
  if (typeof claims.sub !== 'string' || claims.sub !== claims.iss) refuse('sub must be the client_id');
  if (header.kid === undefined && (client.jwks?.keys.length ?? 0) > 1) refuse('kid must name one of several keys');
}
