/** R1: the storage through a real PgBouncer, which lends the same few sessions to everyone in turn. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { openSql, type SqlSettings } from '../../src/storage/sql/open.ts';
import { openPostgres } from '../../src/storage/sql/postgres.ts';
import { statement } from '../../src/storage/sql/sql.ts';
import { freshPostgres, type TestDatabase } from '../support/databases.ts';
import { describePgbouncer, type Pgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { eventually } from '../support/redis-server.ts';
import { storageConformance } from './conformance.ts';
import { backends, sessionsOf } from './pooler-sessions.ts';
import { storageRaces } from './races.ts';
import { buildAccount, buildClient, buildEvent, buildGrant, buildSession, buildToken, now } from './rows.ts';

type Postgres = Extract<SqlSettings, { kind: 'postgres' }>;

const size = 3;
const preparedHere = statement('prepared_here', 'select name from pg_prepared_statements order by name');
const setting = statement(
  'setting',
  "select current_setting('statement_timeout'), current_setting('enable_seqscan'), current_setting('application_name')",
);

describePgbouncer('R1: behind PgBouncer', () => {
  let bouncer: Pgbouncer;
  const opened: { close(): Promise<void> }[] = [];
  const made: TestDatabase[] = [];
  beforeAll(async () => {
    bouncer = await startPgbouncer(process.env.TEST_DATABASE_URL ?? '', { size });
  });
  afterAll(async () => {
    for (const each of opened) await each.close();
    await bouncer.close();
    for (const database of made) await database.drop();
  });

  async function fresh(through: Pgbouncer = bouncer) {
    const database = await freshPostgres();
    made.push(database);
    const settings: Postgres = { kind: 'postgres', url: through.through(database.url), pool: 8 };
    return { direct: database.url, settings };
  }

  async function pooler(options: Parameters<typeof startPgbouncer>[1]): Promise<Pgbouncer> {
    const started = await startPgbouncer(process.env.TEST_DATABASE_URL ?? '', options);
    opened.push(started);
    return started;
  }

  storageConformance('Postgres behind PgBouncer', async () =>
    openSql((await fresh()).settings, { migrateAtOpen: true }),
  );

  storageRaces('Postgres behind PgBouncer', async () => {
    // As many sessions as both may want: on a busy machine hundreds of commits would wait too long for three.
    const { settings } = await fresh(await pooler({ size: 20 }));
    return { stores: await openSql(settings, { migrateAtOpen: true }), other: await openSql(settings) };
  });

  /** Something of each kind: single statements, Knex's, transactions, refused ones, migrations, leases. */
  async function work(settings: Postgres): Promise<void> {
    const [stores, other] = await Promise.all([
      openSql(settings, { migrateAtOpen: true }),
      openSql(settings, { migrateAtOpen: true }),
    ]);
    for (let round = 0; round < 10; round++) {
      const [account, client, grant, session] = [buildAccount(), buildClient(), buildGrant(), buildSession()];
      const namesake = buildAccount({ usernameKey: account.usernameKey });
      const token = buildToken({ grantId: grant.id });
      await Promise.all([
        stores.accounts.insert(account),
        other.accounts.insert(namesake),
        stores.clients.insert(client),
        other.clients.find(client.id),
        stores.engine.commit({ tokens: [token], grants: [grant], sessions: [session] }),
        other.engine.readToken(token.key),
        stores.engine.deleteSession(session.uid),
        stores.audit.append([buildEvent()]),
        other.changes.note('client', client.id),
        stores.leases.acquire('upkeep', 'one', round + 90_000, round),
        other.leases.acquire('upkeep', 'two', round + 90_000, round),
        stores.engine.purgeExpired(now, 10),
        other.ping(),
      ]);
    }
    await stores.migrate.down({ steps: 1 });
    await stores.migrate.up();
    await Promise.all([stores.close(), other.close()]);
  }

  // By session, a connection of ours keeps one of the pooler's.
  test.each([
    { mode: 'transaction', size, pool: 8 },
    { mode: 'session', size: 6, pool: 2 },
  ] as const)(
    'pool_mode $mode: nothing is left that another user of the pool would inherit: no setting, statement, lock, channel, table',
    async ({ mode, size, pool }) => {
      const { settings, direct } = await fresh(await pooler({ mode, size, settings: 'server_reset_query =' }));
      await work({ ...settings, pool });
      const [mine] = await sessionsOf(direct, 1);
      const lent = await backends(direct);
      expect(lent.length).toBeGreaterThan(1);
      const found = await sessionsOf(settings.url, size);
      expect(found.map(({ pid }) => pid)).toEqual(expect.arrayContaining(lent));
      for (const { pid: _pid, ...left } of found) {
        expect(left).toEqual({ settings: mine?.settings, prepared: [], locks: [], channels: [], temporary: [] });
      }
    },
  );

  test('it is found out by itself, or said; without it statements stay prepared and settings are made once', async () => {
    const { settings, direct } = await fresh();
    const cases: [Postgres, boolean][] = [
      [settings, true],
      [{ ...settings, pooler: 'on' }, true],
      [{ ...settings, url: direct, pooler: 'on' }, true],
      [{ ...settings, url: direct }, false],
      [{ ...settings, url: direct, pooler: 'off' }, false],
    ];
    for (const [each, pooled] of cases) {
      const sql = openPostgres({ ...each, pool: 1 });
      // For each statement, also where it is alone and where Knex has built it.
      expect(await sql.rows(setting, [])).toEqual([['5s', 'off', pooled ? '' : 'gatehouse']]);
      const built = () => sql.knex.select(sql.knex.raw("current_setting('statement_timeout') as limit")).first();
      expect(await built()).toEqual({ limit: '5s' });
      expect(await sql.transaction((trx) => built().transacting(trx))).toEqual({ limit: '5s' });
      await sql.rows(preparedHere, []);
      expect(await sql.rows(preparedHere, [])).toEqual(pooled ? [] : [['prepared_here'], ['setting']]);
      expect([sql.behindPooler(), sql.roundTrips()]).toEqual([pooled, 7]);
      await sql.close();
    }
  });

  test('DATABASE_POOLER=off where sessions are shared after all: unavailable with the reason, and not an error of ours', async () => {
    const { settings } = await fresh();
    const stores = await openSql({ ...settings, pooler: 'off' }, { migrateAtOpen: true });
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => stores.clients.find('x')));
    const reasons = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) {
      expect(reason).toMatchObject({
        name: 'Unavailable',
        cause: { message: expect.stringContaining('prepared statement') },
      });
    }
    await stores.close();
  });

  test('K4: what waits for a lock ends within about five seconds, here and at the server, and leaves the pool usable', async () => {
    const { settings, direct } = await fresh();
    const stores = await openSql(settings, { migrateAtOpen: true });
    const token = buildToken();
    await stores.engine.commit({ tokens: [token] });
    const locker = new pg.Client({ connectionString: direct });
    await locker.connect();
    try {
      await locker.query('begin; lock tokens, clients, changes');
      const waiting = await Promise.allSettled([
        stores.engine.readToken(token.key),
        stores.clients.insert(buildClient()),
        stores.changes.note('client', 'x'),
      ]);
      expect(waiting).toEqual(
        waiting.map(() => ({ status: 'rejected', reason: expect.objectContaining({ name: 'Unavailable' }) })),
      );
      // The lock is still held: without a limit of the server's own they would wait for it there.
      await eventually('nothing is left at the server', async () => (await backends(direct, 'active')).length === 0);
    } finally {
      await locker.end();
    }
    expect((await stores.engine.readToken(token.key))?.token.key).toBe(token.key);
    await stores.close();
  });

  test('sessions that the server ended are replaced, and a read does not notice', async () => {
    const { settings, direct } = await fresh();
    const stores = await openSql(settings, { migrateAtOpen: true });
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 8 }, () => stores.clients.find('x')));
      const admin = new pg.Client({ connectionString: direct });
      await admin.connect();
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      await admin.end();
      expect(await stores.clients.find('x')).toBeUndefined();
    }
    await stores.close();
  });

  test.each([1, size])('several processes that start at once migrate once, through a pool of %i', async (size) => {
    const { settings } = await fresh(await pooler({ size }));
    const all = await Promise.all(Array.from({ length: 4 }, () => openSql(settings, { migrateAtOpen: true })));
    const status = await all[0]?.migrate.status();
    expect(status).toEqual({ applied: expect.arrayContaining(['0001-tables']), pending: [], unknown: [] });
    for (const stores of all) await stores.close();
  });

  test.each([undefined, 'leave'] as const)(
    'a pool by statement is refused at the start, with the reason (%s)',
    async (migrateAtOpen) => {
      const { settings } = await fresh(await pooler({ mode: 'statement', size }));
      const start = async () => {
        const stores = await openSql(settings, migrateAtOpen === undefined ? {} : { migrateAtOpen });
        await stores.migrate.up().finally(() => stores.close());
      };
      await expect(start()).rejects.toMatchObject({
        name: 'Unusable',
        message: expect.stringMatching(/pools by statement.*Set its pool_mode to transaction/),
      });
    },
  );
});
