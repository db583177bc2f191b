/**
 * APIs as the engine's resource servers (RFC 8707): the API that a request names or implies, the scopes of it that the
 * client may have, and the format of its access tokens.
 */
import { type ParsedUrlQuery, parse, stringify } from 'node:querystring';
import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { type Apis, allowedScopes, defaultScopes, openScopes, userinfoAudience } from '../../core/apis/apis.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';
import { checkFapiApi } from '../clients/fapi2.ts';
import { nameCheck } from '../refusals/record.ts';
import { asSent } from './as-sent.ts';
import { engineScopes } from './scopes.ts';

/** The scope of the built-in user API, and the default of an authorization request without scope. */
const userScope = 'user';

interface ResourcesDeps {
  readonly apis: Apis;
  readonly userApi: string;
  readonly issuer: string;
}

export function createResources({ apis, userApi, issuer }: ResourcesDeps) {
  /** With an API: a token that both the API and userinfo accept (docs/decisions/024). Never requested alone. */
  const userinfo = userinfoAudience(issuer);

  function forPerson(ctx: KoaContextWithOIDC, client: Client): string | readonly string[] | undefined {
    const asked = ctx.oidc.requestParamScopes;
    const openid = asked.has('openid');
    // An opaque token has one audience; with `openid`, this is the userinfo endpoint.
    const offered = apis.list().filter(({ tokenFormat }) => !openid || tokenFormat === 'jwt');
    const meant = apiMeant(asked, offered, (api) => allowedScopes(client.registered_scope, api), userApi);
    if (meant.outcome === 'several') refuseScopesOfSeveral(ctx);
    if (meant.outcome === 'none') return openid ? undefined : userApi;
    return openid ? [meant.api.identifier, userinfo] : meant.api.identifier;
  }

  /** A scope of exactly one API selects this API. The user API is left out, because it is for users. */
  function forMachine(ctx: KoaContextWithOIDC): string | undefined {
    const offered = apis.list().filter(({ identifier }) => identifier !== userApi);
    const meant = apiMeant(ctx.oidc.requestParamScopes, offered, openScopes);
    if (meant.outcome === 'several') refuseScopesOfSeveral(ctx);
    return meant.outcome === 'one' ? meant.api.identifier : undefined;
  }

  return {
    enabled: true,

    /**
     * `openid` without API scopes is plain OpenID Connect, without an API. Otherwise a user's token is for the API of
     * the requested scopes, by default the user API. `oneOf`: the APIs named or granted at the token endpoint.
     */
    defaultResource(
      ctx: KoaContextWithOIDC,
      client: Client,
      oneOf?: readonly string[],
    ): string | readonly string[] | undefined {
      if (oneOf) {
        const [api, ...more] = oneOf.filter((identifier) => identifier !== userinfo);
        if (more.length > 0 && ctx.oidc.params?.resource === undefined) refuseGrantOfSeveral(ctx);
        return more.length === 0 ? api : oneOf;
      }
      if (asksForPerson.has(ctx.oidc.route)) return forPerson(ctx, client);
      return ctx.oidc.params?.grant_type === 'client_credentials' ? forMachine(ctx) : undefined;
    },

    getResourceServerInfo(ctx: KoaContextWithOIDC, identifier: string, client: Client): ResourceServer {
      const { oidc } = ctx;
      const named = [asSent(ctx).resource ?? []].flat();
      if (identifier === userinfo && oidc.route !== 'token' && named.length !== 1)
        return { scope: '', audience: userinfo, accessTokenFormat: 'opaque' };
      const api = apis.find(identifier);
      if (!api) throw new errors.InvalidTarget();
      checkFapiApi(client, api);
      const machine = oidc.params?.grant_type === 'client_credentials';
      const allowed = allowedScopes(client.registered_scope, api, machine);
      if (machine && oidc.params && !oidc.params.scope) {
        const defaults = defaultScopes(api).filter((name) => allowed.includes(name));
        if (defaults.length > 0) oidc.params.scope = defaults.join(' ');
      }
      return {
        scope: allowed.join(' '),
        audience: api.identifier,
        accessTokenFormat: api.tokenFormat,
        ...(api.tokenLifetime === null ? {} : { accessTokenTTL: api.tokenLifetime }),
        ...(api.tokenFormat === 'jwt' ? { jwt: { sign: { alg: api.signingAlg } } } : {}),
      };
    },

    // A token request without `resource` is for the granted API.
    useGrantedResource: () => true,
  };
}

const asksForPerson: ReadonlySet<string> = new Set([
  'authorization',
  'pushed_authorization_request',
  'device_authorization',
]);

function refuseScopesOfSeveral(ctx: KoaContextWithOIDC): never {
  nameCheck(ctx, 'resource_missing');
  const scope = [...ctx.oidc.requestParamScopes].join(' ').slice(0, 200);
  throw new errors.InvalidScope(`the scopes match several APIs: name one with the parameter resource: ${scope}`, scope);
}

function refuseGrantOfSeveral(ctx: KoaContextWithOIDC): never {
  nameCheck(ctx, 'resource_missing');
  throw new errors.InvalidTarget('several APIs were granted: name one with the parameter resource');
}

/**
 * The engine silently drops scopes that are unknown or not offered; here they are refused (RFC 6749, section 5.2).
 * Scopes about a user are refused too, because there is no user (security.md C15).
 */
export function checkMachineScopes(ctx: KoaContextWithOIDC, granted: string | undefined, apis: Apis): void {
  const has = new Set(granted?.split(' '));
  for (const scope of String(ctx.oidc.body?.scope ?? '').split(' ')) {
    if (scope === '') continue;
    if (engineScopes.includes(scope) || !has.has(scope)) refuseMachineScope(ctx, scope, apis);
  }
}

