/**
 * Every table: its columns, and the record members that they hold. A new column needs a line here, a migration and a
 * member in core/stores. Changes, leases and memberships are not here: one store each names their few columns.
 */
import type { Account } from '../../core/stores/accounts.ts';
import type { ApiRecord, ApiScope } from '../../core/stores/apis.ts';
import type { StoredAuditEvent } from '../../core/stores/audit.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { StoredConsent } from '../../core/stores/consents.ts';
import type { Delivery } from '../../core/stores/deliveries.ts';
import type { DeviceCodeRow } from '../../core/stores/device-codes.ts';
import type { GrantRow, StoredSession, StoredToken } from '../../core/stores/engine.ts';
import type { FactorRow } from '../../core/stores/factors.ts';
import type { Group } from '../../core/stores/groups.ts';
import type { IdentityRow } from '../../core/stores/identities.ts';
import type { KeyRow } from '../../core/stores/keys.ts';
import type { KnownBrowserRow } from '../../core/stores/known-browsers.ts';
import type { LinkRow } from '../../core/stores/links.ts';
import type { PasskeyRow } from '../../core/stores/passkeys.ts';
import type { RefusalRow } from '../../core/stores/refusals.ts';
import type { InitialToken, Registration } from '../../core/stores/registrations.ts';
import { parsed, table } from './table.ts';

export const accounts = table(
  'accounts',
  (row): Account => ({
    id: row.number('id'),
    subject: row.text('subject'),
    username: row.text('username'),
    usernameKey: row.text('username_key'),
    firstName: row.text('first_name'),
    lastName: row.text('last_name'),
    email: row.textOrNull('email'),
    emailKey: row.textOrNull('email_key'),
    verified: row.boolean('verified'),
    twoFactor: row.boolean('two_factor'),
    admin: row.boolean('admin'),
    passwordHash: row.textOrNull('password_hash'),
    disabledAt: row.numberOrNull('disabled_at'),
    createdAt: row.number('created_at'),
    updatedAt: row.number('updated_at'),
    lastSeenAt: row.numberOrNull('last_seen_at'),
    locale: row.textOrNull('locale'),
    picture: row.textOrNull('picture'),
    zoneinfo: row.textOrNull('zoneinfo'),
    phone: row.textOrNull('phone'),
    phoneVerified: row.boolean('phone_verified'),
    address: row.jsonOrNull('address'),
  }),
);

export const factors = table(
  'factors',
  (row): FactorRow => ({
    id: row.text('id'),
    subject: row.text('subject'),
    kind: row.text('kind'),
    name: row.text('name'),
    secret: row.text('secret'),
    state: row.text('state'),
    lastStep: row.number('last_step'),
    failures: row.number('failures'),
    createdAt: row.number('created_at'),
    lastUsedAt: row.numberOrNull('last_used_at'),
    saved: row.boolean('saved'),
  }),
);

export const passkeys = table(
  'passkeys',
  (row): PasskeyRow => ({
    id: row.text('id'),
    subject: row.text('subject'),
    credentialId: row.text('credential_id'),
    handle: row.text('handle'),
    name: row.text('name'),
    publicKey: row.text('public_key'),
    counter: row.number('counter'),
    transports: row.json('transports'),
    synced: row.boolean('synced'),
    createdAt: row.number('created_at'),
    lastUsedAt: row.numberOrNull('last_used_at'),
  }),
);

export const identities = table(
  'identities',
  (row): IdentityRow => ({
    id: row.text('id'),
    subject: row.text('subject'),
    provider: row.text('provider'),
    providerSubject: row.text('provider_subject'),
    label: row.text('label'),
    createdAt: row.number('created_at'),
    lastUsedAt: row.numberOrNull('last_used_at'),
  }),
);

export const knownBrowsers = table(
  'devices',
  (row): KnownBrowserRow => ({
    id: row.text('id'),
    browser: row.text('browser'),
    subject: row.text('subject'),
    shown: row.boolean('shown'),
    createdAt: row.number('created_at'),
    lastUsedAt: row.number('last_used_at'),
    expiresAt: row.number('expires_at'),
  }),
);

