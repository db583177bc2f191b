/**
 * Checks the scopes of an authorization request before the user is asked. If none can be granted, the application gets
 * an error at once (RFC 6749, section 4.1.2.1). Otherwise unknown scopes are left out, and `scope` in the token
 * response says so (section 3.3).
 */
import Provider, { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { openScopes } from '../../core/apis/apis.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';
import { nameCheck } from '../refusals/record.ts';
import { scopesSent } from './as-sent.ts';
import { onBehalfOf } from './on-behalf.ts';
import { engineScopes, knownScopes } from './scopes.ts';

interface RequestedScopesDeps {
  readonly apis: { list(): readonly ApiRecord[] };
}

/** For the engine's `extraParams`: called once per authorization request, after the APIs are known. */
export function checkRequestedScopes(ctx: KoaContextWithOIDC, deps: RequestedScopesDeps): void {
  dropUnregistered(ctx);
  // Requests on behalf of a user have stricter rules, which apply first (oidc/requests/bearer-consent).
  if (onBehalfOf(ctx)) return;
  keepOfflineAccess(ctx);
  refuseUnlessOffered(ctx, deps);
}

/** Throws `invalid_scope` with the requested scopes. */
export function refuseUnlessOffered(ctx: KoaContextWithOIDC, { apis }: RequestedScopesDeps): void {
  const { oidc } = ctx;
  const servers = Object.values(oidc.resourceServers ?? {});
  const offered = (name: string) => servers.some(({ scopes }) => scopes.has(name));
  if (oidc.requestParamOIDCScopes.size > 0 || [...oidc.requestParamScopes].some(offered)) return;
  // The original value: the engine has dropped scopes from its own copy.
  const asked = scopesSent(ctx);
  const named = asked.join(' ').slice(0, 200);
  const check = checkOf(asked, apis.list());
  nameCheck(ctx, check);
  throw new errors.InvalidScope(words[check] + named, named);
}

const words = {
  scope_missing: 'the API has no default scopes: scope must be sent',
  scope_held: 'this scope is granted only to users with a role for it: ',
  scope_not_allowed: 'the scope belongs to another API or is not registered for the client: ',
  scope_unknown: 'unknown scope: ',
} as const satisfies Partial<Record<CheckName, string>>;

function checkOf(asked: readonly string[], apis: readonly ApiRecord[]): keyof typeof words {
  if (asked.length === 0) return 'scope_missing';
  const known = knownScopes(apis);
  if (asked.some((name) => !known.has(name))) return 'scope_unknown';
  const open = new Set(apis.flatMap(openScopes));
  return asked.every((name) => open.has(name)) ? 'scope_not_allowed' : 'scope_held';
}

/**
 * Leaves out OpenID Connect scopes that the client is not registered for, as resources.ts does with those of APIs:
 * agents request every scope that the metadata of this server names.
 */
function dropUnregistered({ oidc }: KoaContextWithOIDC): void {
  const { client, params, requestParamScopes } = oidc;
  const registered = client?.registered_scope;
  if (!params || typeof registered !== 'string') return;
  const allowed = registered.split(' ');
  const kept = [...requestParamScopes].filter((name) => !engineScopes.includes(name) || allowed.includes(name));
  if (kept.length < requestParamScopes.size) params.scope = kept.join(' ') || undefined;
}

/**
 * A grant gives no OpenID Connect scope that the client is not registered for any more, also to a refresh token that
 * was issued before. For scopes of APIs, resources.ts does the same.
 */
export function keepGrantsRegistered(provider: Provider): void {
  const { prototype } = provider.Grant;
  const { getOIDCScopeFiltered } = prototype;
  prototype.getOIDCScopeFiltered = function filtered(asked: string[] | Set<string>) {
    return getOIDCScopeFiltered.call(this, registeredAmong(asked, Provider.ctx?.oidc?.client));
  };
}

/** The names that the client is registered for. Without a registered scope: all. */
export function registeredAmong(names: Iterable<string>, client: Client | undefined): string[] {
  const registered = client?.registered_scope;
  const allowed = typeof registered === 'string' ? registered.split(' ') : undefined;
  return [...names].filter((name) => allowed?.includes(name) !== false);
}

/**
 * The engine drops `offline_access` unless the request asks for the consent page. Here, existing consent is enough
 * (OpenID Connect Core, section 11: "other conditions").
 */
function keepOfflineAccess(ctx: KoaContextWithOIDC): void {
  const { oidc } = ctx;
  const { client, params } = oidc;
  const registered = client?.registered_scope;
  if (!params || !client?.grantTypeAllowed('refresh_token')) return;
  if (typeof registered === 'string' && !registered.split(' ').includes('offline_access')) return;
  if (!scopesSent(ctx).includes('offline_access') || oidc.requestParamScopes.has('offline_access')) return;
  params.scope = [...oidc.requestParamScopes, 'offline_access'].join(' ');
}

/** If no page may be shown, leaves out `offline_access` unless the user has allowed it before. */
export function dropOfflineAccess({ oidc }: KoaContextWithOIDC, granted: string): void {
  const { params, prompts, requestParamScopes: scopes } = oidc;
  if (!params || !prompts.has('none') || granted.split(' ').includes('offline_access')) return;
  if (scopes.delete('offline_access')) params.scope = [...scopes].join(' ') || undefined;
}
