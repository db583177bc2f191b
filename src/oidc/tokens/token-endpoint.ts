/**
 * What the token endpoint adds to the standard (contracts: OAuth clients and users). `authorization_code` is taken for `code`.
 * Clients of `POST /clients/register` get `success`, `username` and `expiry` beside the standard members; others get
 * `username` where `user` or `profile` was granted.
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
import type { EnginePerson } from './claims.ts';

/** Renames the original's parameter in a form body. Both at once are left alone: the engine refuses what it does not know. */
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
  // Into the object that is there: setting another body has Koa work out the headers again.
  if (typeof body.access_token !== 'string') {
    if (original || !isIdentified(ctx, body)) Object.assign(body, { success: false });
    return;
  }
  if (original) body.success = true;
  const scopes = String(body.scope ?? '').split(' ');
  const person = (ctx.oidc.account as EnginePerson | undefined)?.record;
  if (person && (original || scopes.includes('user') || scopes.includes('profile'))) {
    // Programs of the user API know the account by its username, whatever it is; others are told what everyone may be told.
    const username = scopes.includes('user') ? person.username : toldUsername(person);
    if (username !== undefined) body.username = username;
  }
  if (original) body.expiry = expiryOf(body.access_token) ?? nowSeconds() + Number(body.expires_in);
}

/** Whether the caller has proved to be a client: neither refused as one, nor kept from trying. */
function isIdentified({ oidc, status }: KoaContextWithOIDC, { error }: Record<string, unknown>): boolean {
  return oidc?.client !== undefined && error !== 'invalid_client' && status !== 429;
}

/** The token's own `exp`, so that the two can never differ by a tick of the clock. */
function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return typeof exp === 'number' ? exp : undefined;
}

/**
 * A grant type that the client may not use is `unauthorized_client` (RFC 6749, section 5.2); the engine says `invalid_request`.
 * It also asks before it issues a refresh token, so only the grant of this request is refused.
 */
export function refuseForeignGrants(provider: Provider): void {
  const { prototype } = provider.Client;
  const { grantTypeAllowed } = prototype;
  prototype.grantTypeAllowed = function allowed(type: string) {
    if (grantTypeAllowed.call(this, type)) return true;
    const { route, params } = Provider.ctx?.oidc ?? {};
    if (route !== 'token' || params?.grant_type !== type) return false;
    throw new errors.UnauthorizedClient('requested grant type is not allowed for this client');
  };
}

/**
 * The form that an API wants of its access tokens, and the token that both an API and the userinfo endpoint take
 * (docs/decisions/024). For the engine's `formats.customizers.jwt`.
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
    // So that no other kind of JWT can be taken for it (RFC 8725, section 3.12).
    jwt.payload.token_use = 'access';
  }
  const identity = identityScopes(ctx);
  if (token.kind === 'ClientCredentials' || !identity.includes('openid') || !isForUserinfoToo(ctx, issuer)) return;
  jwt.payload.aud = [identifier, userinfoAudience(issuer)];
  jwt.payload.scope = together(identity, token.scope);
}

/** No API was named, neither at the authorization nor now, so the token is for the userinfo endpoint as well. */
export function isForUserinfoToo({ oidc }: KoaContextWithOIDC, issuer: string): boolean {
  const { resource } = sourceOf(oidc) ?? {};
  return oidc.params?.resource === undefined && [resource].flat().includes(userinfoAudience(issuer));
}

/** The answer's `scope` is all that was granted: the scopes of OpenID Connect beside those of the API. */
export function tellScopes({ oidc, body }: KoaContextWithOIDC): void {
  const answer = body as Record<string, unknown>;
  const identity = oidc.params?.grant_type === 'client_credentials' ? [] : identityScopes({ oidc });
  if (identity.length > 0) answer.scope = together(identity, answer.scope);
}

/** Those of OpenID Connect that this token request asks for and the grant has. */
function identityScopes({ oidc }: Pick<KoaContextWithOIDC, 'oidc'>): string[] {
  const source = sourceOf(oidc);
  if (!oidc.grant || !source) return [];
  const asked = oidc.params?.scope ? oidc.requestParamScopes : source.scopes;
  return oidc.grant.getOIDCScopeFiltered(asked).split(' ').filter(Boolean);
}

function sourceOf({ entities }: KoaContextWithOIDC['oidc']) {
  return entities.AuthorizationCode ?? entities.RefreshToken;
}

function together(identity: readonly string[], api: unknown): string {
  return [...new Set([...identity, ...(typeof api === 'string' ? api.split(' ') : [])])].filter(Boolean).join(' ');
}
