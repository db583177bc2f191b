/**
 * APIs as the engine's resource servers (RFC 8707): which one a request means, which of its scopes the client may have, and
 * in what form its access tokens come.
 */
import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { Apis } from '../core/apis.ts';
import { engineScopes } from './scopes.ts';

/** The scope of the built-in user API: what an authorization request without any scope asks for. */
export const userScope = 'user';

export function createResources(apis: Apis, userApi: string) {
  return {
    enabled: true,

    /**
     * With `openid` it is OpenID Connect unchanged: no default. Without it, a person's token is for the API that has the scopes
     * asked for, the user API where nothing says otherwise. A client's own token has no default.
     */
    defaultResource(
      ctx: KoaContextWithOIDC,
      _client: Client,
      oneOf?: readonly string[],
    ): string | readonly string[] | undefined {
      if (oneOf) return oneOf;
      const asked = ctx.oidc.requestParamScopes;
      const none = ctx.oidc.route !== 'authorization' || asked.has('openid');
      const api = none ? undefined : apis.list().find(({ scopes }) => scopes.some(({ name }) => asked.has(name)));
      return none ? undefined : (api?.identifier ?? userApi);
    },

    getResourceServerInfo(ctx: KoaContextWithOIDC, identifier: string, client: Client): ResourceServer {
      const api = apis.find(identifier);
      if (!api) throw new errors.InvalidTarget();
      const allowed = allowedApiScopes(
        client,
        api.scopes.map((scope) => scope.name),
        ctx.oidc.params?.grant_type === 'client_credentials',
      );
      return {
        scope: allowed.join(' '),
        audience: api.identifier,
        accessTokenFormat: api.tokenFormat,
        ...(api.tokenLifetime === null ? {} : { accessTokenTTL: api.tokenLifetime }),
        ...(api.tokenFormat === 'jwt' ? { jwt: { sign: { alg: 'ES256' as const } } } : {}),
      };
    },

    useGrantedResource: () => false,
  };
}

/** With a `scope` in its metadata a client may have only those; without one, whatever a person consents to, but nothing of its own. */
function allowedApiScopes(client: Client, offered: readonly string[], machine: boolean): string[] {
  // Not `client.metadata()`, which converts every name on each call.
  const { registered_scope: scope } = client;
  if (typeof scope !== 'string') return machine ? [] : [...offered];
  const registered = new Set(scope.split(' '));
  return offered.filter((scope) => registered.has(scope));
}

/**
 * For client_credentials the engine drops what it does not know, or what no named resource offers, even from its own copy of the
 * parameters; an application should hear about it (RFC 6749, section 5.2). There is no person, so the scopes that speak of one are
 * refused as well (security.md C15).
 */
export function checkMachineScopes(ctx: KoaContextWithOIDC, granted: string | undefined): void {
  const has = new Set(granted?.split(' '));
  for (const scope of String(ctx.oidc.body?.scope ?? '').split(' ')) {
    if (scope === '') continue;
    if (engineScopes.includes(scope) || !has.has(scope))
      throw new errors.InvalidScope('requested scope is not allowed', scope);
  }
}
