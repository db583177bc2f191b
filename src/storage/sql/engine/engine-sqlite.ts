/**
 * The engine's hot path on SQLite: units that arrive in the same turns of the event loop share one transaction, that is one
 * fsync, and reads are done together.
 */
import { nowSeconds } from '../../../base/clock.ts';
import type { Unit } from '../../../core/stores/engine.ts';
import { createBatcher } from '../batch.ts';
import { grantBundle, sessionBundle, tokenBundle, tokenColumns, tokenValues } from '../rows.ts';
import { type Committed, type EngineDialect, type Row, type Statement, statement } from '../sql.ts';
import type { Sqlite } from '../sqlite.ts';
import type { SqliteConnection } from '../sqlite-client.ts';
import { auditColumns, auditRow } from '../stores/audit.ts';

const readToken = statement('read_token', `${tokenBundle} where t.key = ?`);
const readGrant = statement(
  'read_grant',
  `select ${grantBundle} from grants g
   left join accounts a on a.subject = g.subject
   left join sessions s on s.uid = ?
   where g.id = ?`,
);
const readSession = statement(
  'read_session',
  // Not `->>`: it would take a client id that begins with "$" for a path.
  `select ${sessionBundle} from sessions s
   left join accounts a on a.subject = s.subject
   left join grants g on g.id = (select e.value from json_each(s.grants) e where e.key = ?)
   where s.key = ?`,
);
const begin = statement('begin', 'begin immediate');
const commit = statement('commit', 'commit');
const hasAccount = statement(
  'has_account',
  'select 1 from accounts where subject = ? and password_hash is ? and disabled_at is null',
);
const hasGrant = statement('has_grant', 'select 1 from grants where id = ?');
const hasConsent = statement('has_consent', 'select 1 from consents where subject = ? and client_id = ?');
const hasSession = statement('has_session', 'select 1 from sessions where uid = ?');
const consume = statement(
  'consume',
  `update tokens set consumed_at = ?, successor_key = ?, successor_sealed = ?
   where key = ? and consumed_at is null returning 1`,
);
const putToken = statement(
  'put_token',
  `insert into tokens (${tokenColumns.join(', ')}) values (?, ?, ?, ?, ?, ?, ?, ?)
   on conflict (key) do update set kind = excluded.kind, payload = excluded.payload, grant_id = excluded.grant_id,
     client_id = excluded.client_id, subject = excluded.subject, session_uid = excluded.session_uid,
     expires_at = excluded.expires_at`,
);
const putGrant = statement(
  'put_grant',
  `insert into grants (id, client_id, subject, payload, expires_at) values (?, ?, ?, ?, ?)
   on conflict (id) do update set client_id = excluded.client_id, subject = excluded.subject, payload = excluded.payload,
     expires_at = excluded.expires_at`,
);
const newSession = statement(
  'new_session',
  `insert into sessions (key, subject, payload, grants, expires_at, address, user_agent, uid, door, client_id, created_at)
   values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   on conflict (uid) do update set key = excluded.key, subject = excluded.subject, payload = excluded.payload,
     grants = excluded.grants, expires_at = excluded.expires_at, address = excluded.address,
     user_agent = excluded.user_agent`,
);
const renewSession = statement(
  'renew_session',
  `update sessions set key = ?, subject = ?, payload = ?, grants = ?, expires_at = ?, address = ?, user_agent = ?
   where uid = ? and payload = ? returning 1`,
);

const putAudit = statement(
  'put_audit',
  `insert into audit (${auditColumns.join(', ')}) values (${auditColumns.map(() => '?').join(', ')})`,
);

/** For the test that each of them is served by an index. */
export const sqliteStatements = [
  readToken,
  readGrant,
  readSession,
  hasAccount,
  hasGrant,
  hasConsent,
  hasSession,
  consume,
  renewSession,
];

