/** Which scopes of which API a client may have, and which API the scopes of a request mean. */
import type { ApiRecord } from '../../core/stores/apis.ts';

/**
 * With a `scope` in its metadata (`registered`) a client may have only those; without one, whatever a person consents to, but
 * nothing of its own.
 * Held scopes are for people with a role that includes them. There are no roles yet: no one is given them.
 */
export function allowedScopes(registered: unknown, api: ApiRecord, machine = false): string[] {
  if (typeof registered !== 'string') return machine ? [] : openScopes(api);
  const names = new Set(registered.split(' '));
  return openScopes(api).filter((name) => names.has(name));
}

export function openScopes({ scopes }: ApiRecord): string[] {
  return scopes.flatMap(({ name, held }) => (held ? [] : [name]));
}

/** What a request for this API without `scope` asks for. */
export function defaultScopes({ scopes }: ApiRecord): string[] {
  return scopes.flatMap((scope) => (scope.default && !scope.held ? [scope.name] : []));
}

export type Meant =
  | { readonly outcome: 'one'; readonly api: ApiRecord }
  /** No API has any of them. */
  | { readonly outcome: 'none' }
  /** They belong to several APIs, or more than one API has them all. */
  | { readonly outcome: 'several'; readonly apis: readonly ApiRecord[] };

/** The API that has all of the scopes which any API has. Where several have them the first one wins if it is `first`. */
export function apiMeant(
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