export const groups = table(
  'groups',
  (row): Group => ({
    id: row.text('id'),
    name: row.text('name'),
    nameKey: row.text('name_key'),
    description: row.text('description'),
    createdAt: row.number('created_at'),
    updatedAt: row.number('updated_at'),
  }),
);

export const clients = table(
  'clients',
  (row): ClientRecord => ({
    id: row.text('id'),
    metadata: row.json('metadata'),
    secrets: row.json('secrets'),
    tokens: row.json('tokens'),
    owner: row.textOrNull('owner'),
    origin: row.text('origin'),
    reviewedAt: row.numberOrNull('reviewed_at'),
    // Reads the owner's account too: a client is disabled if its owner is disabled or deleted.
    disabledAt: row.sql(`coalesce(clients.disabled_at, case when clients.owner is null then null
      when accounts.subject is null then clients.updated_at else accounts.disabled_at end)`),
    ownDisabledAt: row.numberOrNull('disabled_at'),
    document: row.jsonOrNull('document'),
    version: row.number('version'),
    createdAt: row.number('created_at'),
    updatedAt: row.number('updated_at'),
  }),
);

/** Scopes stored by an earlier version have only a name and a sentence. */
export type StoredScope = Partial<ApiScope> & Pick<ApiScope, 'name' | 'sentence'>;

export interface StoredApi extends Omit<ApiRecord, 'scopes'> {
  readonly scopes: readonly StoredScope[];
  readonly heldScopes: readonly StoredScope[];
}

export const apis = table(
  'apis',
  (row): StoredApi => ({
    identifier: row.text('identifier'),
    name: row.text('name'),
    scopes: row.json('scopes'),
    heldScopes: row.json('held_scopes'),
    tokenFormat: row.text('token_format'),
    tokenTyp: row.text('token_typ'),
    signingAlg: row.text('signing_alg'),
    tokenLifetime: row.numberOrNull('token_lifetime'),
    introspectors: row.json('introspectors'),
    mcpServer: row.boolean('mcp_server'),
  }),
);

export const tokens = table(
  'tokens',
  (row): StoredToken => ({
    key: row.text('key'),
    kind: row.text('kind'),
    payload: row.text('payload'),
    grantId: row.textOrNull('grant_id'),
    clientId: row.textOrNull('client_id'),
    subject: row.textOrNull('subject'),
    sessionUid: row.textOrNull('session_uid'),
    expiresAt: row.numberOrNull('expires_at'),
    consumedAt: row.numberOrNull('consumed_at'),
    successorKey: row.textOrNull('successor_key'),
    successorSealed: row.textOrNull('successor_sealed'),
    repeats: row.number('repeats'),
    repeatsNoted: row.numberOrNull('repeats_noted'),
    // Reads the successor token too.
    successorConsumed: row.sql<number | null>('successors.consumed_at') !== null,
  }),
);

export const deviceCodes = table(
  'device_codes',
  (row): DeviceCodeRow => ({
    userCode: row.text('user_code'),
    tokenKey: row.text('token_key'),
    interval: row.number('poll_interval'),
    expiresAt: row.number('expires_at'),
    browser: row.textOrNull('browser'),
    polledAtMs: row.numberOrNull('polled_at_ms'),
    early: row.boolean('early'),
  }),
);

export const grants = table(
  'grants',
  (row): GrantRow => ({
    id: row.text('id'),
    clientId: row.text('client_id'),
    subject: row.text('subject'),
    payload: row.text('payload'),
    expiresAt: row.number('expires_at'),
  }),
);

export const sessions = table('sessions', (row): StoredSession => {
  // Parsed on demand, because few readers of a session need the grants.
  const grantIds = row.jsonText<StoredSession['grants']>('grants');
  const sids = row.jsonText<StoredSession['sids']>('sids');
  return {
    key: row.text('key'),
    uid: row.text('uid'),
    subject: row.textOrNull('subject'),
    payload: row.text('payload'),
    get grants() {
      return parsed(grantIds);
    },
    get sids() {
      return parsed(sids);
    },
    expiresAt: row.number('expires_at'),
    createdAt: row.number('created_at'),
    lastSeenAt: row.numberOrNull('last_seen_at'),
    origin: {
      door: row.text('door'),
      clientId: row.textOrNull('client_id'),
      address: row.textOrNull('address'),
      userAgent: row.textOrNull('user_agent'),
    },
  };
});

