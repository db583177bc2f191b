/**
 * The engine's hot path on Postgres: units of concurrent requests share one statement, and so do reads
 * (docs/performance.md). Each row carries the number of its unit (`n`) and is written only if the unit is valid.
 *
 * A statement sees one snapshot. A later revocation deletes the grant, session or account that readers join to a token,
 * so a token written concurrently is not usable. Rows that a grant depends on are locked, so a revocation finds a grant
 * that is being written. Accounts are locked first and in the order of subjects, so statements do not deadlock, and a
 * password change waits for a session that the old password started and then ends it. Text is JSON inside JSON, so an
 * escape such as \u0000, which Postgres cannot store, is never decoded. `= any (array(…))` and scalar subqueries force
 * index scans, even while a table is small. If a unit consumes several tokens, `unused` locks all of them, in the order
 * of keys, before one is consumed.
 */
import { nowSeconds } from '../../../base/clock.ts';
import { logoutNotice } from '../../../core/deliveries/logout-notice.ts';
import type { SessionPut, TokenRow, Unit } from '../../../core/stores/engine.ts';
import { createBatcher } from '../batch.ts';
import { type Committed, type EngineDialect, type Sql, type Statement, statement } from '../sql.ts';
import { keepableEvent } from '../stores/audit.ts';
import { mergeDelivery, newDelivery, type Outbox, wantsLogout } from '../stores/outbox.ts';
import { type Selection, selection } from '../table.ts';
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

const readTokens = statement('read_tokens', `${selectToken} where tokens.key = any (?::text[])`);
/** A bundle, with the two values that requested it. */
const asked = <Bundle>(key: string, along: string, bundle: Selection<Bundle>) =>
  selection((row) => ({ key: row.sql<string>(key), along: row.sql<string>(along), bundle: row.from(bundle) }));

const askedGrant = asked('q.id', 'q.session', grantBundle);
const readGrants = statement(
  'read_grants',
  `select ${askedGrant.list}
   from grants
   join unnest(?::text[], ?::text[]) q (id, session) on q.id = grants.id
   left join accounts on accounts.subject = grants.subject
   left join sessions on sessions.uid = q.session
   where grants.id = any (?::text[])`,
);
const askedSession = asked('q.key', 'q.client', sessionBundle);
const readSessions = statement(
  'read_sessions',
  `select ${askedSession.list}
   from sessions
   join unnest(?::text[], ?::text[]) q (key, client) on q.key = sessions.key
   left join accounts on accounts.subject = sessions.subject
   left join grants on grants.id = (sessions.grants::json ->> q.client)
   where sessions.key = any (?::text[])`,
);

const outcome = selection((row) => ({
  n: row.sql<number>('n'),
  overtaken: row.sql<true | null>(`(select true from session s
    where s.n = good.n and s.before is not null and s.uid not in (select uid from renewed_sessions))`),
}));
/** As `outcome`, with the repeats of the token, at the one unit at which they are noted. */
const fullOutcome = selection((row) => ({
  ...row.from(outcome),
  shared: row.sql<number | null>('(select repeats from repeated where repeated.n = good.n and noted)'),
  elsewhere: row.sql<boolean | null>('(select elsewhere from repeated where repeated.n = good.n)'),
}));

/** Deliveries for sessions that a client has left, and repeats of a refresh token. */
const rareParts = `, told as (
    insert into deliveries (${putDelivery.list})
    select ${putDelivery.list} from json_to_recordset(?::json) as x(n int, uid text, ${putDelivery.types})
    where n in (select n from good) and uid in (select uid from renewed_sessions)
      and exists (select 1 from clients where clients.id = x.client_id and ${wantsLogout})
    order by merge_key ${mergeDelivery}
  ), again as (
    select repeated as key, count(*) as times, bool_or(elsewhere) as elsewhere,
      coalesce(min(n) filter (where elsewhere), min(n)) as n
    from unit where repeated is not null and n in (select n from good) group by repeated
  ), locked as (
    select key from tokens where key = any (array(select key from again)) order by key for update
  ), repeated as (
    update tokens t set repeats = t.repeats + again.times, repeats_noted = coalesce(t.repeats_noted,
      case when again.elsewhere or t.repeats + again.times > ${usualRepeats} then t.repeats + again.times end)
    from again
    where t.key = any (array(select key from locked)) and t.key = again.key
    returning again.n, again.elsewhere, t.repeats, t.repeats = t.repeats_noted as noted
  )`;

