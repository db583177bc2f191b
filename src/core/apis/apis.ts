/**
 * The APIs (resource servers) that tokens are issued for (RFC 8707). An admin adds them, except the built-in user API.
 * Reads never wait: the APIs are in memory, at most a second behind the database (cached-clients.ts).
 */

import type { ChangeLog } from '../changes/change-log.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import type { ApiRecord, ApiStore } from '../stores/apis.ts';
import { comparable } from './api-identifier.ts';

type ApiSaved = { readonly outcome: 'saved'; readonly api: ApiRecord };
type InvalidApi = { readonly outcome: 'invalid'; readonly description: string };

export interface Apis {
  /** Accepts any spelling of the identifier (core/apis/api-identifier). */
  find(identifier: string): ApiRecord | undefined;
  /** The user API comes first. */
  list(): readonly ApiRecord[];
  /** Adds or replaces an API. Throws `Unavailable`. */
  add(input: unknown): Promise<ApiSaved | InvalidApi>;
  /**
   * Saves the result of `edit` and keeps concurrent changes. `edit` may run again, and may throw. Throws `Unavailable`.
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

/** The `aud` member that lets a token for an API also be used at the userinfo endpoint. It names no API. */
export function userinfoAudience(issuer: string): string {
  return `${issuer}/userinfo`;
}

/**
 * The scopes that a client may have. With a `scope` in its metadata (`registered`), only those. Without one, everything
 * that a user consents to, but nothing for the client itself. Held scopes need a role; there are no roles yet, so they
 * are never granted.
 */
export function allowedScopes(registered: unknown, api: ApiRecord, machine = false): string[] {
  if (typeof registered !== 'string') return machine ? [] : openScopes(api);
  const names = new Set(registered.split(' '));
  return openScopes(api).filter((name) => names.has(name));
}

export function openScopes({ scopes }: ApiRecord): string[] {
  return scopes.flatMap(({ name, held }) => (held ? [] : [name]));
}

/** The scopes of a request for this API without `scope`. */
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
    mcpServer: false,
  };
  // A token for the issuer itself could be mistaken for one that this server's own endpoints accept.
  const taken = new Set([issuer, userinfoAudience(issuer), userApi.identifier].map(comparable));
  let source: readonly ApiRecord[] | undefined;
  let all: ReadonlyMap<string, ApiRecord> = new Map();
  let spelled: ReadonlyMap<string, ApiRecord> = new Map();

  function current(): ReadonlyMap<string, ApiRecord> {
    const stored = cached.apis();
    if (stored !== source) {
      // The built-in API is set last, so that no row in the database can replace it; `list` shows it first.
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
    // Imported on first use, with its schemas, so that the start does not wait for it.
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
      if (taken.has(comparable(identifier))) return invalid('identifier is reserved for this server');
      const other = (await store.list()).find((api) => comparable(api.identifier) === comparable(identifier));
      if (other && other.identifier !== identifier)
        return invalid(`identifier names the same API as ${other.identifier}`);
      // A resource server that accepts tokens for the client would accept tokens for the API.
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
