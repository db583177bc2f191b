/**
 * The engine's hot path on Postgres: units of concurrent requests share one statement, and so do reads. Each row carries the
 * number of its unit (`n`) and is written only where the unit is good.
 */
import { nowSeconds } from '../../../base/clock.ts';
import type { GrantPut, SessionPut, TokenRow, Unit } from '../../../core/stores/engine.ts';
import { createBatcher } from '../batch.ts';
import { grantBundle, sessionBundle, tokenBundle } from '../rows.ts';
import { type Committed, type EngineDialect, type Row, type Sql, type Statement, statement } from '../sql.ts';
import { auditColumns, auditRow } from '../stores/audit.ts';

const readTokens = statement('read_tokens', `${tokenBundle} where t.key = any (?::text[])`);
const readGrants = statement(
  'read_grants',
  `select ${grantBundle}, q.session
   from grants g
   join unnest(?::text[], ?::text[]) q (id, session) on q.id = g.id
   left join accounts a on a.subject = g.subject
   left join sessions s on s.uid = q.session
   where g.id = any (?::text[])`,
);
const readSessions = statement(
  'read_sessions',
  `select ${sessionBundle}, q.client
   from sessions s
   join unnest(?::text[], ?::text[]) q (key, client) on q.key = s.key
   left join accounts a on a.subject = s.subject
   left join grants g on g.id = (s.grants::json ->> q.client)
   where s.key = any (?::text[])`,
);

/**
 * One statement sees one snapshot. A revocation that commits after it was taken deletes the row that readers look for beside
 * the token (grant, session, account), so what slips in behind it is not usable. Text comes as JSON inside JSON: an escape
 * such as \u0000, which Postgres cannot store, is never decoded. `= any (array(…))` and the scalar subqueries leave the planner
 * no other way than the index, even while a table is so small that reading all of it would be as fast.
 *
 * What a grant rests on is locked in the same way, so that whoever takes back what they have allowed finds the grant that is made of
 * it at this moment. An account is locked before anything is written, for every write looks at what is lacking, and always in one order: so whoever
 * changes a password waits for the session that this password has begun, and then ends it, and no two wait for each other.
 */
const commitUnits = statement(
  'commit_units',
  `with unit as (
    select * from json_to_recordset(?::json) as x(n int, key text, at bigint, successor text, sealed text, account text, password text)
  ), account as (
    select subject, password_hash, disabled_at from accounts
    where subject = any (array(select account from unit where account is not null)) order by subject for share
  ), token as (
    select * from json_to_recordset(?::json) as x(n int, key text, kind text, payload text, "grantId" text,
      "clientId" text, subject text, "sessionUid" text, "expiresAt" bigint, needs text)
  ), session as (
    select * from json_to_recordset(?::json) as x(n int, key text, uid text, subject text, payload text, grants text,
      "expiresAt" bigint, before text, "createdAt" bigint, door text, "clientId" text, address text, "userAgent" text)
  ), given as (
    select * from json_to_recordset(?::json) as x(n int, id text, "clientId" text, subject text, payload text, "expiresAt" bigint, rests text)
  ), agreed as (
    select subject, client_id from consents
    where subject = any (array(select subject from given where rests = 'consent'))
      and client_id = any (array(select "clientId" from given where rests = 'consent')) order by subject, client_id for share
  ), held as (
    select id from grants where id = any (array(select id from given where rests = 'grant')) order by id for update
  ), lacking as (
    select n from unit where account is not null and (select true from account a
      where a.subject = unit.account and a.password_hash is not distinct from unit.password and a.disabled_at is null) is null
    union all
    select n from given where rests = 'consent'
      and (select true from agreed a where a.subject = given.subject and a.client_id = given."clientId") is null
    union all
    select n from given where rests = 'grant' and (select true from held where held.id = given.id) is null
    union all
    select n from token where needs is not null and (select true from grants where id = needs) is null
    union all
    select n from session s where s.before is not null and (select true from sessions where uid = s.uid) is null
  ), used as (
    update tokens t set consumed_at = unit.at, successor_key = unit.successor, successor_sealed = unit.sealed
    from unit
    where t.key = any (array(select key from unit)) and t.key = unit.key and t.consumed_at is null and unit.n not in (select n from lacking)
    returning unit.n
  ), good as (
    select n from used
    union all
    select n from unit where key is null and n not in (select n from lacking)
  ), put_grants as (
    insert into grants (id, client_id, subject, payload, expires_at)
    select id, "clientId", subject, payload, "expiresAt" from given
    where n in (select n from good) order by id
    on conflict (id) do update set client_id = excluded.client_id, subject = excluded.subject,
      payload = excluded.payload, expires_at = excluded.expires_at
  ), put_tokens as (
    insert into tokens (key, kind, payload, grant_id, client_id, subject, session_uid, expires_at)
    select key, kind, payload, "grantId", "clientId", subject, "sessionUid", "expiresAt" from token
    where n in (select n from good) order by key
    on conflict (key) do update set kind = excluded.kind, payload = excluded.payload, grant_id = excluded.grant_id,
      client_id = excluded.client_id, subject = excluded.subject, session_uid = excluded.session_uid,
      expires_at = excluded.expires_at
  ), put_audit as (
    insert into audit (${auditColumns.join(', ')})
    select ${auditColumns.join(', ')}
    from json_to_recordset(?::json) as x(n int, at_ms bigint, event text, subject text, client_id text, address text, request_id text, detail text)
    where n in (select n from good)
  ), new_sessions as (
    insert into sessions (key, uid, subject, payload, grants, expires_at, created_at, door, client_id, address, user_agent)
    select key, uid, subject, payload, grants, "expiresAt", "createdAt", door, "clientId", address, "userAgent" from session
    where before is null and n in (select n from good) order by uid
    on conflict (uid) do update set key = excluded.key, subject = excluded.subject, payload = excluded.payload,
      grants = excluded.grants, expires_at = excluded.expires_at, address = excluded.address,
      user_agent = excluded.user_agent
  ), renewed_sessions as (
    update sessions t set key = s.key, subject = s.subject, payload = s.payload, grants = s.grants,
      expires_at = s."expiresAt", address = s.address, user_agent = s."userAgent"
    from session s
    where t.uid = any (array(select uid from session)) and t.uid = s.uid and t.payload = s.before and s.n in (select n from good)
    returning t.uid
  )
  select n, (select true from session s where s.n = good.n and s.before is not null and s.uid not in (select uid from renewed_sessions))
  from good`,
);