/** `full`: with the parts that few units need. Without them, the statement costs nothing more than it needs. */
const commitText = (full: boolean) =>
  `with unit as (
    select * from json_to_recordset(?::json) as x(n int, key text, at bigint, successor text, sealed text,
      further text[], account text, password text, repeated text, elsewhere boolean)
  ), further as (
    select n, key as first, at, unnest(further) as key from unit where further is not null
  ), unused as (
    select key from tokens
    where key = any (array(select key from further union select first from further)) and consumed_at is null
    order by key for update
  ), account as (
    select subject, password_hash, disabled_at from accounts
    where subject = any (array(select account from unit where account is not null)) order by subject for share
  ), token as (
    select * from json_to_recordset(?::json) as x(n int, needs text, ${putToken.types})
  ), session as (
    select * from json_to_recordset(?::json) as x(n int, before text, ${putSession.types})
  ), given as (
    select * from json_to_recordset(?::json) as x(n int, rests text, ${putGrant.types})
  ), agreed as (
    select subject, client_id from consents
    where subject = any (array(select subject from given where rests = 'consent'))
      and client_id = any (array(select client_id from given where rests = 'consent')) order by subject, client_id for share
  ), held as (
    select id from grants where id = any (array(select id from given where rests = 'grant')) order by id for update
  ), lacking as (
    select n from unit where account is not null and (select true from account a
      where a.subject = unit.account and a.password_hash is not distinct from unit.password and a.disabled_at is null) is null
    union all
    select n from given where rests = 'consent'
      and (select true from agreed a where a.subject = given.subject and a.client_id = given.client_id) is null
    union all
    select n from given where rests = 'grant' and (select true from held where held.id = given.id) is null
    union all
    select n from token where needs is not null and (select true from grants where id = needs) is null
    union all
    select n from session s where s.before is not null and (select true from sessions where uid = s.uid) is null
    union all
    select n from further where (select true from unused where unused.key = further.key) is null
      or (select true from unused where unused.key = further.first) is null
  ), used as (
    update tokens t set consumed_at = unit.at, successor_key = unit.successor, successor_sealed = unit.sealed
    from unit
    where t.key = any (array(select key from unit)) and t.key = unit.key and t.consumed_at is null
      and unit.n not in (select n from lacking)
    returning unit.n
  ), good as (
    select n from used
    union all
    select n from unit where key is null and n not in (select n from lacking)
  ), used_further as (
    update tokens t set consumed_at = further.at
    from further
    where t.key = any (array(select key from further)) and t.key = further.key and further.n in (select n from good)
  ), put_grants as (
    insert into grants (${putGrant.list})
    select ${putGrant.list} from given where n in (select n from good) order by id ${putGrant.replace}
  ), put_tokens as (
    insert into tokens (${putToken.list})
    select ${putToken.list} from token where n in (select n from good) order by key ${putToken.replace}
  ), put_audit as (
    insert into audit (${putAudit.list})
    select ${putAudit.list} from json_to_recordset(?::json) as x(n int, ${putAudit.types})
    where n in (select n from good)
  ), new_sessions as (
    insert into sessions (${putSession.list})
    select ${putSession.list} from session
    where before is null and n in (select n from good) order by uid ${putSession.replace}
  ), renewed_sessions as (
    update sessions t set ${putSession.changed.map((column) => `${column} = s.${column}`).join(', ')}
    from session s
    where t.uid = any (array(select uid from session)) and t.uid = s.uid and t.payload = s.before
      and s.n in (select n from good)
    returning t.uid
  )${full ? rareParts : ''}
  select ${(full ? fullOutcome : outcome).list} from good`;

const commitUnits = statement('commit_units', commitText(false));
const commitFull = statement('commit_units_full', commitText(true));

/** For the test that an index serves each statement. */
export const postgresStatements = [readTokens, readGrants, readSessions, commitUnits, commitFull];

/** Keeps the last of several rows with one name, as if the rows were written one after the other. */
function latest<T>(rows: readonly T[], name: (row: T) => string): readonly T[] {
  return rows.length < 2 ? rows : [...new Map(rows.map((row) => [name(row), row])).values()];
}

