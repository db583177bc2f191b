/** Columns of the tables, in the order in which the statements name them, and rows read in that order. */
import type { Account } from '../../core/stores/accounts.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type {
  GrantBundle,
  GrantRow,
  SessionBundle,
  StoredSession,
  StoredToken,
  TokenBundle,
  TokenRow,
} from '../../core/stores/engine.ts';
import type { Row } from './sql.ts';

export const accountColumns = [
  'id',
  'subject',
  'username',
  'username_key',
  'first_name',
  'last_name',
  'email',
  'email_key',
  'verified',
  'two_factor',
  'admin',
  'password_hash',
  'disabled_at',
  'created_at',
  'updated_at',
  'last_seen_at',
  'locale',
  'picture',
  'zoneinfo',
  'phone',
  'phone_verified',
  'address',
] as const;

export const clientColumns = [
  'id',
  'metadata',
  'secrets',
  'tokens',
  'owner',
  'origin',
  'disabled_at',
  'version',
  'created_at',
  'updated_at',
  'reviewed_at',
] as const;

export const tokenColumns = [
  'key',
  'kind',
  'payload',
  'grant_id',
  'client_id',
  'subject',
  'session_uid',
  'expires_at',
] as const;

export const grantColumns = ['id', 'client_id', 'subject', 'payload', 'expires_at'] as const;
export const sessionColumns = [
  'key',
  'uid',
  'subject',
  'payload',
  'grants',
  'expires_at',
  'created_at',
  'last_seen_at',
  'door',
  'client_id',
  'address',
  'user_agent',
] as const;

/** `a.id, a.subject, …` */
export function named(alias: string, columns: readonly string[]): string {
  return columns.map((column) => `${alias}.${column}`).join(', ');
}

/** An object as Knex returns it, as a row in the order of `columns`. */
export function inOrder(columns: readonly string[], object: Readonly<Record<string, unknown>>): Row {
  return columns.map((column) => object[column]);
}

const text = (value: unknown): string => value as string;
const textOrNull = (value: unknown): string | null => value as string | null;
const time = (value: unknown): number => value as number;
const timeOrNull = (value: unknown): number | null => value as number | null;

export function toAccount(row: Row, at = 0): Account | undefined {
  if (row[at] === null) return undefined;
  return {
    id: row[at] as number,
    subject: text(row[at + 1]),
    username: text(row[at + 2]),
    usernameKey: text(row[at + 3]),
    firstName: text(row[at + 4]),
    lastName: text(row[at + 5]),
    email: textOrNull(row[at + 6]),
    emailKey: textOrNull(row[at + 7]),
    // SQLite has no booleans but 0 and 1.
    verified: Boolean(row[at + 8]),
    twoFactor: Boolean(row[at + 9]),
    admin: Boolean(row[at + 10]),
    passwordHash: textOrNull(row[at + 11]),
    disabledAt: timeOrNull(row[at + 12]),
    createdAt: time(row[at + 13]),
    updatedAt: time(row[at + 14]),
    lastSeenAt: timeOrNull(row[at + 15]),
    locale: textOrNull(row[at + 16]),
    picture: textOrNull(row[at + 17]),
    zoneinfo: textOrNull(row[at + 18]),
    phone: textOrNull(row[at + 19]),
    phoneVerified: Boolean(row[at + 20]),
    address: row[at + 21] === null ? null : JSON.parse(text(row[at + 21])),
  };
}

/** Everything that `toClient` reads, before the condition: the client, and since when its owner's account ends it. */
export const clientWithOwner = `select ${named('c', clientColumns)},
    case when c.owner is null then null when a.subject is null then c.updated_at else a.disabled_at end
  from clients c left join accounts a on a.subject = c.owner`;

export function toClient(row: Row): ClientRecord {
  const ownDisabledAt = timeOrNull(row[6]);
  return {
    id: text(row[0]),
    metadata: JSON.parse(text(row[1])),
    secrets: JSON.parse(text(row[2])),
    tokens: JSON.parse(text(row[3])),
    owner: textOrNull(row[4]),
    origin: row[5] as ClientRecord['origin'],
    disabledAt: ownDisabledAt ?? timeOrNull(row[11]),
    ownDisabledAt,
    version: row[7] as number,
    createdAt: time(row[8]),
    updatedAt: time(row[9]),
    reviewedAt: timeOrNull(row[10]),
  };
}

