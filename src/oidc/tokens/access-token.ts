/**
 * What the engine leaves to us about access tokens: the form that an API wants, the token that both an API and the userinfo
 * endpoint take (docs/decisions/024), and the scopes that the token answer names.
 */
import type { AccessToken, ClientCredentials, JWTStructured, KoaContextWithOIDC } from 'oidc-provider';
import { type Apis, userinfoAudience } from '../../core/apis/apis.ts';

/** For the engine's `formats.customizers.jwt`. */
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