function refuseMachineScope(ctx: KoaContextWithOIDC, scope: string, apis: Apis): never {
  const having = apis.list().filter(({ scopes }) => scopes.some(({ name }) => name === scope));
  if (having.length === 0 && !engineScopes.includes(scope)) {
    nameCheck(ctx, 'scope_unknown');
    throw new errors.InvalidScope(`unknown scope: ${scope.slice(0, 100)}`, scope);
  }
  const held = having.length > 0 && having.every((api) => !openScopes(api).includes(scope));
  nameCheck(ctx, held ? 'scope_held' : 'scope_not_allowed');
  throw new errors.InvalidScope('requested scope is not allowed', scope);
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Parameters that require `openid`. The engine checks them before the scope, so the scope error would not appear. */
const ofOpenid = ['acr_values', 'claims', 'claims_locales', 'id_token_hint', 'max_age', 'nonce'] as const;

/**
 * Normalizes an authorization request for the engine: APIs by their registered identifiers, also from `audience`, and
 * default scopes. Malformed parameters are left for the engine to refuse. Returns the same object if nothing changes.
 */
export function authorizationQuery(query: ParsedUrlQuery, apis: Apis): ParsedUrlQuery {
  const { resource, audience, ...rest } = query;
  const named = resource !== undefined || audience !== undefined;
  const identifiers = named ? identifiersOf([resource, audience].flat(), apis) : [];
  if (!named && query.scope && (typeof query.scope !== 'string' || isOffered(query.scope, apis))) return query;
  const changed: ParsedUrlQuery = { ...rest, ...(identifiers.length > 0 && { resource: identifiers }) };
  if (!query.scope) changed.scope = defaultScope(identifiers, apis);
  else if (typeof query.scope === 'string' && !isOffered(query.scope, apis)) {
    for (const name of ofOpenid) delete changed[name];
  }
  return changed;
}

/** Normalizes the form of a device authorization request in the same way. */
export function deviceForm(form: string, apis: Apis): string {
  const sent = parse(form);
  const changed = authorizationQuery(sent, apis);
  return changed === sent ? form : stringify(changed);
}

/** The scopes of a request without `scope`, for these APIs or for none. */
function defaultScope(identifiers: readonly string[], apis: Apis): string | undefined {
  if (identifiers.length === 0) return userScope;
  const names = identifiers.flatMap((identifier) => {
    const api = apis.find(identifier);
    return api ? defaultScopes(api) : [];
  });
  return names.length === 0 ? undefined : [...new Set(names)].join(' ');
}

function isOffered(scope: string, apis: Apis): boolean {
  const asked = new Set(scope.split(' '));
  return (
    engineScopes.some((name) => asked.has(name)) ||
    apis.list().some(({ scopes }) => scopes.some(({ name }) => asked.has(name)))
  );
}

/** Normalizes the form of a pushed authorization request in the same way. */
export function pushedForm(form: string, apis: Apis): string {
  const asked = parse(form);
  const query = authorizationQuery(asked, apis);
  return query === asked ? form : stringify(query);
}

/** Normalizes the form of a token request in the same way. */
export function tokenForm(form: string, apis: Apis): string {
  if (!/(^|&)(resource|audience)=/.test(form)) return form;
  const pairs = form.split('&').map((text) => ({ text, pair: [...new URLSearchParams(text)][0] }));
  const isName = (name: string | undefined) => name === 'resource' || name === 'audience';
  if (pairs.some(({ pair }) => pair?.[0] === 'grant_type' && pair[1] === tokenExchange)) return form;
  const values = pairs.flatMap(({ pair }) => (isName(pair?.[0]) ? [pair?.[1]] : []));
  const others = pairs.flatMap(({ text, pair }) => (isName(pair?.[0]) ? [] : [text]));
  return [...others, ...identifiersOf(values, apis).map((value) => `resource=${encodeURIComponent(value)}`)].join('&');
}

/** Unique registered identifiers. A URI contains no space, so a value with spaces is a list. */
function identifiersOf(values: readonly (string | undefined)[], apis: Apis): string[] {
  const all = values.flatMap((value) => value?.split(' ') ?? []).filter((value) => value !== '');
  return [...new Set(all.map((value) => apis.find(value)?.identifier ?? value))];
}

type Meant =
  | { readonly outcome: 'one'; readonly api: ApiRecord }
  /** No API has any of the scopes. */
  | { readonly outcome: 'none' }
  /** The scopes belong to several APIs, or several APIs have them all. */
  | { readonly outcome: 'several'; readonly apis: readonly ApiRecord[] };

/** The API that has all requested scopes of any API. If several do, `first` wins. */
function apiMeant(
  asked: ReadonlySet<string>,
  apis: readonly ApiRecord[],
  scopesOf: (api: ApiRecord) => readonly string[],
  first?: string,
): Meant {
  const having = apis.flatMap((api) => {
    const scopes = scopesOf(api).filter((name) => asked.has(name));
    return scopes.length > 0 ? [{ api, scopes }] : [];
  });
  const all = new Set(having.flatMap(({ scopes }) => scopes));
  const [api, ...others] = having.flatMap(({ api, scopes }) => (scopes.length === all.size ? [api] : []));
  if (having.length === 0) return { outcome: 'none' };
  return api && (others.length === 0 || api.identifier === first)
    ? { outcome: 'one', api }
    : { outcome: 'several', apis: having.map(({ api }) => api) };
}