export function toGrant(row: Row, at: number): GrantRow | undefined {
  if (row[at] === null) return undefined;
  return {
    id: text(row[at]),
    clientId: text(row[at + 1]),
    subject: text(row[at + 2]),
    payload: text(row[at + 3]),
    expiresAt: time(row[at + 4]),
  };
}

export function toSession(row: Row, at: number): StoredSession | undefined {
  if (row[at] === null) return undefined;
  return {
    key: text(row[at]),
    uid: text(row[at + 1]),
    subject: textOrNull(row[at + 2]),
    payload: text(row[at + 3]),
    // Read by few of those who read a session.
    get grants() {
      return JSON.parse(text(row[at + 4]));
    },
    expiresAt: time(row[at + 5]),
    createdAt: time(row[at + 6]),
    lastSeenAt: timeOrNull(row[at + 7]),
    origin: {
      door: text(row[at + 8]),
      clientId: textOrNull(row[at + 9]),
      address: textOrNull(row[at + 10]),
      userAgent: textOrNull(row[at + 11]),
    },
  };
}

function toToken(row: Row): StoredToken {
  return {
    key: text(row[0]),
    kind: text(row[1]),
    payload: text(row[2]),
    grantId: textOrNull(row[3]),
    clientId: textOrNull(row[4]),
    subject: textOrNull(row[5]),
    sessionUid: textOrNull(row[6]),
    expiresAt: timeOrNull(row[7]),
    consumedAt: timeOrNull(row[8]),
    successorKey: textOrNull(row[9]),
    successorSealed: textOrNull(row[10]),
    successorConsumed: typeof row[11] === 'number',
  };
}

const grantAt = tokenColumns.length + 4;
const accountAt = grantAt + grantColumns.length;
const sessionAt = accountAt + accountColumns.length;

/** Everything that `toTokenBundle` reads, before the condition. */
export const tokenBundle = `select ${named('t', tokenColumns)}, t.consumed_at, t.successor_key, t.successor_sealed, n.consumed_at,
    ${named('g', grantColumns)}, ${named('a', accountColumns)}, ${named('s', sessionColumns)}
  from tokens t
  left join tokens n on n.key = t.successor_key
  left join grants g on g.id = t.grant_id
  left join accounts a on a.subject = t.subject
  left join sessions s on s.uid = t.session_uid`;

/** Everything that `toGrantBundle` reads. */
export const grantBundle = `${named('g', grantColumns)}, ${named('a', accountColumns)}, ${named('s', sessionColumns)}`;

export function toGrantBundle(row: Row): GrantBundle {
  return {
    grant: toGrant(row, 0) as GrantRow,
    account: toAccount(row, grantColumns.length),
    session: toSession(row, grantColumns.length + accountColumns.length),
  };
}

export function toTokenBundle(row: Row): TokenBundle {
  return {
    token: toToken(row),
    grant: toGrant(row, grantAt),
    account: toAccount(row, accountAt),
    session: toSession(row, sessionAt),
  };
}

/** Everything that `toSessionBundle` reads. */
export const sessionBundle = `${named('s', sessionColumns)}, ${named('a', accountColumns)}, ${named('g', grantColumns)}`;

export function toSessionBundle(row: Row): SessionBundle {
  return {
    session: toSession(row, 0) as StoredSession,
    account: toAccount(row, sessionColumns.length),
    grant: toGrant(row, sessionColumns.length + accountColumns.length),
  };
}

/** The values of a token in the order of `tokenColumns`. */
export function tokenValues(token: TokenRow): unknown[] {
  const { key, kind, payload, grantId, clientId, subject, sessionUid, expiresAt } = token;
  return [key, kind, payload, grantId, clientId, subject, sessionUid, expiresAt];
}
