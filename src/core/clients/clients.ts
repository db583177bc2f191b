/**
 * Client applications: registering, changing, and their secrets. Who may do so is the caller's business; what a client may
 * be is decided here, by client-metadata.ts and by the engine, at registration and at every change alike. Reading them on the
 * hot path is cached-clients.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import { nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { randomToken } from '../../base/secrets.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { ClientRecord, ClientStore } from '../stores/clients.ts';
import { changedMembers, type MetadataChange, metadataChange, withoutDerived } from './client-changes.ts';
import {
  type Change,
  type ClientCredentials,
  createClientCredentials,
  type Unknown,
  type Updated,
} from './client-credentials.ts';
import type { InvalidMetadata } from './client-metadata.ts';
import { unreviewedMetadata } from './client-policy.ts';
import { needsSecret, newSecret, secretMistake, storedSecret } from './client-secrets.ts';

export type Registered = {
  readonly outcome: 'registered';
  readonly client: ClientRecord;
  readonly secret?: string;
  /** What was sent and is not used (client-metadata). */
  readonly dropped: readonly string[];
};
/** `secret`: one that the change made necessary. `ended`: how many secrets it ended. */
type Patched = Updated & { readonly change: MetadataChange; readonly ended: number };
/** The client has another version than the one that the change was made for. */
type Conflict = { readonly outcome: 'conflict'; readonly version: number };
/** This server makes it at each start, and would undo the change. */
type BuiltIn = { readonly outcome: 'built-in' };
interface Registration {
  readonly origin: ClientRecord['origin'];
  readonly owner: string | null;
  /** Without one the client gets a random one of 128 bits. */
  readonly id?: string;
  /** One made elsewhere, of a client that moves here. Without it one is made, if the client authenticates with a secret. */
  readonly secret?: string;
}

/** Secrets are in the answers of `register`, `update` and `rotateSecret` and nowhere else. All but `find` and `list` throw nothing but `Unavailable`. */
export interface Clients extends ClientCredentials {
  register(input: unknown, registration: Registration): Promise<Registered | InvalidMetadata>;
  /**
   * Replaces the metadata, as RFC 7592, section 2.2 has it: a member that is left out goes back to its default, except
   * `require_pkce` and `id_token_claims`, which stay. A secret is returned where the change made one necessary.
   */
  update(id: string, input: unknown, by: ClientRecord['origin']): Promise<Updated | InvalidMetadata | Unknown>;
  /**
   * Changes part of the metadata: `edit` is given what is stored and returns what should be (a function without effects, called
   * again where another change was first). `ifVersion`: only if the client still has that version. Changes nothing and raises no
   * version where nothing differs.
   */
  patch(id: string, edit: (metadata: JsonObject) => JsonObject, options: PatchOptions): Promise<PatchOutcome>;
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
  /** From the database. */
  find(id: string): Promise<ClientRecord | undefined>;
  /** By id, ascending, those greater than `after` ('' for the first page), at most 1000. */
  list(after: string, limit: number): Promise<ClientRecord[]>;
}

interface PatchOptions {
  readonly by: ClientRecord['origin'];
  readonly ifVersion?: number | undefined;
}
export type PatchOutcome = Patched | InvalidMetadata | Conflict | BuiltIn | Unknown;

interface ClientsDeps {
  readonly stores: { readonly clients: ClientStore };
  /** After a write: has every process take it in. */
  readonly changes: Pick<ChangeLog, 'changed'>;
  /** The engine's own opinion of a client: why it would refuse it, or undefined. */
  readonly checkWithEngine: (metadata: JsonObject, id: string) => Promise<string | undefined>;
  readonly config: {
    readonly issuer: string;
    readonly brandName: string;
    /** Seconds; 0: a rotated secret ends at once. */
    readonly lifetimes: { readonly clientSecretOverlap: number };
  };
}

/** No colon, so it needs no escaping in HTTP Basic; nothing that a URL or a shell would change; no hyphen first, or a command takes it for an option. */
const acceptableId = /^[A-Za-z0-9_][A-Za-z0-9._~-]{0,127}$/;
const attempts = 10;

