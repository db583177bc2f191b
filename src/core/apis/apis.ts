/**
 * The APIs that tokens are made for (RFC 8707): data, added by an admin, except the user API, which is built in. Reading them
 * never waits: they are in memory, at most a second behind the database (cached-clients.ts).
 */

import type { ChangeLog } from '../changes/change-log.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import type { ApiRecord, ApiStore } from '../stores/apis.ts';
import { comparable } from './api-identifier.ts';

type ApiSaved = { readonly outcome: 'saved'; readonly api: ApiRecord };
type InvalidApi = { readonly outcome: 'invalid'; readonly description: string };

export interface Apis {
  /** In any spelling of its identifier (core/apis/api-identifier). */
  find(identifier: string): ApiRecord | undefined;
  /** The user API first. */
  list(): readonly ApiRecord[];
  /** Adds or replaces. Throws `Unavailable`. */
  add(input: unknown): Promise<ApiSaved | InvalidApi>;
  /**
   * Saves what `edit` makes of the stored API; what others have changed until then stays. `edit` may be called again, and may throw.
   * Throws `Unavailable`.
   */
  update(
    identifier: string,
    edit: (api: ApiRecord) => unknown,
  ): Promise<ApiSaved | InvalidApi | { outcome: 'unknown' | 'built-in' }>;
  remove(identifier: string): Promise<{ outcome: 'removed' | 'unknown' | 'built-in' }>;
}

interface ApisDeps {
  readonly store: ApiStore;
  readonly cached: Pick<CachedClients, 'apis' | 'find'>;
  readonly changes: Pick<ChangeLog, 'changed'>;
  readonly issuer: string;
}

/** In the `aud` of a token that the userinfo endpoint takes beside an API. It names no API. */
export function userinfoAudience(issuer: string): string {
  return `${issuer}/userinfo`;
}

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

export function createApis({ store, cached, changes, issuer }: ApisDeps): Apis {
  const userApi: ApiRecord = {
    identifier: `${issuer}/user`,
    name: 'Your account',
    scopes: [
      {
        name: 'user',
        sentence: 'See your name, your username and your e-mail address.',
        default: true,
        optional: false,
        held: false,
        bearer: true,
      },
    ],
    tokenFormat: 'jwt',
    tokenTyp: 'at+jwt',
    signingAlg: 'ES256',
    tokenLifetime: null,
    introspectors: [],
  };
  // A token for the issuer itself could be taken for one that speaks to this server.
  const taken = new Set([issuer, userinfoAudience(issuer), userApi.identifier].map(comparable));
  let source: readonly ApiRecord[] | undefined;
  let all: ReadonlyMap<string, ApiRecord> = new Map();
  let spelled: ReadonlyMap<string, ApiRecord> = new Map();

  function current(): ReadonlyMap<string, ApiRecord> {
    const stored = cached.apis();
    if (stored !== source) {
      // The built-in one last, so that no row in the database can take its place; `list` puts it first.
      all = new Map([userApi, ...stored, userApi].map((api) => [api.identifier, api]));
      spelled = new Map([...all.values()].reverse().map((api) => [comparable(api.identifier), api]));
      source = stored;
    }
    return all;
  }

  function find(identifier: string): ApiRecord | undefined {
    return current().get(identifier) ?? spelled.get(comparable(identifier));
  }

  async function parse(): Promise<(input: unknown) => ApiSaved | InvalidApi> {
    // Loaded when it is first needed, with the schemas behind it: a start does not wait for them.
    const { apiShape } = await import('./api-shape.ts');
    return (input) => {
      const parsed = apiShape.safeParse(input);
      if (parsed.success) return { outcome: 'saved', api: parsed.data };
      return invalid(parsed.error.issues[0]?.message ?? 'the API is not valid');
    };
  }

  return {
    find,
    list: () => [...current().values()],

    async add(input) {
      const parsed = (await parse())(input);
      if (parsed.outcome === 'invalid') return parsed;
      const { identifier } = parsed.api;
      if (taken.has(comparable(identifier))) return invalid('identifier is taken by the server itself');
      const other = (await store.list()).find((api) => comparable(api.identifier) === comparable(identifier));
      if (other && other.identifier !== identifier)
        return invalid(`identifier names the same API as ${other.identifier}`);
      // Whatever takes tokens for the one would take those of the other.
      if (await cached.find(identifier)) return invalid('identifier is the id of a client');
      await store.put(parsed.api);
      await changes.changed();
      return parsed;
    },

    async update(identifier, edit) {
      const known = find(identifier);
      if (known === userApi) return { outcome: 'built-in' };
      const check = await parse();
      let mistake: InvalidApi | undefined;
      const api = await store.update(known?.identifier ?? identifier, (before) => {
        mistake = undefined;
        const parsed = check(edit(before));
        if (parsed.outcome === 'saved' && parsed.api.identifier === before.identifier) return parsed.api;
        mistake = parsed.outcome === 'invalid' ? parsed : invalid('identifier cannot be changed');
        return undefined;
      });
      if (mistake) return mistake;
      if (!api) return { outcome: 'unknown' };
      await changes.changed();
      return { outcome: 'saved', api };
    },

    async remove(identifier) {
      const known = find(identifier);
      if (known === userApi) return { outcome: 'built-in' };
      if (!(await store.remove(known?.identifier ?? identifier))) return { outcome: 'unknown' };
      await changes.changed();
      return { outcome: 'removed' };
    },
  };
}

function invalid(description: string): InvalidApi {
  return { outcome: 'invalid', description };
}
