/**
 * Client applications: registering, changing, and their secrets. Who may do so is the caller's business; what a client may
 * be is decided here, by client-metadata.ts and by the engine, at registration and at every change alike. Reading them on the
 * hot path is cached-clients.ts.
 */
import { nowSeconds } from '../base/clock.ts';
import { Unavailable } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { digest, randomToken, sameSecret } from '../base/secrets.ts';
import type { ChangeLog } from './change-log.ts';
import type { InvalidMetadata } from './client-metadata.ts';
import { unreviewedMetadata } from './client-policy.ts';
import { clientTokensMax, newClientToken } from './client-tokens.ts';
import type { ClientRecord, ClientSecret, ClientStore, ClientToken } from './stores/clients.ts';

export type Registered = {
  readonly outcome: 'registered';
  readonly client: ClientRecord;
  readonly secret?: string;
  /** What was sent and is not used (client-metadata). */
  readonly dropped: readonly string[];
};
export type Updated = {
  readonly outcome: 'updated';
  readonly client: ClientRecord;
  readonly secret?: string;
  /** Of a change of metadata: what was sent and is not used. */
  readonly dropped?: readonly string[];
};
export type Rotated = { readonly outcome: 'rotated'; readonly client: ClientRecord; readonly secret: string };
export type Unknown = { readonly outcome: 'unknown' };
/** `value` is shown once. */
export type TokenIssued = {
  readonly outcome: 'issued';
  readonly client: ClientRecord;
  readonly token: ClientToken;
  readonly value: string;
};
export type TooManyTokens = { readonly outcome: 'too-many' };
/** The client authenticates without a secret. */
export type Secretless = { readonly outcome: 'secretless' };

export interface Registration {
  readonly origin: ClientRecord['origin'];
  readonly owner: string | null;
  /** Without one the client gets a random one of 128 bits. */
  readonly id?: string;
}

/** Secrets are in the answers of `register`, `update` and `rotateSecret` and nowhere else. All but `find` and `list` throw nothing but `Unavailable`. */
export interface Clients {
  register(input: unknown, registration: Registration): Promise<Registered | InvalidMetadata>;
  /**
   * Replaces the metadata, as RFC 7592, section 2.2 has it: a member that is left out goes back to its default, except
   * `require_pkce` and `id_token_claims`, which stay. A secret is returned where the change made one necessary.
   */
  update(id: string, input: unknown, by: ClientRecord['origin']): Promise<Updated | InvalidMetadata | Unknown>;
  /** The old secret goes on working for the overlap. */
  rotateSecret(id: string): Promise<Rotated | Secretless | Unknown>;
  /** Refused at every door until `enable`. */
  disable(id: string): Promise<Updated | Unknown>;
  /** While its owner's account is disabled it stays refused: see `disabledAt` of the client. */
  enable(id: string): Promise<Updated | Unknown>;
  /** An operator has looked at it. Reviewing twice keeps the first time. */
  review(id: string): Promise<Updated | Unknown>;
  /** Takes the review back, also from a client that an operator made. */
  unreview(id: string): Promise<Updated | Unknown>;
  /** Removes it with its grants, tokens and consents; false where there is none. */
  remove(id: string): Promise<boolean>;
  /** A token for a program without a person (core/client-tokens); it works until it is revoked, or for `lifetime` seconds. */
  issueToken(
    id: string,
    options: { label: string; lifetime: number | null },
  ): Promise<TokenIssued | TooManyTokens | Unknown>;
  /** Ends the token and the sessions that were opened with it. */
  revokeToken(id: string, tokenId: string): Promise<Updated | Unknown>;
  /** From the database. */
  find(id: string): Promise<ClientRecord | undefined>;
  /** By id, ascending, those greater than `after` ('' for the first page), at most 1000. */
  list(after: string, limit: number): Promise<ClientRecord[]>;
}

export interface ClientsDeps {
  readonly store: ClientStore;
  /** After a write: has every process take it in. */
  readonly changes: Pick<ChangeLog, 'changed'>;
  /** The engine's own opinion of a client: why it would refuse it, or undefined. */
  readonly checkWithEngine: (metadata: JsonObject, id: string) => Promise<string | undefined>;
  /** 0: a rotated secret ends at once. */
  readonly secretOverlapSeconds: number;
  /** By which people know this server: an unreviewed client must not speak for it. */
  readonly ownNames: readonly string[];
}

