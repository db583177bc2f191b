/**
 * What the bearer of a first-party token may consent to on behalf of its user (oidc/requests/on-behalf). A password
 * alone opens such a session, and no page shows the user the request. So only applications that users have registered
 * themselves are allowed, and only for the user's identity and the API scopes marked `bearer`.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Apis, userinfoAudience } from '../../core/apis/apis.ts';
import { nameCheck } from '../refusals/record.ts';
import { scopeClaims } from '../tokens/claims.ts';
import { knownScopes } from './scopes.ts';

const ownScopes = ['openid', 'profile', 'email'] as const;
/** The claims of these scopes; the `claims` parameter may request no others. */
const ownClaims: ReadonlySet<string> = new Set(ownScopes.flatMap((scope) => scopeClaims[scope]));

export interface BearerConsentDeps {
  readonly apis: Pick<Apis, 'list'>;
  readonly issuer: string;
}

/** The scopes of an API that need no consent page. */
function bearerScopes({ scopes }: ReturnType<Apis['list']>[number]): readonly string[] {
  return scopes.flatMap(({ name, bearer, held }) => (bearer && !held ? [name] : []));
}

/** Throws `unauthorized_client`. */
export function requireOwnApplication({ oidc }: KoaContextWithOIDC): void {
  if (oidc.client?.made_by_person === true) return;
  throw new errors.UnauthorizedClient('only a user in a browser can give consent to this client');
}

/**
 * Throws `unauthorized_client`, `invalid_target`, `invalid_scope` or `invalid_request`, which the application receives.
 */
export function checkBearerConsent(ctx: KoaContextWithOIDC, { apis, issuer }: BearerConsentDeps): void {
  requireOwnApplication(ctx);
  const { oidc } = ctx;
  const all = apis.list();
  const allowed = new Map(
    all.flatMap((api): [string, readonly string[]][] => {
      const scopes = bearerScopes(api);
      return scopes.length > 0 ? [[api.identifier, scopes]] : [];
    }),
  );
  const named = [ctx.query.resource ?? []].flat();
  if (named.some((api) => api !== '' && !allowed.has(api)))
    throw new errors.InvalidTarget('only a user in a browser can give consent to this API');
  const known = knownScopes(all);
  const granted = new Set<string>([...ownScopes, ...[...allowed.values()].flat()]);
  // The original value: the engine has dropped scopes from its own copy.
  const asked = String(ctx.query.scope ?? '').split(' ');
  const refused = asked.filter((scope) => known.has(scope) && !granted.has(scope));
  if (refused.length > 0)
    throw new errors.InvalidScope('only a user in a browser can give consent to this scope', refused.join(' '));
  if ([...oidc.requestParamClaims].some((claim) => !ownClaims.has(claim))) {
    nameCheck(ctx, 'parameter_invalid');
    throw new errors.InvalidRequest('only a user in a browser can give consent to these claims');
  }
  const servers = Object.keys(oidc.resourceServers ?? {}).filter((api) => api !== userinfoAudience(issuer));
  if (servers.some((api) => !allowed.has(api)))
    throw new errors.InvalidTarget('only a user in a browser can give consent to this API');
  // The scope may be marked by another API that has a scope of the same name.
  for (const [api, { scopes }] of Object.entries(oidc.resourceServers ?? {})) {
    const unmarked = asked.filter((scope) => scopes.has(scope) && !allowed.get(api)?.includes(scope));
    if (unmarked.length > 0)
      throw new errors.InvalidScope('only a user in a browser can give consent to this scope', unmarked.join(' '));
  }
}