/** For each parameter of `commitUnits`, in order: the rows of the unit with the number `n`. */
const parameters: readonly ((unit: Unit, n: number) => readonly object[])[] = [
  ({ consume: [first, ...further] = [], account, repeat }, n) => [
    {
      n,
      ...(first && { key: first.key, at: first.at }),
      ...(first?.successor && { successor: first.successor.key, sealed: first.successor.sealed }),
      ...(further.length > 0 && { further: further.map(({ key }) => key) }),
      ...(account && { account: account.subject, password: account.passwordHash }),
      ...(repeat && { repeated: repeat.key, elsewhere: repeat.elsewhere }),
    },
  ],
  ({ tokens = [], grants = [] }, n) => {
    const own = new Set(grants.map((grant) => grant.id));
    const needs = ({ grantId }: TokenRow) => (grantId === null || own.has(grantId) ? null : grantId);
    return latest(tokens, (token) => token.key).map((token) => putToken.row(token, { n, needs: needs(token) }));
  },
  ({ sessions = [] }, n) => {
    const createdAt = nowSeconds();
    const row = (session: SessionPut) => putSession.row({ ...session, createdAt }, { n, before: session.before });
    return latest(sessions, (session) => session.uid).map(row);
  },
  ({ grants = [] }, n) =>
    latest(grants, (grant) => grant.id).map((grant) => putGrant.row(grant, { n, rests: grant.rests })),
  ({ audit = [] }, n) => audit.map((event) => putAudit.row(keepableEvent(event), { n })),
];

const parametersOf = (units: readonly Unit[]): string[] =>
  parameters.map((rows) => JSON.stringify(units.flatMap(rows)));

const isRare = ({ sessions = [], repeat }: Unit): boolean =>
  repeat !== undefined || sessions.some(({ left = [] }) => left.length > 0);

function leftOf({ sessions = [] }: Unit, n: number): readonly object[] {
  return sessions.flatMap(({ uid, left = [] }) =>
    left.map((part) => putDelivery.row(newDelivery(logoutNotice(part)), { n, uid })),
  );
}

/** Names every row that the unit changes. */
function keysOf(unit: Unit): string[] {
  const keys = (unit.consume ?? []).map(({ key }) => `t${key}`);
  for (const token of unit.tokens ?? []) keys.push(`t${token.key}`);
  for (const grant of unit.grants ?? []) keys.push(`g${grant.id}`);
  for (const { uid, left = [] } of unit.sessions ?? []) {
    keys.push(`s${uid}`);
    for (const part of left) keys.push(`d${logoutNotice(part).mergeKey}`);
  }
  return keys;
}

/** A higher limit would only make batches smaller: the cost on Postgres is the number of statements. */
const lanes = { limit: 3, size: 64 };

export function postgresEngine(sql: Sql, outbox: Pick<Outbox, 'written'>): EngineDialect {
  async function sendFull(units: readonly Unit[]): Promise<Committed[]> {
    const left = units.flatMap(leftOf);
    const rows = await sql.rows(commitFull, [...parametersOf(units), JSON.stringify(left)]);
    if (left.length > 0) outbox.written();
    const good = new Map(
      rows.map(fullOutcome.read).map(({ n, overtaken, shared, elsewhere }): [number, Committed] => {
        if (shared !== null) return [n, { repeats: shared, elsewhere: elsewhere === true }];
        return [n, overtaken ? 'overtaken' : 'committed'];
      }),
    );
    return units.map((_, n) => good.get(n) ?? 'spent');
  }

  return {
    commit: createBatcher<Unit, Committed>({
      ...lanes,
      keys: keysOf,
      async send(units) {
        if (units.some(isRare)) return sendFull(units);
        const rows = (await sql.rows(commitUnits, parametersOf(units))).map(outcome.read);
        const good = new Map(
          rows.map(({ n, overtaken }): [number, Committed] => [n, overtaken ? 'overtaken' : 'committed']),
        );
        return units.map((_, n) => good.get(n) ?? 'spent');
      },
    }),
    readToken: createBatcher({
      ...lanes,
      async send(keys: readonly string[]) {
        const bundles = (await sql.rows(readTokens, [keys])).map(tokenBundle.read);
        const found = new Map(bundles.map((bundle) => [bundle.token.key, bundle]));
        return keys.map((key) => found.get(key));
      },
    }),
    readGrant: mergedPairs(sql, readGrants, askedGrant),
    readSession: mergedPairs(sql, readSessions, askedSession),
  };
}

function mergedPairs<Bundle>(
  sql: Sql,
  statement: Statement,
  pair: ReturnType<typeof asked<Bundle>>,
): (key: string, along: string) => Promise<Bundle | undefined> {
  const read = createBatcher({
    ...lanes,
    async send(pairs: readonly (readonly [key: string, along: string])[]) {
      const keys = pairs.map(([key]) => key);
      const rows = await sql.rows(statement, [keys, pairs.map(([, along]) => along), keys]);
      const found = new Map(rows.map(pair.read).map(({ key, along, bundle }) => [`${key} ${along}`, bundle]));
      return pairs.map(([key, along]) => found.get(`${key} ${along}`));
    },
  });
  return (key, along) => read([key, along]);
}
