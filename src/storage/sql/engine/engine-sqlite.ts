/**
 * The engine's hot path on SQLite: units that arrive in the same turns of the event loop share one transaction, and so
 * one fsync. Reads are combined in the same way (docs/performance.md).
 */
import { nowSeconds } from '../../../base/clock.ts';
import { logoutNotice } from '../../../core/deliveries/logout-notice.ts';
import type { EndedPart } from '../../../core/stores/deliveries.ts';
import type { Unit } from '../../../core/stores/engine.ts';
import { createBatcher } from '../batch.ts';
import { type Committed, type EngineDialect, type Statement, statement } from '../sql.ts';
import type { Sqlite, SqliteConnection } from '../sqlite.ts';
import { keepableEvent } from '../stores/audit.ts';
import { mergeDelivery, newDelivery, type Outbox, wantsLogout } from '../stores/outbox.ts';
import type { Selection } from '../table.ts';
import {
  grantBundle,
  putAudit,
  putDelivery,
  putGrant,
  putSession,
  putToken,
  selectToken,
  sessionBundle,
  tokenBundle,
  usualRepeats,
} from './engine-store.ts';

const readToken = statement('read_token', `${selectToken} where tokens.key = ?`);
const readGrant = statement(
  'read_grant',
  `select ${grantBundle.list} from grants
   left join accounts on accounts.subject = grants.subject
   left join sessions on sessions.uid = ?
   where grants.id = ?`,
);
const readSession = statement(
  'read_session',
  // Not `->>`: a client id that begins with "$" would be read as a path.
  `select ${sessionBundle.list} from sessions
   left join accounts on accounts.subject = sessions.subject
   left join grants on grants.id = (select e.value from json_each(sessions.grants) e where e.key = ?)
   where sessions.key = ?`,
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
const isUnused = statement('is_unused', 'select 1 from tokens where key = ? and consumed_at is null');
const repeat = statement(
  'repeat',
  `update tokens set repeats = repeats + 1,
     repeats_noted = coalesce(repeats_noted, case when ? or repeats >= ${usualRepeats} then repeats + 1 end)
   where key = ? returning repeats, repeats = repeats_noted`,
);
const tokenPut = statement('put_token', `${putToken.insert} ${putToken.replace}`);
const grantPut = statement('put_grant', `${putGrant.insert} ${putGrant.replace}`);
const sessionPut = statement('put_session', `${putSession.insert} ${putSession.replace}`);
const renewSession = statement(
  'renew_session',
  `update sessions set ${putSession.changed.map((column) => `${column} = ?`).join(', ')}
   where uid = ? and payload = ? returning 1`,
);
const auditPut = statement('put_audit', putAudit.insert);
const deliveryPut = statement(
  'put_delivery',
  `${putDelivery.select} from clients where clients.id = ? and ${wantsLogout} ${mergeDelivery}`,
);

/** For the test that an index serves each statement. */
export const sqliteStatements = [
  readToken,
  readGrant,
  readSession,
  hasAccount,
  hasGrant,
  hasConsent,
  hasSession,
  consume,
  isUnused,
  repeat,
  renewSession,
  deliveryPut,
];

/** True if the account has changed, or if an account, grant or session that the unit depends on is gone. */
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

/** Consumes all of them or none. One alone needs no look before: its update is the check. */
function uses(connection: SqliteConnection, all: NonNullable<Unit['consume']>): boolean {
  if (all.length > 1 && all.some(({ key }) => connection.rows(isUnused, [key]).length === 0)) return false;
  for (const { key, at, successor } of all) {
    const used = connection.rows(consume, [at, successor?.key ?? null, successor?.sealed ?? null, key]);
    if (used.length === 0) return false;
  }
  return true;
}

function tell(connection: SqliteConnection, part: EndedPart): void {
  const delivery = newDelivery(logoutNotice(part));
  connection.rows(deliveryPut, [...putDelivery.values(delivery), part.clientId]);
}

/** Checks every condition before the first write, so a spent unit writes nothing. */
function write(connection: SqliteConnection, unit: Unit): Committed {
  if (lacks(connection, unit)) return 'spent';
  if (!uses(connection, unit.consume ?? [])) return 'spent';
  for (const grant of unit.grants ?? []) connection.rows(grantPut, putGrant.values(grant));
  let committed: Committed = 'committed';
  for (const session of unit.sessions ?? []) {
    const { uid, before } = session;
    if (before === null) connection.rows(sessionPut, putSession.values({ ...session, createdAt: nowSeconds() }));
    else if (connection.rows(renewSession, [...putSession.changes(session), uid, before]).length === 0)
      committed = 'overtaken';
    else for (const part of session.left ?? []) tell(connection, part);
  }
  if (unit.repeat !== undefined) {
    const { key, elsewhere } = unit.repeat;
    const [[repeats, noted] = []] = connection.rows(repeat, [Number(elsewhere), key]);
    if (noted === 1) committed = { repeats: Number(repeats), elsewhere };
  }
  for (const token of unit.tokens ?? []) connection.rows(tokenPut, putToken.values(token));
  for (const event of unit.audit ?? []) connection.rows(auditPut, putAudit.values(keepableEvent(event)));
  return committed;
}

const leaves = ({ sessions = [] }: Unit): boolean => sessions.some(({ left = [] }) => left.length > 0);

/** An error in one unit rolls back all of them. The batcher then sends each one alone. */
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

export function sqliteEngine(sqlite: Sqlite, outbox: Pick<Outbox, 'written'>): EngineDialect {
  const tokenOf = merged(sqlite, readToken, tokenBundle);
  const sessionOf = merged(sqlite, readSession, sessionBundle);
  const grantOf = merged(sqlite, readGrant, grantBundle);
  return {
    commit: createBatcher<Unit, Committed>({
      ...together,
      async send(units) {
        const written = await sqlite.exclusively((connection) => writeAll(connection, units));
        if (units.some(leaves)) outbox.written();
        return written;
      },
    }),
    readToken: (key) => tokenOf([key]),
    readGrant: (id, session) => grantOf([session, id]),
    readSession: (key, client) => sessionOf([client, key]),
  };
}

const together = { limit: 1, size: 256 };

/**
 * Runs the reads of one moment back to back before any waiting request continues. Under load this halves the time of a
 * request: alternating, SQLite and the engine evict each other from the processor's caches.
 */
function merged<Bundle>(
  sqlite: Sqlite,
  statement: Statement,
  bundle: Selection<Bundle>,
): (values: readonly string[]) => Promise<Bundle | undefined> {
  return createBatcher<readonly string[], Bundle | undefined>({
    ...together,
    send: (all) =>
      sqlite.exclusively((connection) => {
        connection.trips++;
        return all.map((values) => connection.rows(statement, values)[0]).map((row) => row && bundle.read(row));
      }),
  });
}
