/**
 * Clients that register themselves (RFC 7591) and manage their registration (RFC 7592). They are clients like others:
 * core/clients checks and stores them. This module owns who may register, the registration access token, and the
 * policy. Registration checks, in this order: the initial access token, or the limits; the policy; the metadata; the
 * number of clients. So a stranger learns nothing about valid input, and a refused registration uses up no token.
 *
 * Unknown clients, clients of another kind and wrong tokens get one answer, so ids cannot be guessed.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Metrics } from '../../base/metrics.ts';
import { digest, randomToken, sameSecret } from '../../base/secrets.ts';
import { changedMembers, type MetadataChange, metadataChange, recordChange } from '../clients/client-changes.ts';
import type { Updated } from '../clients/client-credentials.ts';
import { verifySecret } from '../clients/client-secrets.ts';
import type { Clients, Registered } from '../clients/clients.ts';
import type { InvalidMetadata } from '../clients/metadata/client-metadata.ts';
import { shortened } from '../clients/metadata/dropped-members.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { ApiRecord } from '../stores/apis.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { InitialToken, Registration, RegistrationPolicy, RegistrationStore } from '../stores/registrations.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';
import type { InitialTokens } from './initial-tokens.ts';
import { createRegistrationLimits } from './registration-limits.ts';
import { type AppliedPolicy, appliedPolicy, fitted } from './registration-policy.ts';

/** `token` is the registration access token; no later call returns it. */
type DynamicallyRegistered = Registered & { readonly token: string };
export type NotRegistered =
  | InvalidMetadata
  /** An initial access token is needed, or the one that was sent is unknown, used up or expired. */
  | { readonly outcome: 'token-needed' | 'token-refused' }
  | Throttled
  /** The highest number of clients exists. */
  | { readonly outcome: 'full'; readonly retryAfter: number };
interface Admission {
  readonly outcome: 'admitted';
  /** Undefined: registration is open. */
  readonly initial: InitialToken | undefined;
}
type NotChanged = { readonly outcome: 'not-allowed' } | Throttled;
interface Throttled {
  readonly outcome: 'throttled';
  readonly retryAfter: number;
}

export interface DynamicClients {
  /** Who may register. Call it before the body is read. All methods throw `Unavailable`. */
  admit(token: string | undefined, caller: Caller): Promise<Admission | NotRegistered>;
  /** `metadata` is untrusted. */
  register(metadata: object, admission: Admission, caller: Caller): Promise<DynamicallyRegistered | NotRegistered>;
  /** The client, if `token` is its registration access token. */
  find(id: string, token: string): Promise<ClientRecord | undefined>;
  /**
   * Replaces the metadata (RFC 7592, section 2.2). The token stays. A review by an operator ends, unless the initial
   * access token vouches for its clients. With another name, redirect URI, key or way to
   * authenticate, its consents and tokens end.
   */
  update(id: string, token: string, metadata: object, caller: Caller): Promise<Updated | InvalidMetadata | NotChanged>;
  /** Ends the client with its tokens, grants and consents. */
  remove(id: string, token: string, caller: Caller): Promise<boolean>;
}

interface DynamicClientsDeps {
  readonly clients: Pick<Clients, 'register' | 'update' | 'review' | 'remove' | 'find'>;
  readonly stores: { readonly registrations: RegistrationStore };
  readonly initialTokens: Pick<InitialTokens, 'find'>;
  readonly apis: { list(): readonly ApiRecord[] };
  readonly throttle: Throttle;
  readonly audit: Audit;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly config: {
    readonly registration: Pick<AppliedPolicy, 'scopes' | 'redirectHosts' | 'redirectSchemes'> & {
      readonly mode: 'off' | 'token' | 'open';
      readonly addressLimit: number;
      readonly limit: number;
      readonly most: number;
    };
  };
}

const prefix = 'gatehouse_rat_';
/** Seconds. Room comes when unused clients expire, at no known time. */
const whenFull = 3600;

