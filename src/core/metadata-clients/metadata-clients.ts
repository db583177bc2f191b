/**
 * Clients that are described by the document at their id, so no one registers them.
 *
 *   find(id) -> a stored row, or a copy in memory -> still fresh: done
 *            -> else fetch, shared by all who wait -> read -> kept in memory, or written to the row
 *
 * A row is stored when a person consents (`keep`), so that addresses which strangers make up fill no table. From then
 * on the client has all that others have: copies follow the change log, grants and tokens refer to the row.
 *
 * The last good copy serves for a day after faults that pass (network, 403, 429, 5xx). After 404, 410, a refused
 * address or an invalid document the client is refused at once, as a disabled one is, until a good document is back.
 */
import { nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { createLru } from '../../base/lru.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { CachedClients } from '../clients/cached-clients.ts';
import { changedMembers, metadataChange, recordChange } from '../clients/client-changes.ts';
import { withinCeiling } from '../clients/metadata/scope-ceiling.ts';
import type { Audit } from '../kernel/audit.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { Outgoing, OutgoingAnswer } from '../outgoing/outgoing.ts';
import type { ClientDocument, ClientRecord, ClientStore } from '../stores/clients.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';
import { readDocument } from './document.ts';
import { documentUrlMistake, isDocumentUrl } from './document-url.ts';
import { freshFor } from './lifetime.ts';

export interface MetadataClients {
  /**
   * For an id that is the address of a document. A copy that is due is fetched again in the background. Returns a
   * disabled client after its document has ended. `address`: of the caller, whose fetches are limited. Throws
   * `Unavailable`.
   */
  find(id: string, address?: string): Promise<ClientRecord | undefined>;
  /** As `find`, but waits for a document that is due. */
  current(id: string, address: string | undefined): Promise<ClientRecord | undefined>;
  /** Why there is no such client, or why it is refused, in one sentence; as of the last look. */
  why(id: string): string | undefined;
  /** Stores the client. Call it before anything refers to it. Throws `Unavailable`. */
  keep(client: ClientRecord): Promise<void>;
  /** An operator's copy of the document: it is used instead of what its address serves. Throws `Unavailable`. */
  pin(id: string, document: JsonObject): Promise<Pinned>;
  /** From now on the document is fetched again. Returns false if no copy is pinned. Throws `Unavailable`. */
  unpin(id: string): Promise<boolean>;
}

type Pinned =
  | { readonly outcome: 'pinned'; readonly client: ClientRecord }
  | { readonly outcome: 'invalid'; readonly reason: string };

interface MetadataClientsDeps {
  readonly stored: Pick<CachedClients, 'find'>;
  readonly stores: { readonly clients: Pick<ClientStore, 'find' | 'insert' | 'update'> };
  readonly changes: Pick<ChangeLog, 'changed'>;
  readonly outgoing: Outgoing;
  readonly throttle: Throttle;
  readonly audit: Pick<Audit, 'record' | 'note'>;
  readonly config: {
    readonly issuer: string;
    readonly brandName: string;
    readonly protocol: { readonly mcp: boolean };
    /** The ceiling of scopes for all clients that no operator has registered. */
    readonly registration: { readonly scopes: readonly string[] | undefined };
  };
}

const maxBytes = 65_536;
const timeoutMs = 5000;
/** Seconds for which a copy serves without a good answer. */
const lastCopyLasts = 86_400;
/** Seconds until the next fetch after one without success: for a stored client, and for others. */
const retryKnown = 60;
const retryUnknown = 10;
/** Fetches in a minute: for one caller's network, from one host, and in all. */
const limits = { network: 200, host: 500, all: 2000 };
/** Documents of at most 64 KiB, so copies in memory take 25 MB at the very most. */
const copiesMax = 200;

/** What a look found: a client, or the reason why there is none. */
type Found = { readonly client: ClientRecord } | { readonly reason: string };
type Copy = ClientRecord & { readonly document: ClientDocument };

export function createMetadataClients(deps: MetadataClientsDeps): MetadataClients {
  const { stored, stores, changes, outgoing, throttle, audit, config } = deps;
  const copies = createLru<Copy>(copiesMax);
  /** Ids that were not fetched with success: no fetch until then. */
  const holds = createLru<{ readonly until: number; readonly reason: string }>(10_000);
  const fetches = new Map<string, Promise<Found>>();
  const ownNames = [config.brandName, new URL(config.issuer).hostname];

  async function known(id: string): Promise<Copy | undefined> {
    const row = await stored.find(id);
    if (!row) return copies.get(id);
    return hasDocument(row) ? row : { ...row, document: never };
  }

  /** One fetch for all who wait. The first caller's network is the one that counts. */
  function look(id: string, copy: Copy | undefined, network: string | undefined): Promise<Found> {
    const running = fetches.get(id);
    if (running !== undefined) return running;
    const hold = holds.get(id);
    if (hold && nowSeconds() < hold.until) return Promise.resolve(copy ? { client: copy } : { reason: hold.reason });
    const fetched = fetchAndTake(id, copy, network).finally(() => fetches.delete(id));
    fetches.set(id, fetched);
    return fetched;
  }

  async function fetchAndTake(id: string, copy: Copy | undefined, network: string | undefined): Promise<Found> {
    if (!(await mayFetch(id, network))) {
      const reason = 'Too many documents are fetched at the moment. Try again in a minute.';
      holds.set(id, { until: 0, reason });
      return copy ? { client: copy } : { reason };
    }
    const answer = await outgoing.fetch({
      url: id,
      purpose: 'metadata document',
      reviewed: false,
      headers: { accept: 'application/json' },
      maxBytes,
      timeoutMs,
    });
    const result = await judged(id, answer, copy);
    if (result.outcome === 'good') {
      holds.delete(id);
      return { client: await take(copy, result.client) };
    }
    const wait = copy && copy.version > 0 ? retryKnown : retryUnknown;
    holds.set(id, { until: nowSeconds() + wait, reason: result.reason });
    return copy ? { client: await take(copy, failed(copy, result)) } : { reason: result.reason };
  }

  async function mayFetch(id: string, network: string | undefined): Promise<boolean> {
    const keys = [
      // Look-ups that know no caller share one limit.
      { key: `documents-for:${network ?? ''}`, limit: limits.network },
      { key: `documents-of:${new URL(id).host}`, limit: limits.host },
      { key: 'documents', limit: limits.all },
    ];
    return (await throttle.attempt(keys, 60)).allowed;
  }

  async function judged(id: string, answer: OutgoingAnswer, copy: Copy | undefined): Promise<Judged> {
    if (answer.outcome === 'refused') return { outcome: 'ended', reason: answer.reason };
    if (answer.outcome === 'failed') return { outcome: 'passing', reason: answer.reason };
    const { status, headers, body } = answer;
    const reason = `The address of the document answered with status ${status}.`;
    if (status === 403 || status === 408 || status === 429 || status >= 500) return { outcome: 'passing', reason };
    if (status !== 200) return { outcome: 'ended', reason };
    const source = { url: id, contentType: headers['content-type'] ?? '', body };
    const read = await readDocument(source, { previous: copy?.metadata, ownNames });
    if (read.outcome === 'invalid') return { outcome: 'ended', reason: read.reason };
    const now = nowSeconds();
    const document = { fetchedAt: now, freshUntil: now + freshFor(headers, now), failingSince: null, ended: null };
    const client = { ...(copy ?? created(id, now)), metadata: read.metadata, document };
    return { outcome: 'good', client: { ...withinCeiling(client, config.registration.scopes), document } };
  }

  /** Writes the row if there is one, or keeps the copy in memory. Returns the newest state. */
  async function take(before: Copy | undefined, next: Copy): Promise<Copy> {
    if (!before || next === before || before.version === 0) {
      copies.set(next.id, next);
      return next;
    }
    const row = { ...next, version: before.version + 1, updatedAt: nowSeconds() };
    const isWritten = await stores.clients.update(row);
    await changes.changed();
    if (isWritten) {
      await report(before, row);
      return row;
    }
    // Another process was faster, or an operator changed the client: what they wrote counts, and is fetched when due.
    return (await known(next.id)) ?? next;
  }

  async function report(before: Copy, after: Copy): Promise<void> {
    const change = metadataChange(before.metadata, after.metadata);
    if (changedMembers(change).length > 0) await recordChange(audit, { client: after, change, ended: 0 }, byDocument);
    const { ended } = after.document;
    if (ended && !before.document.ended)
      audit.note('client.document_ended', { clientId: after.id, detail: { reason: ended.reason } });
    if (!ended && before.document.ended) audit.note('client.document_back', { clientId: after.id });
  }

  async function found(id: string, network: string | undefined, waits: boolean): Promise<Found> {
    const mistake = documentUrlMistake(id);
    if (mistake !== undefined) return { reason: `The client_id cannot be the address of a document. ${mistake}` };
    const copy = await known(id);
    if (copy && (copy.document.pinned || nowSeconds() < copy.document.freshUntil)) return { client: copy };
    if (copy && !waits) {
      // A failure is noted with the document; the next caller sees it.
      look(id, copy, network).catch(() => undefined);
      return { client: copy };
    }
    return look(id, copy, network);
  }

  async function shown(id: string, address: string | undefined, waits: boolean): Promise<ClientRecord | undefined> {
    if (!config.protocol.mcp) return undefined;
    const result = await found(id, address === undefined ? undefined : addressNetwork(address), waits);
    return 'client' in result ? withState(result.client) : undefined;
  }

  /** An operator's change. Throws `Unavailable` if another change was faster. */
  async function written(row: ClientRecord | undefined, client: ClientRecord): Promise<ClientRecord> {
    const next = { ...client, version: client.version + 1, updatedAt: nowSeconds() };
    if (!(await (row ? stores.clients.update(next) : stores.clients.insert(next)))) throw new Unavailable('busy');
    await changes.changed();
    return next;
  }

  return {
    find: (id, address) => shown(id, address, false),
    current: (id, address) => shown(id, address, true),

    why(id) {
      if (!isDocumentUrl(id)) return undefined;
      if (!config.protocol.mcp) return 'MCP is off, so no client_id is the address of a document.';
      const mistake = documentUrlMistake(id);
      return mistake ?? holds.get(id)?.reason;
    },

    async keep(client) {
      if (client.origin !== 'metadata' || client.version > 0) return;
      if (await stores.clients.insert({ ...client, version: 1 })) {
        await changes.changed();
        await audit.record('client.registered', { clientId: client.id, detail: { via: 'document' } });
      }
      copies.delete(client.id);
    },

    async pin(id, document) {
      const mistake = documentUrlMistake(id);
      if (mistake !== undefined) return { outcome: 'invalid', reason: mistake };
      const row = await stores.clients.find(id);
      const source = { url: id, contentType: 'application/json', body: Buffer.from(JSON.stringify(document)) };
      const read = await readDocument(source, { previous: row?.metadata, ownNames });
      if (read.outcome === 'invalid') return read;
      const now = nowSeconds();
      const state = { fetchedAt: now, freshUntil: now, failingSince: null, ended: null, pinned: true } as const;
      const client = { ...(row ?? created(id, now)), metadata: read.metadata, document: state };
      return { outcome: 'pinned', client: await written(row, client) };
    },

    async unpin(id) {
      const row = await stores.clients.find(id);
      if (!row?.document?.pinned) return false;
      const { pinned: _pinned, ...document } = row.document;
      await written(row, { ...row, document });
      return true;
    },
  };
}

/** The clients of this server: stored ones, and those that a document describes. */
export function withMetadataClients(stored: CachedClients, documents: Pick<MetadataClients, 'find'>): CachedClients {
  return { ...stored, find: (id) => (isDocumentUrl(id) ? documents.find(id) : stored.find(id)) };
}

type Judged =
  | { readonly outcome: 'good'; readonly client: Copy }
  | { readonly outcome: 'passing' | 'ended'; readonly reason: string };

const byDocument = { via: 'document' } as const;

const hasDocument = (client: ClientRecord): client is Copy => client.document != null;

/** A row without a document is fetched at its next use. */
const never: ClientDocument = { fetchedAt: 0, freshUntil: 0, failingSince: null, ended: null };

/** Version 0: not stored. */
function created(id: string, now: number): Omit<ClientRecord, 'document'> {
  return {
    id,
    metadata: {},
    secrets: [],
    tokens: [],
    owner: null,
    origin: 'metadata',
    reviewedAt: null,
    disabledAt: null,
    ownDisabledAt: null,
    version: 0,
    createdAt: now,
    updatedAt: now,
  };
}

/** The copy after a fetch without success. The same object if nothing new is known. */
function failed(
  copy: Copy,
  { outcome, reason }: { readonly outcome: 'passing' | 'ended'; readonly reason: string },
): Copy {
  const { document } = copy;
  const now = nowSeconds();
  if (outcome === 'passing') {
    if (document.failingSince !== null) return copy;
    return { ...copy, document: { ...document, failingSince: now } };
  }
  if (document.ended) return copy;
  return { ...copy, document: { ...document, failingSince: document.failingSince ?? now, ended: { at: now, reason } } };
}

/** The same object for the same copy: the engine keeps its own copy of each. */
const states = new WeakMap<ClientRecord, ClientRecord>();

/** Disabled while the document has ended, or has failed for too long. */
function withState(client: ClientRecord): ClientRecord {
  const { ended = null, failingSince = null } = client.document ?? {};
  const failedAt = failingSince === null ? undefined : failingSince + lastCopyLasts;
  const since = ended?.at ?? (failedAt !== undefined && failedAt <= nowSeconds() ? failedAt : undefined);
  if (since === undefined || client.disabledAt !== null) return client;
  const known = states.get(client) ?? { ...client, disabledAt: since };
  states.set(client, known);
  return known;
}
