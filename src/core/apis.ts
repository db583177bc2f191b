/**
 * The APIs that tokens are made for (RFC 8707): data, added by an admin, except the user API, which is built in. Reading them
 * never waits: they are in memory, at most a second behind the database (cached-clients.ts).
 */
import type { CachedClients } from './cached-clients.ts';
import type { ChangeLog } from './change-log.ts';
import type { ApiRecord, ApiStore } from './stores/apis.ts';

export interface Apis {
  find(identifier: string): ApiRecord | undefined;
  /** The user API first. */
  list(): readonly ApiRecord[];
  /** Adds or replaces. Throws `Unavailable`. */
  add(input: unknown): Promise<{ outcome: 'saved'; api: ApiRecord } | { outcome: 'invalid'; description: string }>;
  remove(identifier: string): Promise<{ outcome: 'removed' | 'unknown' | 'built-in' }>;
}

export interface ApisDeps {
  readonly store: ApiStore;
  readonly cached: Pick<CachedClients, 'apis'>;
  readonly changes: Pick<ChangeLog, 'changed'>;
  readonly issuer: string;
}

export function createApis({ store, cached, changes, issuer }: ApisDeps): Apis {
  const userApi: ApiRecord = {
    identifier: `${issuer}/user`,
    name: 'Your account',
    scopes: [{ name: 'user', sentence: 'See your name, your username and your e-mail address.' }],
    tokenFormat: 'jwt',
    tokenLifetime: null,
    introspectors: [],
  };
  let source: readonly ApiRecord[] | undefined;
  let all: ReadonlyMap<string, ApiRecord> = new Map();

  function current(): ReadonlyMap<string, ApiRecord> {
    const stored = cached.apis();
    if (stored !== source) {
      // The built-in one last, so that no row in the database can take its place; `list` puts it first.
      all = new Map([userApi, ...stored, userApi].map((api) => [api.identifier, api]));
      source = stored;
    }
    return all;
  }

  return {
    find: (identifier) => current().get(identifier),
    list: () => [...current().values()],
    async add(input) {
      // Loaded when it is first needed, with the schemas behind it: a start does not wait for them.
      const { apiShape } = await import('./api-shape.ts');
      const parsed = apiShape.safeParse(input);
      if (!parsed.success)
        return { outcome: 'invalid', description: parsed.error.issues[0]?.message ?? 'the API is not valid' };
      const api = parsed.data;
      // A token for the issuer itself could be taken for one that speaks to this server.
      if (api.identifier === userApi.identifier || api.identifier === issuer) {
        return { outcome: 'invalid', description: 'identifier is taken by the server itself' };
      }
      await store.put(api);
      await changes.changed();
      return { outcome: 'saved', api };
    },
    async remove(identifier) {
      if (identifier === userApi.identifier) return { outcome: 'built-in' };
      if (!(await store.remove(identifier))) return { outcome: 'unknown' };
      await changes.changed();
      return { outcome: 'removed' };
    },
  };
}
