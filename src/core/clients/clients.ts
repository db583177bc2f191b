/**
 * Client applications: registration, changes and secrets. The caller decides who may do this. client-metadata.ts and
 * the engine decide what a client may be, at registration and at each change. Hot paths read clients through
 * cached-clients.ts.
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
import { needsSecret, newSecret, secretMistake, storedSecret } from './client-secrets.ts';
import type { InvalidMetadata } from './metadata/client-metadata.ts';
import { type Granted, isOperator, isOperatorMember, unreviewedMetadata } from './metadata/client-policy.ts';

export type Registered = {
  readonly outcome: 'registered';
  readonly client: ClientRecord;
  readonly secret?: string;
  /** Members and values that were sent and are not used (client-metadata). */
  readonly dropped: readonly string[];
};
/** `secret`: made because the change needs one. `ended`: how many secrets the change ended. */
type Patched = Updated & { readonly change: MetadataChange; readonly ended: number };
/** The client's version is not the expected one. */
type Conflict = { readonly outcome: 'conflict'; readonly version: number };
/** The next start of this server would undo the change. */
type BuiltIn = { readonly outcome: 'built-in' };
/** The document at the client's id decides. */
type Described = { readonly outcome: 'described' };
interface Registration {
  readonly origin: ClientRecord['origin'];
  readonly owner: string | null;
  /** Default: a random id of 128 bits. */
  readonly id?: string;
  /** The secret of a client that moves here. Default: a new secret, if the client authenticates with one. */
  readonly secret?: string;
  readonly granted?: Granted;
  /** Stores the client together with rows of the caller, instead of `ClientStore.insert`. */
  readonly insert?: (client: ClientRecord) => Promise<boolean>;
}

/** Only calls that make a secret return one. All methods except `find` and `list` throw only `Unavailable`. */
export interface Clients extends ClientCredentials {
  register(input: unknown, registration: Registration): Promise<Registered | InvalidMetadata>;
  /**
   * Replaces the metadata (RFC 7592, section 2.2): a missing member gets its default, except `require_pkce`,
   * `require_pushed_authorization_requests`, `id_token_claims`, `loopback_ports` and `profile`, which stay. Returns a
   * secret if the change makes one necessary. Without a difference, nothing changes and the version stays.
   */
  update(
    id: string,
    input: unknown,
    by: ClientRecord['origin'],
    options?: UpdateOptions,
  ): Promise<Updated | InvalidMetadata | Unknown>;
  /**
   * Changes part of the metadata. `edit` gets the stored metadata and returns the wanted one; it must be pure, because
   * it runs again if another change was faster. `ifVersion`: only if the client still has that version. Without a
   * difference, nothing changes and the version stays.
   */
  patch(id: string, edit: (metadata: JsonObject) => JsonObject, options: PatchOptions): Promise<PatchOutcome>;
  /** All entry points refuse the client until `enable`. */
  disable(id: string): Promise<Updated | Unknown>;
  /** The client stays refused while its owner's account is disabled: see `disabledAt` of the client. */
  enable(id: string): Promise<Updated | Unknown>;
  /**
   * Marks the client as reviewed by an operator. A second review keeps the first time. A client that a document
   * describes stays unreviewed, because the document can change.
   */
  review(id: string): Promise<Updated | Unknown | Described>;
  /** Revokes the review, also of a client that an operator made. */
  unreview(id: string): Promise<Updated | Unknown>;
  /** Removes the client with its grants, tokens and consents. Returns false if there is none. */
  remove(id: string): Promise<boolean>;
  /** Reads the database. */
  find(id: string): Promise<ClientRecord | undefined>;
  /** In ascending order of ids, those greater than `after` ('' for the first page), at most 1000. */
  list(after: string, limit: number): Promise<ClientRecord[]>;
}

interface Registrant {
  readonly by: ClientRecord['origin'];
  readonly granted?: Granted | undefined;
}

interface UpdateOptions {
  readonly granted?: Granted;
  /** Whether this change ends what people allowed to the client. It ends in the transaction of the change. */
  readonly endsConsents?: (change: MetadataChange) => boolean;
}

interface PatchOptions {
  readonly by: ClientRecord['origin'];
  readonly ifVersion?: number | undefined;
}
export type PatchOutcome = Patched | InvalidMetadata | Conflict | BuiltIn | Described | Unknown;

interface ClientsDeps {
  readonly stores: { readonly clients: ClientStore };
  /** Called after a write, so that all processes take it in. */
  readonly changes: Pick<ChangeLog, 'changed'>;
  /** Why the engine would refuse the client, or undefined. */
  readonly checkWithEngine: (metadata: JsonObject, id: string, reviewed: boolean) => Promise<string | undefined>;
  readonly config: {
    readonly issuer: string;
    readonly brandName: string;
    /** Seconds; 0: a rotated secret ends at once. */
    readonly lifetimes: { readonly clientSecretOverlap: number };
  };
}

/**
 * No colon, so HTTP Basic needs no escaping. Nothing that a URL or a shell would change. No leading hyphen, which a
 * command would read as an option.
 */
const acceptableId = /^[A-Za-z0-9_][A-Za-z0-9._~-]{0,127}$/;
const attempts = 10;