/** For the test that each of them is served by an index. */
export const postgresStatements = [readTokens, readGrants, readSessions, commitUnits];

/** The last of several rows under one name, as if they had been written one after the other. */
function latest<T>(rows: readonly T[], name: (row: T) => string): readonly T[] {
  return rows.length < 2 ? rows : [...new Map(rows.map((row) => [name(row), row])).values()];
}

function parameters(units: readonly Unit[]): string[] {
  const heads: unknown[] = [];
  const tokens: (TokenRow & { n: number; needs: string | null })[] = [];
  const sessions: (Omit<SessionPut, 'grants' | 'origin'> &
    SessionPut['origin'] & { n: number; grants: string; createdAt: number })[] = [];
  const grants: (GrantPut & { n: number })[] = [];
  const audit: (ReturnType<typeof auditRow> & { n: number })[] = [];
  units.forEach((unit, n) => {
    const { consume, account } = unit;
    heads.push({
      n,
      ...(consume && { key: consume.key, at: consume.at }),
      ...(consume?.successor && { successor: consume.successor.key, sealed: consume.successor.sealed }),
      ...(account && { account: account.subject, password: account.passwordHash }),
    });
    const own = new Set(unit.grants?.map((grant) => grant.id));
    for (const token of latest(unit.tokens ?? [], (row) => row.key)) {
      tokens.push({ ...token, n, needs: token.grantId === null || own.has(token.grantId) ? null : token.grantId });
    }
    for (const session of latest(unit.sessions ?? [], (row) => row.uid)) {
      const { origin, ...row } = session;
      sessions.push({ ...row, ...origin, n, grants: JSON.stringify(session.grants), createdAt: nowSeconds() });
    }
    for (const grant of latest(unit.grants ?? [], (row) => row.id)) grants.push({ ...grant, n });
    for (const event of unit.audit ?? []) audit.push({ ...auditRow(event), n });
  });
  return [heads, tokens, sessions, grants, audit].map((rows) => JSON.stringify(rows));
}

/** Every row that the unit changes, by name. */
function keysOf(unit: Unit): string[] {
  const keys: string[] = unit.consume === undefined ? [] : [`t${unit.consume.key}`];
  for (const token of unit.tokens ?? []) keys.push(`t${token.key}`);
  for (const grant of unit.grants ?? []) keys.push(`g${grant.id}`);
  for (const session of unit.sessions ?? []) keys.push(`s${session.uid}`);
  return keys;
}

/** More at once would only mean smaller batches: Postgres is busiest, and slowest, with many small statements. */
const lanes = { limit: 3, size: 64 };

export function postgresEngine(sql: Sql): EngineDialect {
  const readSession = mergedPairs(sql, readSessions);
  const readGrant = mergedPairs(sql, readGrants);

  return {
    commit: createBatcher<Unit, Committed>({
      ...lanes,
      keys: keysOf,
      async send(units) {
        const rows = await sql.rows(commitUnits, parameters(units));
        const good = new Map(
          rows.map(([n, overtaken]): [unknown, Committed] => [n, overtaken ? 'overtaken' : 'committed']),
        );
        return units.map((_, n) => good.get(n) ?? 'spent');
      },
    }),
    readToken: merged(sql, readTokens),
    readGrant: (id, session) => readGrant([id, session]),
    readSession: (key, client) => readSession([key, client]),
  };
}

/** Reads rows by their first column. */
function merged(sql: Sql, read: Statement): (key: string) => Promise<Row | undefined> {
  return createBatcher({
    ...lanes,
    async send(keys) {
      const rows = new Map((await sql.rows(read, [keys])).map((row) => [row[0], row]));
      return keys.map((key) => rows.get(key));
    },
  });
}

/** Reads rows by their first column and what is read along with it, which the statement repeats as its last. */
function mergedPairs(sql: Sql, read: Statement): (pair: readonly [string, string]) => Promise<Row | undefined> {
  return createBatcher({
    ...lanes,
    async send(pairs) {
      const keys = pairs.map(([key]) => key);
      const found = await sql.rows(read, [keys, pairs.map(([, along]) => along), keys]);
      const rows = new Map(found.map((row) => [`${row[0]} ${row.at(-1)}`, row]));
      return pairs.map(([key, along]) => rows.get(`${key} ${along}`));
    },
  });
}