/** No colon, so it needs no escaping in HTTP Basic; nothing that a URL or a shell would change; no hyphen first, or a command takes it for an option. */
const acceptableId = /^[A-Za-z0-9_][A-Za-z0-9._~-]{0,127}$/;
const attempts = 10;

export function createClients(deps: ClientsDeps): Clients {
  const { store, changes, checkWithEngine, secretOverlapSeconds } = deps;

  async function checked(input: unknown, id: string, by: ClientRecord['origin'], previous?: ClientRecord) {
    // Loaded when it is first needed, with the schemas behind it: a start does not wait for them.
    const { parseMetadata } = await import('./client-metadata.ts');
    const reviewed = reviewFor(by, previous) !== null;
    const parsed = parseMetadata(input, { by, reviewed, ...(previous && { previous: previous.metadata }) });
    if (parsed.outcome === 'invalid') return parsed;
    const mistake = reviewed ? undefined : await nameMistake(parsed.metadata.client_name);
    if (mistake !== undefined) return invalid(mistake);
    const refused = await checkWithEngine(parsed.metadata, id);
    return refused === undefined ? parsed : invalid(refused);
  }

  /** Changes the newest version; if somebody else was first, starts again from theirs. */
  async function change<R>(
    id: string,
    edit: (
      client: ClientRecord,
    ) => Promise<{ client: ClientRecord; result: (stored: ClientRecord) => R } | { instead: R }>,
  ): Promise<R | Unknown> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const client = await store.find(id);
      if (!client) return { outcome: 'unknown' };
      const edited = await edit(client);
      if ('instead' in edited) return edited.instead;
      const next = { ...edited.client, version: client.version + 1, updatedAt: nowSeconds() };
      if (await store.update(next)) {
        await changes.changed();
        return edited.result(next);
      }
    }
    throw new Unavailable('busy');
  }

  async function nameMistake(name: unknown): Promise<string | undefined> {
    if (typeof name !== 'string') return undefined;
    const { reservedClientName } = await import('./client-names.ts');
    const reason = reservedClientName(name, deps.ownNames);
    return reason === undefined ? undefined : `client_name ${reason}`;
  }

  /** Read again: what a change makes of `disabledAt` is the database's to say. */
  async function switchTo(
    id: string,
    part: (client: ClientRecord) => Partial<ClientRecord>,
  ): Promise<Updated | Unknown> {
    const changed = await change<Updated>(id, async (client) => ({
      client: { ...client, ...part(client) },
      result: (stored) => ({ outcome: 'updated', client: stored }),
    }));
    if (changed.outcome === 'unknown') return changed;
    return { outcome: 'updated', client: (await store.find(id)) ?? changed.client };
  }

  return {
    async register(input, { origin, owner, id = newId() }) {
      if (!acceptableId.test(id))
        return invalid('client_id must be 1 to 128 letters, digits, dots, hyphens, underscores or tildes');
      const parsed = await checked(input, id, origin);
      if (parsed.outcome === 'invalid') return parsed;
      const now = nowSeconds();
      const secret = needsSecret(parsed.metadata) ? newSecret(now) : undefined;
      const client: ClientRecord = {
        id,
        metadata: parsed.metadata,
        secrets: secret ? [secret.stored] : [],
        tokens: [],
        owner,
        origin,
        reviewedAt: reviewFor(origin),
        disabledAt: null,
        ownDisabledAt: null,
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      if (!(await store.insert(client)))
        return invalid((await store.find(id)) ? 'client_id is taken' : 'the account of the owner is disabled or gone');
      await changes.changed();
      const { dropped } = parsed;
      return { outcome: 'registered', client, dropped, ...(secret ? { secret: secret.value } : {}) };
    },

    update: (id, input, by) =>
      change<Updated | InvalidMetadata>(id, async (client) => {
        const parsed = await checked(input, id, by, client);
        if (parsed.outcome === 'invalid') return { instead: parsed };
        const needed = needsSecret(parsed.metadata);
        const secret = needed && client.secrets.length === 0 ? newSecret(nowSeconds()) : undefined;
        // A client that stops using its secrets must not find them valid again years later.
        const secrets = secret ? [secret.stored] : needed ? client.secrets : [];
        return {
          client: { ...client, metadata: parsed.metadata, secrets, reviewedAt: reviewFor(by, client) },
          result: (stored) => ({
            outcome: 'updated',
            client: stored,
            dropped: parsed.dropped,
            ...(secret ? { secret: secret.value } : {}),
          }),
        };
      }),

    rotateSecret: (id) =>
      change<Rotated | Secretless>(id, async (client) => {
        if (!needsSecret(client.metadata)) return { instead: { outcome: 'secretless' } };
        const now = nowSeconds();
        const secret = newSecret(now);
        const [newest] = client.secrets;
        const end = Math.min(newest?.expiresAt ?? Number.POSITIVE_INFINITY, now + secretOverlapSeconds);
        const kept = newest && end > now ? [{ ...newest, expiresAt: end }] : [];
        return {
          client: { ...client, secrets: [secret.stored, ...kept] },
          result: (stored) => ({ outcome: 'rotated', client: stored, secret: secret.value }),
        };
      }),

    issueToken: (id, { label, lifetime }) =>
      change<TokenIssued | TooManyTokens>(id, async (client) => {
        const now = nowSeconds();
        const live = client.tokens.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
        if (live.length >= clientTokensMax) return { instead: { outcome: 'too-many' } };
        const { value, stored: token } = newClientToken(id, { label, lifetime, now });
        return {
          client: { ...client, tokens: [token, ...live] },
          result: (stored) => ({ outcome: 'issued', client: stored, token, value }),
        };
      }),

    revokeToken: (id, tokenId) =>
      change<Updated | Unknown>(id, async (client) => {
        const tokens = client.tokens.filter((token) => token.id !== tokenId);
        if (tokens.length === client.tokens.length) return { instead: { outcome: 'unknown' } };
        return { client: { ...client, tokens }, result: (stored) => ({ outcome: 'updated', client: stored }) };
      }),

    disable: (id) => switchTo(id, () => ({ ownDisabledAt: nowSeconds() })),
    enable: (id) => switchTo(id, () => ({ ownDisabledAt: null })),
    review: (id) => switchTo(id, ({ reviewedAt }) => ({ reviewedAt: reviewedAt ?? nowSeconds() })),
    unreview: (id) => switchTo(id, ({ metadata }) => ({ reviewedAt: null, metadata: unreviewedMetadata(metadata) })),

    async remove(id) {
      const removed = await store.delete(id);
      if (removed) await changes.changed();
      return removed;
    },

    find: (id) => store.find(id),
    list: (after, limit) => store.list(after, limit),
  };
}

