/**
 * The APIs that tokens are made for (RFC 8707): data, added by an admin, except the user API, which is built in. Reading them
 * never waits: they are in memory, at most a second behind the database (cached-clients.ts).
 */
import { z } from 'zod';
import type { ApiRecord, ApiStore } from './stores.ts';

/** Scopes that speak of a person or of the protocol, and so belong to no API (OpenID Connect Core, sections 3.1.2.1, 5.4 and 11). */
export const identityScopes: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'offline_access',
]);

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
  readonly cached: { apis(): readonly ApiRecord[]; changed(): Promise<void> };
  readonly issuer: string;
}

const text = (most: number, what: string) =>
  z
    .string(`${what} must be a string`)
    .min(1, `${what} must not be empty`)
    .max(most, `${what} must not be longer than ${most} characters`)
    .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), `${what} must not hold control characters`);

const shape = z.object(
  {
    // RFC 8707, section 2: an absolute URI without a fragment. Compared as it is written.
    identifier: text(512, 'identifier').refine(
      (value) =>
        /^[A-Za-z][A-Za-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/.test(value) &&
        !value.includes('#') &&
        URL.canParse(value),
      'identifier must be an absolute URI without a fragment',
    ),
    name: text(100, 'name'),
    scopes: z
      .array(
        z.object(
          {
            // RFC 6749, section 3.3.
            name: text(100, 'a scope name')
              .regex(
                /^[\x21\x23-\x5b\x5d-\x7e]+$/,
                'a scope name must be printable ASCII without spaces, quotes or backslashes',
              )
              .refine((value) => !identityScopes.has(value), 'a scope name must not be one of OpenID Connect'),
            sentence: text(200, 'a scope sentence'),
          },
          'scopes must hold objects with name and sentence',
        ),
        'scopes must be an array',
      )
      .min(1, 'scopes must not be empty')
      .max(200, 'scopes must not have more than 200 members')
      .refine(
        (scopes) => new Set(scopes.map(({ name }) => name)).size === scopes.length,
        'scopes must not name one twice',
      ),
    tokenFormat: z.enum(['jwt', 'opaque'], 'tokenFormat must be jwt or opaque').default('jwt'),
    tokenLifetime: z
      .int('tokenLifetime must be a whole number of seconds')
      .min(1, 'tokenLifetime must be at least 1')
      .max(86_400, 'tokenLifetime must be at most 86400')
      .nullable()
      .default(null),
    introspectors: z
      .array(text(128, 'an introspector'), 'introspectors must be an array of client ids')
      .max(100, 'introspectors must not have more than 100 members')
      .default([]),
  },
  'the API must be a JSON object',
);

export function createApis({ store, cached, issuer }: ApisDeps): Apis {
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
      const parsed = shape.safeParse(input);
      if (!parsed.success)
        return { outcome: 'invalid', description: parsed.error.issues[0]?.message ?? 'the API is not valid' };
      const api = parsed.data;
      // A token for the issuer itself could be taken for one that speaks to this server.
      if (api.identifier === userApi.identifier || api.identifier === issuer) {
        return { outcome: 'invalid', description: 'identifier is taken by the server itself' };
      }
      await store.put(api);
      await cached.changed();
      return { outcome: 'saved', api };
    },
    async remove(identifier) {
      if (identifier === userApi.identifier) return { outcome: 'built-in' };
      if (!(await store.remove(identifier))) return { outcome: 'unknown' };
      await cached.changed();
      return { outcome: 'removed' };
    },
  };
}