export const consents = table(
  'consents',
  (row): StoredConsent => ({
    subject: row.text('subject'),
    clientId: row.text('client_id'),
    scopes: row.json('scopes'),
    claims: row.json('claims'),
    resources: row.json('resources'),
    snapshot: row.textOrNull('snapshot'),
    updatedAt: row.number('updated_at'),
    createdAt: row.number('created_at'),
    lastUsedAt: row.numberOrNull('last_used_at'),
  }),
);

export const keys = table(
  'signing_keys',
  (row): KeyRow => ({
    id: row.text('id'),
    algorithm: row.text('algorithm'),
    status: row.text('status'),
    sealed: row.text('sealed'),
    createdAt: row.number('created_at'),
    currentAt: row.numberOrNull('current_at'),
    previousAt: row.numberOrNull('previous_at'),
  }),
);

export const audit = table(
  'audit',
  (row): StoredAuditEvent => ({
    id: row.number('id'),
    atMs: row.number('at_ms'),
    event: row.text('event'),
    subject: row.textOrNull('subject'),
    clientId: row.textOrNull('client_id'),
    address: row.textOrNull('address'),
    requestId: row.textOrNull('request_id'),
    detail: row.json('detail'),
  }),
);

export const links = table(
  'links',
  (row): LinkRow => ({
    key: row.text('key'),
    purpose: row.text('purpose'),
    subject: row.textOrNull('subject'),
    detail: row.json('detail'),
    expiresAt: row.number('expires_at'),
  }),
);

export const refusals = table(
  'refusals',
  (row): RefusalRow => ({
    reference: row.text('reference'),
    atMs: row.number('at_ms'),
    lastMs: row.number('last_ms'),
    times: row.number('times'),
    endpoint: row.text('endpoint'),
    clientId: row.textOrNull('client_id'),
    scope: row.text('scope'),
    address: row.textOrNull('address'),
    network: row.text('network'),
    check: row.text('failed_check'),
    status: row.number('status'),
    error: row.text('error'),
    expected: row.textOrNull('expected'),
    received: row.textOrNull('received'),
    nearest: row.textOrNull('nearest'),
    advice: row.text('advice'),
  }),
);

export const deliveries = table(
  'deliveries',
  (row): Delivery => ({
    id: row.number('id'),
    kind: row.text('kind'),
    clientId: row.text('client_id'),
    mergeKey: row.textOrNull('merge_key'),
    facts: row.json('facts'),
    state: row.text('state'),
    version: row.number('version'),
    createdAt: row.number('created_at'),
    giveUpAt: row.number('give_up_at'),
    dueMs: row.number('due_ms'),
    attempts: row.number('attempts'),
    lastOutcome: row.textOrNull('last_outcome'),
    lastAt: row.numberOrNull('last_at'),
    settledAt: row.numberOrNull('settled_at'),
  }),
);

export const registrations = table(
  'registrations',
  (row): Registration => ({
    clientId: row.text('client_id'),
    tokenHash: row.text('token_hash'),
    initialToken: row.textOrNull('initial_token'),
    policy: row.jsonOrNull('policy'),
    createdAt: row.number('created_at'),
    lastUsedAt: row.numberOrNull('last_used_at'),
  }),
);

export const initialTokens = table(
  'initial_tokens',
  (row): InitialToken => ({
    id: row.text('id'),
    hash: row.text('hash'),
    label: row.text('label'),
    policy: row.json('policy'),
    usesMax: row.numberOrNull('uses_max'),
    uses: row.number('uses'),
    createdAt: row.number('created_at'),
    expiresAt: row.numberOrNull('expires_at'),
    lastUsedAt: row.numberOrNull('last_used_at'),
  }),
);
