/** Tokens, grants and sessions. The two databases differ only in `engine-sqlite.ts` and `engine-postgres.ts`. */
import type {
  CommitOutcome,
  EngineStore,
  GrantBundle,
  SessionBundle,
  TokenBundle,
  Unit,
} from '../../../core/stores/engine.ts';
import { gathered, oncePerKey } from '../gathered.ts';
import { type EngineDialect, findable, page, type Sql, statement } from '../sql.ts';
import { noteChange } from '../stores/changes.ts';
import { sessionsSeen } from '../stores/last-seen.ts';
import type { Outbox } from '../stores/outbox.ts';
import { put, selection } from '../table.ts';
import { accounts, audit, deliveries, grants, sessions, tokens } from '../tables.ts';

// The bundles that the engine reads and the rows that it writes; both dialects build their statements from these.
export const tokenBundle = selection(
  (row): TokenBundle => ({
    token: row.from(tokens),
    grant: row.joined(grants),
    account: row.joined(accounts),
    session: row.joined(sessions),
  }),
);

export const grantBundle = selection(
  (row): GrantBundle => ({
    grant: row.from(grants),
    account: row.joined(accounts),
    session: row.joined(sessions),
  }),
);

export const sessionBundle = selection(
  (row): SessionBundle => ({
    session: row.from(sessions),
    account: row.joined(accounts),
    grant: row.joined(grants),
  }),
);

/** Without the `where` clause. */
export const selectToken = `select ${tokenBundle.list} from tokens
  left join tokens successors on successors.key = tokens.successor_key
  left join grants on grants.id = tokens.grant_id
  left join accounts on accounts.subject = tokens.subject
  left join sessions on sessions.uid = tokens.session_uid`;

const givenOnce = ['created_at', 'door', 'client_id'];

export const putToken = put(tokens, {
  key: 'key',
  leaves: ['consumed_at', 'successor_key', 'successor_sealed', 'repeats', 'repeats_noted'],
});
export const putGrant = put(grants, { key: 'id' });
export const putSession = put(sessions, { key: 'uid', leaves: ['last_seen_at'], keeps: givenOnce });
export const putAudit = put(audit, { leaves: ['id'] });
export const putDelivery = put(deliveries, { leaves: ['id'] });

const sessionByUid = selection((row) => ({ session: row.from(sessions), account: row.joined(accounts) }));
const readSessionByUid = statement(
  'read_session_by_uid',
  `select ${sessionByUid.list} from sessions left join accounts on accounts.subject = sessions.subject
   where sessions.uid = ?`,
);

const insertOnce = statement(
  'insert_once',
  `${putToken.insert} ${putToken.replace}, consumed_at = null, successor_key = null, successor_sealed = null
   where tokens.expires_at <= ? returning 1`,
);

/** Repeats of one token, after which the next is noted. */
export const usualRepeats = 2;

const deleteToken = statement('delete_token', 'delete from tokens where key = ?');

const sessionsBeyond = statement(
  'sessions_beyond',
  'select uid from sessions where uid > ? and uid < ? order by uid desc limit 20 offset ?',
);

/** For the test that an index serves each statement. */
export const sharedStatements = [readSessionByUid, insertOnce, deleteToken, sessionsBeyond];