/** Whether an account, a grant or a session that the unit builds on is gone or, of an account, another by now. */
function lacks(connection: SqliteConnection, unit: Unit): boolean {
  const { account, grants = [], sessions = [], tokens = [] } = unit;
  if (account && connection.rows(hasAccount, [account.subject, account.passwordHash]).length === 0) return true;
  const needed = new Set(tokens.map((token) => token.grantId));
  needed.delete(null);
  for (const { id, rests, subject, clientId } of grants) {
    if (rests === 'grant') needed.add(id);
    else needed.delete(id);
    if (rests === 'consent' && connection.rows(hasConsent, [subject, clientId]).length === 0) return true;
  }
  for (const id of needed) if (connection.rows(hasGrant, [id]).length === 0) return true;
  return sessions.some(({ before, uid }) => before !== null && connection.rows(hasSession, [uid]).length === 0);
}

/** Writes the unit; where it is spent nothing has been written: all that can be against it is asked before the first write. */
function write(connection: SqliteConnection, unit: Unit): Committed {
  if (lacks(connection, unit)) return 'spent';
  if (unit.consume !== undefined) {
    const { key, at, successor } = unit.consume;
    const used = connection.rows(consume, [at, successor?.key ?? null, successor?.sealed ?? null, key]);
    if (used.length === 0) return 'spent';
  }
  for (const { id, clientId, subject, payload, expiresAt } of unit.grants ?? []) {
    connection.rows(putGrant, [id, clientId, subject, payload, expiresAt]);
  }
  let committed: Committed = 'committed';
  for (const session of unit.sessions ?? []) {
    const { key, subject, payload, grants, expiresAt, uid, before } = session;
    const { door, clientId, address, userAgent } = session.origin;
    const values = [key, subject, payload, JSON.stringify(grants), expiresAt, address, userAgent, uid];
    if (before === null) connection.rows(newSession, [...values, door, clientId, nowSeconds()]);
    else if (connection.rows(renewSession, [...values, before]).length === 0) committed = 'overtaken';
  }
  for (const token of unit.tokens ?? []) connection.rows(putToken, tokenValues(token));
  for (const event of unit.audit ?? []) connection.rows(putAudit, Object.values(auditRow(event)));
  return committed;
}

/** An error in one unit takes all of them back; they are then sent again one by one. */
function writeAll(connection: SqliteConnection, units: readonly Unit[]): Committed[] {
  connection.trips++;
  connection.rows(begin, []);
  try {
    const written = units.map((unit) => write(connection, unit));
    connection.rows(commit, []);
    return written;
  } finally {
    connection.reset();
  }
}

export function sqliteEngine(sqlite: Sqlite): EngineDialect {
  const readSessionOf = merged<{ key: string; client: string }>(sqlite, readSession, ({ key, client }) => [
    client,
    key,
  ]);
  const readGrantOf = merged<{ id: string; session: string }>(sqlite, readGrant, ({ id, session }) => [session, id]);
  return {
    commit: createBatcher<Unit, Committed>({
      ...together,
      send: (units) => sqlite.exclusively((connection) => writeAll(connection, units)),
    }),
    readToken: merged<string>(sqlite, readToken, (key) => [key]),
    readGrant: (id, session) => readGrantOf({ id, session }),
    readSession: (key, client) => readSessionOf({ key, client }),
  };
}

const together = { limit: 1, size: 256 };

/**
 * The reads of one moment one after the other, and then all that waited for them goes on. Under load this halves the time of a
 * request: taking turns, SQLite and the engine drive each other out of the processor's caches (docs/performance.md).
 */
function merged<Wanted>(
  sqlite: Sqlite,
  read: Statement,
  values: (wanted: Wanted) => readonly unknown[],
): (wanted: Wanted) => Promise<Row | undefined> {
  return createBatcher<Wanted, Row | undefined>({
    ...together,
    send: (all) =>
      sqlite.exclusively((connection) => {
        connection.trips++;
        return all.map((wanted) => connection.rows(read, values(wanted))[0]);
      }),
  });
}