export function createDynamicClients(deps: DynamicClientsDeps): DynamicClients {
  const { clients, initialTokens, audit, apis, metrics } = deps;
  const store = deps.stores.registrations;
  const settings = deps.config.registration;
  const limits = createRegistrationLimits(deps);
  const inTurn = createTurns();

  const policyOf = (policy: RegistrationPolicy | null): AppliedPolicy => appliedPolicy(settings, policy);

  async function admitted(token: string | undefined, { address }: Caller): Promise<Admission | NotRegistered> {
    const initial = token === undefined ? undefined : await initialTokens.find(token);
    if (initial) return { outcome: 'admitted', initial };
    if (token === undefined && settings.mode !== 'open') return { outcome: 'token-needed' };
    const counted = await limits.attempt(address);
    if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter };
    return token === undefined ? { outcome: 'admitted', initial } : { outcome: 'token-refused' };
  }

  async function register(
    metadata: object,
    initial: InitialToken | undefined,
  ): Promise<DynamicallyRegistered | NotRegistered> {
    const policy = policyOf(initial?.policy ?? null);
    const fit = fitted(metadata, policy, apis.list());
    if (fit.outcome === 'invalid') return fit;
    const token = prefix + randomToken(32);
    let stored: Awaited<ReturnType<RegistrationStore['insert']>> | undefined;
    const made = await clients.register(fit.input, {
      origin: 'dynamic',
      owner: null,
      granted: fit.granted,
      async insert(client) {
        const row = { clientId: client.id, tokenHash: digest(token), createdAt: client.createdAt, lastUsedAt: null };
        const from = { initialToken: initial?.id ?? null, policy: initial?.policy ?? null };
        stored = await store.insert(client, { ...row, ...from }, settings.most);
        return stored === 'inserted';
      },
    });
    if (stored === 'spent') return { outcome: 'token-refused' };
    if (stored === 'full') return { outcome: 'full', retryAfter: whenFull };
    if (made.outcome === 'invalid') return made;
    const client = await reviewedIf(policy, made.client);
    return { ...made, client, token, dropped: shortened([...fit.dropped, ...made.dropped]) };
  }

  async function reviewedIf({ reviewed }: AppliedPolicy, client: ClientRecord): Promise<ClientRecord> {
    if (!reviewed) return client;
    const changed = await clients.review(client.id);
    return changed.outcome === 'updated' ? changed.client : client;
  }

  async function recordRegistered(id: string, initial: InitialToken | undefined, caller: Caller): Promise<void> {
    const omitted = initial ? 0 : limits.mayRecord();
    if (omitted === undefined) return;
    const detail = {
      via: caller.via,
      ...(initial && { initial_token: initial.id }),
      ...(omitted > 0 && { omitted }),
    };
    await audit.record('client.registered', { clientId: id, caller, detail });
  }

  /** The client and its registration, if the token is right and the client is not disabled. */
  async function managed(
    id: string,
    token: string,
  ): Promise<{ client: ClientRecord; registration: Registration } | undefined> {
    const registration = await store.find(id);
    // Compares also without a registration, so that the time does not reveal which ids exist.
    const matches = sameSecret(registration?.tokenHash ?? '', digest(token));
    if (!registration || !matches) return undefined;
    const client = await clients.find(id);
    return client?.disabledAt === null ? { client, registration } : undefined;
  }

  async function update(
    id: string,
    token: string,
    metadata: object,
    caller: Caller,
  ): Promise<Updated | InvalidMetadata | NotChanged> {
    const found = await managed(id, token);
    if (!found) return { outcome: 'not-allowed' };
    const mistake = identityMistake(metadata, found.client);
    if (mistake !== undefined) return { outcome: 'invalid', error: 'invalid_client_metadata', description: mistake };
    const { policy: given } = found.registration;
    // If an operator has revoked the review, a change does not bring it back.
    const policy = policyOf(found.client.reviewedAt === null ? unvouched(given) : given);
    const fit = fitted(metadata, policy, apis.list(), found.client.metadata);
    if (fit.outcome === 'invalid') return fit;
    const open = found.registration.initialToken === null;
    const counted = await limits.attemptChange(id, { open, address: caller.address });
    if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter };
    const made = await clients.update(id, fit.input, 'dynamic', {
      granted: fit.granted,
      endsConsents: isAnother,
    });
    if (made.outcome === 'unknown') return { outcome: 'not-allowed' };
    if (made.outcome === 'invalid') return made;
    const change = metadataChange(found.client.metadata, made.client.metadata);
    const ended = made.client.secrets.length === 0 ? found.client.secrets.length : 0;
    await recordChange(audit, { ...made, change, ended }, caller);
    const client = await reviewedIf(policy, made.client);
    if (found.client.reviewedAt !== null && client.reviewedAt === null)
      await audit.record('client.review_revoked', { clientId: id, caller, detail: { via: caller.via } });
    return { ...made, client, dropped: shortened([...fit.dropped, ...(made.dropped ?? [])]) };
  }

  return {
    async admit(token, caller) {
      const admission = await admitted(token, caller);
      if (admission.outcome !== 'admitted') metrics.count('registrations_total', { outcome: admission.outcome });
      return admission;
    },

    async register(metadata, { initial }, caller) {
      const made = await register(metadata, initial);
      metrics.count('registrations_total', { outcome: made.outcome });
      if (made.outcome === 'registered') await recordRegistered(made.client.id, initial, caller);
      return made;
    },

    find: async (id, token) => (await managed(id, token))?.client,

    update: (id, token, metadata, caller) => inTurn(id, () => update(id, token, metadata, caller)),

    async remove(id, token, caller) {
      if (!(await managed(id, token)) || !(await clients.remove(id))) return false;
      await audit.record('client.deleted', { clientId: id, caller, detail: { via: caller.via } });
      return true;
    },
  };
}

/** Changes of one client wait for each other here, so that many at once do not use up the tries of core/clients. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(id) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(id, mine);
    try {
      return await mine;
    } finally {
      if (last.get(id) === mine) last.delete(id);
    }
  };
}

/**
 * The person allowed an application with another name, other keys, or without one of these addresses, so they are asked
 * again. A thief of the registration access token gets nothing that was allowed before.
 */
function isAnother({ before, after }: MetadataChange): boolean {
  const uris = (metadata: JsonObject) => [metadata.redirect_uris ?? []].flat();
  const known = new Set(uris(before));
  const members = changedMembers({ before, after });
  return (
    ['client_name', 'jwks', 'jwks_uri', 'token_endpoint_auth_method'].some((name) => members.includes(name)) ||
    uris(after).some((uri) => !known.has(uri))
  );
}

const unvouched = (policy: RegistrationPolicy | null): RegistrationPolicy | null =>
  policy && { ...policy, reviewed: false };

/** RFC 7592, section 2.2: the request names the client, and a secret in it is the current one. */
function identityMistake(metadata: object, client: ClientRecord): string | undefined {
  const { client_id: id, client_secret: secret } = metadata as Readonly<Record<string, unknown>>;
  if (id !== client.id) return 'client_id must be given, and name the client of this address';
  if (secret === undefined || secret === null) return undefined;
  const isCurrent = typeof secret === 'string' && verifySecret(client, secret, nowSeconds());
  return isCurrent ? undefined : 'client_secret must be the current secret, or be left out';
}