export function createEngineStore(sql: Sql, dialect: EngineDialect, outbox: Outbox): EngineStore {
  async function commit(unit: Unit): Promise<CommitOutcome> {
    const committed = await dialect.commit(unit);
    if (typeof committed === 'object') return { outcome: 'committed', shared: committed };
    if (committed !== 'spent') return { outcome: 'committed', ...(committed === 'overtaken' && { overtaken: true }) };
    for (const { key } of unit.consume ?? []) {
      const token = (await dialect.readToken(key))?.token;
      if (token && token.consumedAt !== null) return { outcome: 'spent', token };
    }
    // No token was consumed before, so one of them or another row that the unit needs is gone.
    return { outcome: 'spent', token: undefined };
  }

  const deleted = gathered(async (key) => {
    await sql.rows(deleteToken, [key]);
    return true;
  });

  return {
    commit: oncePerKey(commit, async (key) => (await dialect.readToken(key))?.token),

    readToken: (key) => dialect.readToken(key),

    readSession: (key, clientId = '') => dialect.readSession(key, findable(clientId) ? clientId : ''),

    async readSessionByUid(uid) {
      if (!findable(uid)) return undefined;
      const [row] = await sql.rows(readSessionByUid, [uid]);
      return row && { ...sessionByUid.read(row), grant: undefined };
    },

    readGrant: (id, sessionUid = '') => dialect.readGrant(id, findable(sessionUid) ? sessionUid : ''),

    async insertOnce(token, now) {
      return (await sql.rows(insertOnce, [...putToken.values(token), now])).length === 1;
    },

    async deleteToken(key) {
      await deleted(key);
    },

    async deleteSession(uid) {
      if (!findable(uid)) return false;
      return outbox.transaction(async (trx, ending) => {
        const [ended] = await ending.endSessions('uid = ?', [uid]);
        if (ended === undefined) return false;
        await noteChange(trx, 'session', `${uid} ${ended.subject ?? ended.clientId ?? ''}`);
        return true;
      });
    },

    async listSessions(subject, limit, before) {
      if (!findable(subject)) return [];
      const rows = await sql.run(() => {
        const newest = sql.knex('sessions').select(sessions.names()).where({ subject });
        if (before !== undefined) newest.whereRaw('(created_at, uid) < (?, ?)', [before.createdAt, before.uid]);
        return newest
          .orderBy([
            { column: 'created_at', order: 'desc' },
            { column: 'uid', order: 'desc' },
          ])
          .limit(page(limit));
      });
      return rows.map(sessions.readNamed);
    },

    async sessionsBeyond(prefix, kept) {
      // `~` sorts after every character that may follow the prefix.
      const rows = await sql.rows(sessionsBeyond, [prefix, `${prefix}~`, kept]);
      return rows.map(([uid]) => String(uid));
    },

    touchSessions: (marks) =>
      sessionsSeen.mark(
        sql,
        marks.map(({ uid, at }) => ({ key: [uid], at })),
      ),

    revokeGrant: gathered((id) =>
      sql.transaction(async (trx) => {
        // The grant goes first: a token written at this moment is unusable without it.
        const grants = await trx('grants').where({ id }).delete();
        await trx('tokens').where({ grant_id: id }).delete();
        return grants > 0;
      }),
    ),

    async listGrants(subject, limit) {
      if (!findable(subject)) return [];
      const rows = await sql.run(() =>
        sql
          .knex('grants')
          .select(grants.names())
          .where({ subject })
          .orderBy([{ column: 'expires_at', order: 'desc' }, { column: 'id' }])
          .limit(page(limit)),
      );
      return rows.map(grants.readNamed);
    },

    async revokeGrantsOf(subject, clientId) {
      if (!findable(subject) || !findable(clientId)) return false;
      const of = { subject, client_id: clientId };
      return outbox.transaction(async (trx, ending) => {
        // The consent goes first, so new requests ask for it again. Then the grants, without which no token is valid.
        const consents = await trx('consents').where(of).delete();
        const grants = await ending.endGrants(subject, clientId);
        const tokens = await trx('tokens').where(of).delete();
        return consents + grants + tokens > 0;
      });
    },

    endAll: (subject, keepUid) =>
      outbox.transaction(async (trx, ending) => {
        const kept =
          keepUid === undefined ? undefined : await trx('sessions').where({ uid: keepUid, subject }).first('grants');
        const keptGrants: string[] = kept === undefined ? [] : Object.values(JSON.parse(kept.grants));
        const uid = keepUid ?? '';
        await ending.endSessions('subject = ? and uid <> ?', [subject, uid]);
        await trx('grants').where({ subject }).whereNotIn('id', keptGrants).delete();
        await trx('tokens')
          .where({ subject })
          .where((other) => other.whereNull('session_uid').orWhereNot({ session_uid: uid }))
          .where((other) => other.whereNull('grant_id').orWhereNotIn('grant_id', keptGrants))
          .delete();
        await noteChange(trx, 'account', subject);
      }),

    async purgeExpired(before, limit) {
      let gone = 0;
      for (const [table, key] of expiring) {
        // Small batches in separate transactions, so a request that needs these rows waits only milliseconds.
        gone += await sql.run(() => {
          const expired = sql
            .knex(table)
            .select(key)
            .where('expires_at', '<', before)
            .orderBy('expires_at')
            .limit(limit);
          if (sql.dialect === 'postgres') expired.forUpdate().skipLocked();
          return sql.knex(table).whereIn(key, expired).delete();
        });
      }
      return gone;
    },
  };
}

const expiring = [
  ['tokens', 'key'],
  ['grants', 'id'],
  ['sessions', 'uid'],
  ['links', 'key'],
  ['devices', 'id'],
  ['device_codes', 'user_code'],
] as const;
