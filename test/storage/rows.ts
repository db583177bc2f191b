/** Rows for storage tests: plain ones, of which a test names only what it is about. */
import { randomToken } from '../../src/base/secrets.ts';
import type { Account, NewAccount } from '../../src/core/stores/accounts.ts';
import type { ApiRecord } from '../../src/core/stores/apis.ts';
import type { AuditEvent } from '../../src/core/stores/audit.ts';
import type { ClientRecord } from '../../src/core/stores/clients.ts';
import type { DeviceCodeBegun } from '../../src/core/stores/device-codes.ts';
import type { GrantRow, SessionPut, TokenRow } from '../../src/core/stores/engine.ts';
import type { KeyRow } from '../../src/core/stores/keys.ts';
import type { LinkRow } from '../../src/core/stores/links.ts';
import type { Stores } from '../../src/core/stores/stores.ts';

export const now = 1_800_000_000;
export const name = () => randomToken(16);

export function buildAccount(overrides: Partial<NewAccount> = {}): NewAccount {
  const username = overrides.username ?? name();
  return {
    subject: name(),
    username,
    usernameKey: username.toLowerCase(),
    firstName: 'Ada',
    lastName: 'Lovelace',
    email: null,
    emailKey: null,
    verified: false,
    twoFactor: false,
    admin: false,
    passwordHash: null,
    createdAt: now,
    ...overrides,
  };
}

/** As the database has it. */
export async function insertAccount(
  { accounts }: Pick<Stores, 'accounts'>,
  overrides: Partial<NewAccount> = {},
): Promise<Account> {
  const made = await accounts.insert(buildAccount(overrides));
  if (made.outcome !== 'created') throw new Error(made.outcome);
  return made.account;
}

export function buildClient(overrides: Partial<ClientRecord> = {}): ClientRecord {
  return {
    id: name(),
    metadata: { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'] },
    secrets: [{ hash: 'h', createdAt: now, expiresAt: null }],
    tokens: [],
    owner: null,
    origin: 'register',
    reviewedAt: null,
    disabledAt: null,
    ownDisabledAt: null,
    document: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    ...overrides,
  };
}

export function buildApi(overrides: Partial<ApiRecord> = {}): ApiRecord {
  return {
    identifier: `https://api.example/${name()}`,
    name: 'Orders',
    scopes: [
      { name: 'orders:read', sentence: 'See your orders', default: true, optional: false, held: false, bearer: true },
    ],
    tokenFormat: 'jwt',
    tokenTyp: 'at+jwt',
    signingAlg: 'ES256',
    tokenLifetime: null,
    introspectors: [],
    mcpServer: false,
    ...overrides,
  };
}

export function buildToken(overrides: Partial<TokenRow> = {}): TokenRow {
  return {
    key: name(),
    kind: 'RefreshToken',
    payload: '{}',
    grantId: null,
    clientId: null,
    subject: null,
    sessionUid: null,
    expiresAt: now + 100,
    ...overrides,
  };
}

export function buildGrant(overrides: Partial<GrantRow> = {}): GrantRow {
  return { id: name(), clientId: 'c', subject: 's', payload: '{}', expiresAt: now + 100, ...overrides };
}

export function buildSession(overrides: Partial<SessionPut> = {}): SessionPut {
  return {
    key: name(),
    uid: name(),
    subject: null,
    payload: '{}',
    grants: {},
    sids: {},
    expiresAt: now + 100,
    origin: { door: 'browser', clientId: null, address: null, userAgent: null },
    before: null,
    ...overrides,
  };
}

export function buildKey(overrides: Partial<KeyRow> = {}): KeyRow {
  return {
    id: name(),
    algorithm: 'ES256',
    status: 'next',
    sealed: 'sealed',
    createdAt: now,
    currentAt: null,
    previousAt: null,
    ...overrides,
  };
}

export function buildLink(overrides: Partial<LinkRow> = {}): LinkRow {
  return { key: name(), purpose: 'set-up', subject: null, detail: { a: 1 }, expiresAt: now + 100, ...overrides };
}

export function buildDeviceCode(overrides: Partial<DeviceCodeBegun> = {}): DeviceCodeBegun {
  return { userCode: name(), tokenKey: name(), interval: 5, expiresAt: now + 100, ...overrides };
}

export function buildEvent(overrides: Partial<AuditEvent> = {}): AuditEvent {
  return {
    atMs: now * 1000,
    event: 'sign_in.succeeded',
    subject: null,
    clientId: null,
    address: '192.0.2.1',
    requestId: name(),
    detail: {},
    ...overrides,
  };
}