export function createClients(deps: ClientsDeps): Clients {
  const { changes, checkWithEngine, config } = deps;
  const store = deps.stores.clients;
  const secretOverlapSeconds = config.lifetimes.clientSecretOverlap;
  // People know this server by these names: an unreviewed client must not speak for it.
  const ownNames = [config.brandName, ...hostNames(config.issuer)];

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

  /** Changes the newest version; where another change was first, starts again from its result. */
  const change: Change = async (id, edit) => {
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
  };

  async function nameMistake(name: unknown): Promise<string | undefined> {
    if (typeof name !== 'string') return undefined;
    const { reservedClientName } = await import('./client-names.ts');
    const reason = reservedClientName(name, ownNames);
    return reason === undefined ? undefined : `client_name ${reason}`;
  }

  /** The client with this metadata in place of its own, or why not. */
  async function changed(
    client: ClientRecord,
    input: unknown,
    by: ClientRecord['origin'],
  ): Promise<{ client: ClientRecord; secret: string | undefined; dropped: readonly string[] } | InvalidMetadata> {
    const parsed = await checked(input, client.id, by, client);
    if (parsed.outcome === 'invalid') return parsed;
    const needed = needsSecret(parsed.metadata);
    const secret = needed && client.secrets.length === 0 ? newSecret(nowSeconds()) : undefined;
    // A client that stops using its secrets must not find them valid again years later.
    const secrets = secret ? [secret.stored] : needed ? client.secrets : [];
    const { metadata, dropped } = parsed;
    return {
      client: { ...client, metadata, secrets, reviewedAt: reviewFor(by, client) },
      secret: secret?.value,
      dropped,
    };
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
    async register(input, { origin, owner, id = newId(), secret: given }) {
      if (!acceptableId.test(id))
        return invalid('client_id must be 1 to 128 letters, digits, dots, hyphens, underscores or tildes');
      const parsed = await checked(input, id, origin);
      if (parsed.outcome === 'invalid') return parsed;
      const now = nowSeconds();
      const needed = needsSecret(parsed.metadata);
      const mistake = given === undefined ? undefined : givenSecretMistake(given, needed);
      if (mistake !== undefined) return invalid(`client_secret ${mistake}`);
      const secret =
        given !== undefined ? { value: given, stored: storedSecret(given, now) } : needed ? newSecret(now) : undefined;
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
      return {
        outcome: 'registered',
        client,
        dropped,
        ...(secret && given === undefined ? { secret: secret.value } : {}),
      };
    },

    update: (id, input, by) =>
      change<Updated | InvalidMetadata>(id, async (client) => {
        const made = await changed(client, input, by);
        if ('outcome' in made) return { instead: made };
        return { client: made.client, result: (stored) => updated(stored, made) };
      }),

    patch: (id, edit, { by, ifVersion }) =>
      change<PatchOutcome>(id, async (client) => {
        if (client.origin === 'built-in' && by !== 'built-in') return { instead: { outcome: 'built-in' } };
        if (ifVersion !== undefined && ifVersion !== client.version)
          return { instead: { outcome: 'conflict', version: client.version } };
        const edited = edit(client.metadata);
        // Defaults that a client from before lacks are written out with its first change, and not without one.
        if (isDeepStrictEqual(edited, client.metadata))
          return { instead: { ...updated(client, { dropped: [] }), change: { before: {}, after: {} }, ended: 0 } };
        const made = await changed(client, withoutDerived(client.metadata, edited), by);
        if ('outcome' in made) return { instead: made };
        const difference = metadataChange(client.metadata, made.client.metadata);
        const told = { change: difference, ended: made.client.secrets.length === 0 ? client.secrets.length : 0 };
        if (changedMembers(difference).length === 0)
          return { instead: { ...updated(client, { dropped: made.dropped }), ...told } };
        return { client: made.client, result: (stored) => ({ ...updated(stored, made), ...told }) };
      }),

    ...createClientCredentials(change, secretOverlapSeconds),

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

/**
 * Since when a client is reviewed once `by` has made or changed it. What a person registers or changes is unreviewed until
 * an operator has looked at it. An operator's change of an unreviewed client is not yet a review.
 */
function reviewFor(by: ClientRecord['origin'], previous?: ClientRecord): number | null {
  if (by === 'person') return null;
  return previous === undefined ? nowSeconds() : previous.reviewedAt;
}

function updated(
  client: ClientRecord,
  { secret, dropped }: { secret?: string | undefined; dropped: readonly string[] },
): Updated {
  return { outcome: 'updated', client, dropped, ...(secret === undefined ? {} : { secret }) };
}

function givenSecretMistake(secret: string, needed: boolean): string | undefined {
  return needed ? secretMistake(secret) : 'is for clients that authenticate with a secret: leave it out';
}

function newId(): string {
  for (;;) {
    const id = randomToken(16);
    if (acceptableId.test(id)) return id;
  }
}

function invalid(description: string): InvalidMetadata {
  return { outcome: 'invalid', error: 'invalid_client_metadata', description };
}

/** The digits of an IPv6 address are not read as a name. */
function hostNames(issuer: string): string[] {
  const { hostname } = new URL(issuer);
  return hostname.startsWith('[') ? [] : [hostname];
}