/** Compares with every secret the client has, so that the time does not tell which one it was. Pure; `now` in seconds. */
export function verifySecret(client: Pick<ClientRecord, 'secrets'>, presented: string, now: number): boolean {
  const hash = digest(presented);
  let matches = false;
  for (const secret of client.secrets) {
    const same = sameSecret(hash, secret.hash);
    const live = secret.expiresAt === null || now < secret.expiresAt;
    matches = (same && live) || matches;
  }
  return matches;
}

/**
 * Since when a client is reviewed once `by` has made or changed it. What a person registers or changes is unreviewed until
 * an operator has looked at it. An operator's change of an unreviewed client is not yet a review.
 */
function reviewFor(by: ClientRecord['origin'], previous?: ClientRecord): number | null {
  if (by === 'person') return null;
  return previous === undefined ? nowSeconds() : previous.reviewedAt;
}

/** Basic and post are one method here, so either needs a secret. */
function needsSecret(metadata: JsonObject): boolean {
  const method = metadata.token_endpoint_auth_method;
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

function newId(): string {
  for (;;) {
    const id = randomToken(16);
    if (acceptableId.test(id)) return id;
  }
}

function newSecret(now: number): { value: string; stored: ClientSecret } {
  const value = randomToken(32);
  return { value, stored: { hash: digest(value), createdAt: now, expiresAt: null } };
}

function invalid(description: string): InvalidMetadata {
  return { outcome: 'invalid', error: 'invalid_client_metadata', description };
}
