/**
 * The token endpoint's additions to the standard (contracts: OAuth clients and users). `authorization_code` is an alias
 * of `code`. Clients of `POST /clients/register` get `success`, `username` and `expiry` besides the standard members;
 * others get `username` if `user` or `profile` was granted.
 */
import Provider, {
  type AccessToken,
  type ClientCredentials,
  errors,
  type JWTStructured,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { toldUsername } from '../../core/accounts/told-names.ts';
import { type Apis, userinfoAudience } from '../../core/apis/apis.ts';
import { deviceGrant } from '../../core/clients/metadata/device-grant.ts';
import { demandProof } from '../requests/proofs.ts';
import { registeredAmong } from '../requests/requested-scopes.ts';
import type { EnginePerson } from './claims.ts';

/**
 * Renames the original service's parameter in a form body. If `code` is there too, the engine sees it twice and
 * refuses.
 */
export function acceptOldCodeName(form: string): string {
  if (!form.includes('authorization_code=')) return form;
  return form
    .split('&')
    .map((pair) => (pair.startsWith('authorization_code=') ? pair.replace('authorization_code=', 'code=') : pair))
    .join('&');
}

export function shapeTokenAnswer(ctx: KoaContextWithOIDC): void {
  const body = ctx.body as Record<string, unknown> | undefined;
  if (!body || typeof body !== 'object') return;
  const client = ctx.oidc?.client;
  const original = client?.made_by_register === true;
  // Assign to the existing body: a new body makes Koa compute the headers again.
  if (typeof body.access_token !== 'string') {
    if (original || !isIdentified(ctx, body)) Object.assign(body, { success: false });
    return;
  }
  if (original) body.success = true;
  const scopes = String(body.scope ?? '').split(' ');
  const person = (ctx.oidc.account as EnginePerson | undefined)?.record;
  if (person && (original || scopes.includes('user') || scopes.includes('profile'))) {
    // The scope `user` returns the username as stored; otherwise only a name that applications may see is returned.
    const username = scopes.includes('user') ? person.username : toldUsername(person);
    if (username !== undefined) body.username = username;
  }
  if (original) body.expiry = expiryOf(body.access_token) ?? nowSeconds() + Number(body.expires_in);
}

/** Whether the caller is identified as a client: neither refused as one, nor throttled. */
function isIdentified({ oidc, status }: KoaContextWithOIDC, { error }: Record<string, unknown>): boolean {
  return oidc?.client !== undefined && error !== 'invalid_client' && status !== 429;
}

/** Reads the token's own `exp`, so that the two values never differ. */
function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return typeof exp === 'number' ? exp : undefined;
}

/**
 * RFC 6749, section 5.2, requires `unauthorized_client`; the engine answers `invalid_request`. The engine also calls
 * this before it issues a refresh token, so only the grant of the request throws. A bound client must send a proof.
 */
export function refuseForeignGrants(provider: Provider): void {
  const { prototype } = provider.Client;
  const { grantTypeAllowed } = prototype;
  prototype.grantTypeAllowed = function allowed(type: string) {
    const isAllowed = grantTypeAllowed.call(this, type);
    const { ctx } = Provider;
    const { route, params } = ctx?.oidc ?? {};
    const asked = route === 'device_authorization' ? deviceGrant : route === 'token' && params?.grant_type;
    if (ctx === undefined || asked !== type) return isAllowed;
    if (isAllowed) {
      if (route === 'token') demandProof(this, ctx);
      return true;
    }
    throw new errors.UnauthorizedClient('requested grant type is not allowed for this client');
  };
}

/**
 * For the engine's `formats.customizers.jwt`: applies the API's token format, and makes the token that both an API and
 * the userinfo endpoint accept (docs/decisions/024).
 */
export function shapeAccessToken(
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
  jwt: JWTStructured,
  { apis, issuer }: { readonly apis: Pick<Apis, 'find'>; readonly issuer: string },
): void {
  const identifier = String(token.aud);
  if (apis.find(identifier)?.tokenTyp === 'JWT') {
    jwt.header = { ...jwt.header, typ: 'JWT' };
    // Prevents confusion with other kinds of JWT (RFC 8725, section 3.12).
    jwt.payload.token_use = 'access';
  }
  const identity = identityScopes(ctx);
  if (token.kind === 'ClientCredentials' || !identity.includes('openid') || !isForUserinfoToo(ctx, issuer)) return;
  jwt.payload.aud = [identifier, userinfoAudience(issuer)];
  jwt.payload.scope = together(identity, token.scope);
}

/** Neither the authorization nor this request named an API, so the token is also for the userinfo endpoint. */
export function isForUserinfoToo({ oidc }: KoaContextWithOIDC, issuer: string): boolean {
  const { resource } = sourceOf(oidc) ?? {};
  return oidc.params?.resource === undefined && [resource].flat().includes(userinfoAudience(issuer));
}

/** The response's `scope` lists everything that was granted: OpenID Connect scopes besides those of the API. */
export function tellScopes({ oidc, body }: KoaContextWithOIDC): void {
  const answer = body as Record<string, unknown>;
  const identity = oidc.params?.grant_type === 'client_credentials' ? [] : identityScopes({ oidc });
  if (identity.length > 0) answer.scope = together(identity, answer.scope);
}

/** The OpenID Connect scopes that this request asks for and the grant has. */
function identityScopes({ oidc }: Pick<KoaContextWithOIDC, 'oidc'>): string[] {
  const source = sourceOf(oidc);
  if (!oidc.grant || !source) return [];
  const asked = oidc.params?.scope ? oidc.requestParamScopes : source.scopes;
  return oidc.grant.getOIDCScopeFiltered(registeredAmong(asked, oidc.client)).split(' ').filter(Boolean);
}

function sourceOf({ entities }: KoaContextWithOIDC['oidc']) {
  return entities.AuthorizationCode ?? entities.DeviceCode ?? entities.RefreshToken;
}

function together(identity: readonly string[], api: unknown): string {
  return [...new Set([...identity, ...(typeof api === 'string' ? api.split(' ') : [])])].filter(Boolean).join(' ');
}