export function createClients(deps: ClientsDeps): Clients {
  const { changes, checkWithEngine, config } = deps;
  const store = deps.stores.clients;
  const secretOverlapSeconds = config.lifetimes.clientSecretOverlap;
  // An unreviewed client must not have the names of this server.
  const ownNames = [config.brandName, ...hostNames(config.issuer)];

  async function checked(input: unknown, id: string, { by, granted }: Registrant, previous?: ClientRecord) {
    // Imported on first use, with its schemas, so that the start does not wait for it.
    const { parseMetadata } = await import('./metadata/client-metadata.ts');
    const reviewed = reviewFor(by, previous) !== null;
    const parsed = parseMetadata(input, {
      by,
      reviewed,
      ...(granted && { granted }),
      ...(previous && { previous: previous.metadata }),
    });
    if (parsed.outcome === 'invalid') return parsed;
    const mistake = reviewed ? undefined : await nameMistake(parsed.metadata.client_name);
    if (mistake !== undefined) return invalid(mistake);
    const refused = await checkWithEngine(parsed.metadata, id, reviewed);
    return refused === undefined ? parsed : invalid(refused);
  }

  /** Changes the newest version, and starts again if another change was faster. */
  const change: Change = async (id, edit) => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const client = await store.find(id);
      if (!client) return { outcome: 'unknown' };
      const edited = await edit(client);
      if ('instead' in edited) return edited.instead;
      const next = { ...edited.client, version: client.version + 1, updatedAt: nowSeconds() };
      if (await store.update(next, { endConsents: edited.endConsents === true })) {
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

  /** The client with this metadata, or why it is invalid. */
  async function changed(
    client: ClientRecord,
    input: unknown,
    registrant: Registrant,
  ): Promise<{ client: ClientRecord; secret: string | undefined; dropped: readonly string[] } | InvalidMetadata> {
    const parsed = await checked(input, client.id, registrant, client);
    if (parsed.outcome === 'invalid') return parsed;
    const needed = needsSecret(parsed.metadata);
    const secret = needed && client.secrets.length === 0 ? newSecret(nowSeconds()) : undefined;
    // If the client uses secrets again later, its old ones must not be valid.
    const secrets = secret ? [secret.stored] : needed ? client.secrets : [];
    const { metadata, dropped } = parsed;
    return {
      client: { ...client, metadata, secrets, reviewedAt: reviewFor(registrant.by, client) },
      secret: secret?.value,
      dropped,
    };
  }

  /** Reads the client again, because the database decides on `disabledAt`. */
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
    async register(input, { origin, owner, id = newId(), secret: given, granted, insert = store.insert }) {
      if (!acceptableId.test(id))
        return invalid('client_id must be 1 to 128 letters, digits, dots, hyphens, underscores or tildes');
      const parsed = await checked(input, id, { by: origin, granted });
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
        document: null,
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      if (!(await insert(client)))
        return invalid(
          (await store.find(id)) ? 'client_id is taken' : 'the account of the owner is disabled or deleted',
        );
      await changes.changed();
      const { dropped } = parsed;
      return {
        outcome: 'registered',
        client,
        dropped,
        ...(secret && given === undefined ? { secret: secret.value } : {}),
      };
    },

    update: (id, input, by, { granted, endsConsents } = {}) =>
      change<Updated | InvalidMetadata>(id, async (client) => {
        const made = await changed(client, input, { by, granted });
        if ('outcome' in made) return { instead: made };
        if (isDeepStrictEqual(made.client, client)) return { instead: updated(client, { dropped: made.dropped }) };
        const endConsents = endsConsents?.(metadataChange(client.metadata, made.client.metadata)) ?? false;
        return { client: made.client, endConsents, result: (stored) => updated(stored, made) };
      }),

    patch: (id, edit, { by, ifVersion }) =>
      change<PatchOutcome>(id, async (client) => {
        if (client.origin === 'built-in' && by !== 'built-in') return { instead: { outcome: 'built-in' } };
        if (ifVersion !== undefined && ifVersion !== client.version)
          return { instead: { outcome: 'conflict', version: client.version } };
        const edited = edit(client.metadata);
        // The first real change of an older client stores the defaults that it lacks; an empty change does not.
        if (isDeepStrictEqual(edited, client.metadata))
          return { instead: { ...updated(client, { dropped: [] }), change: { before: {}, after: {} }, ended: 0 } };
        const made = await changed(client, withoutDerived(client.metadata, edited), { by });
        if ('outcome' in made) return { instead: made };
        const difference = metadataChange(client.metadata, made.client.metadata);
        if (client.origin === 'metadata' && !changedMembers(difference).every(isOperatorMember))
          return { instead: { outcome: 'described' } };
        const effect = { change: difference, ended: made.client.secrets.length === 0 ? client.secrets.length : 0 };
        if (changedMembers(difference).length === 0)
          return { instead: { ...updated(client, { dropped: made.dropped }), ...effect } };
        return { client: made.client, result: (stored) => ({ ...updated(stored, made), ...effect }) };
      }),

    ...createClientCredentials(change, secretOverlapSeconds),

    disable: (id) => switchTo(id, () => ({ ownDisabledAt: nowSeconds() })),
    enable: (id) => switchTo(id, () => ({ ownDisabledAt: null })),
    async review(id) {
      if ((await store.find(id))?.origin === 'metadata') return { outcome: 'described' };
      return switchTo(id, ({ reviewedAt }) => ({ reviewedAt: reviewedAt ?? nowSeconds() }));
    },
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
 * When the client was reviewed, after `by` has registered or changed it. What a person or the client itself makes or
 * changes is unreviewed until an operator reviews it. An operator's change of an unreviewed client is not a review.
 */
function reviewFor(by: ClientRecord['origin'], previous?: ClientRecord): number | null {
  if (!isOperator(by)) return null;
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

/** An IPv6 address is not a name. */
function hostNames(issuer: string): string[] {
  const { hostname } = new URL(issuer);
  return hostname.startsWith('[') ? [] : [hostname];
}
