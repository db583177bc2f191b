/**
 * Parameters of a request as the engine will read them: the APIs by the identifiers they are registered under, also where they come
 * as `audience`, and default scopes. What is wrong in itself is left for the engine to refuse.
 */
import type { ParsedUrlQuery } from 'node:querystring';
import { type Apis, defaultScopes } from '../../core/apis/apis.ts';
import { userScope } from './resources.ts';
import { engineScopes } from './scopes.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Parameters that need `openid`: the engine looks at them before anything could be said of the scope. */
const ofOpenid = ['acr_values', 'claims', 'claims_locales', 'id_token_hint', 'max_age', 'nonce'] as const;

/** Of an authorization request. The same object where nothing is to be changed. */
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

/** The scopes that a request for these APIs, or for none, asks for by saying nothing. */
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

/** Of a token request: the body of its form. */
export function tokenForm(form: string, apis: Apis): string {
  if (!/(^|&)(resource|audience)=/.test(form)) return form;
  const pairs = form.split('&').map((text) => ({ text, pair: [...new URLSearchParams(text)][0] }));
  const isName = (name: string | undefined) => name === 'resource' || name === 'audience';
  if (pairs.some(({ pair }) => pair?.[0] === 'grant_type' && pair[1] === tokenExchange)) return form;
  const values = pairs.flatMap(({ pair }) => (isName(pair?.[0]) ? [pair?.[1]] : []));
  const others = pairs.flatMap(({ text, pair }) => (isName(pair?.[0]) ? [] : [text]));
  return [...others, ...identifiersOf(values, apis).map((value) => `resource=${encodeURIComponent(value)}`)].join('&');
}

/** Each once, as it is registered. A URI holds no space, so that a list of them in one value is one. */
function identifiersOf(values: readonly (string | undefined)[], apis: Apis): string[] {
  const all = values.flatMap((value) => value?.split(' ') ?? []).filter((value) => value !== '');
  return [...new Set(all.map((value) => apis.find(value)?.identifier ?? value))];
}
