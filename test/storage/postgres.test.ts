import { createServer, type Socket } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { openSql } from '../../src/storage/sql/open.ts';
import { openPostgres } from '../../src/storage/sql/postgres.ts';
import { statement } from '../../src/storage/sql/sql.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/redis-server.ts';
import { storageConformance } from './conformance.ts';
import { storageRaces } from './races.ts';
import { buildClient, buildToken, now } from './rows.ts';

describePostgres('Postgres', () => {
  const made: TestDatabase[] = [];
  async function fresh(): Promise<TestDatabase> {
    const database = await freshPostgres(4);
    made.push(database);
    return database;
  }
  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  storageConformance('Postgres', async () => openSql((await fresh()).settings, { migrateAtOpen: true }));

  storageRaces('Postgres', async () => {
    const { settings } = await fresh();
    return {
      stores: await openSql(settings, { migrateAtOpen: true }),
      other: await openSql(settings),
    };
  });

  async function asAdmin(url: string, command: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(command);
    await client.end();
  }

  test('connections that the server ended are replaced, and a read does not notice', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: true });
    await Promise.all(Array.from({ length: 8 }, () => stores.clients.find('x')));
    for (let round = 0; round < 3; round++) {
      await asAdmin(
        database.url,
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      expect(await stores.clients.find('x')).toBeUndefined();
      expect(await stores.engine.readToken('x')).toBeUndefined();
    }
    await expect(stores.clients.insert(buildClient())).resolves.toBe(true);
    await stores.close();
  });

  test('closing waits for what is under way, and leaves no connection open', async () => {
    const database = await fresh();
    const sql = openPostgres({ url: database.url, pool: 4 });
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
    const count = async (more = '') => (await holder.query(`select 1 ${others} ${more}`)).rows.length;

    await holder.query('select pg_advisory_lock(1)');
    // One way in each: a connection that Knex holds, and one of a fixed statement.
    const wait = 'select 1 from pg_advisory_xact_lock(1)';
    const underWay = [sql.run(() => sql.knex.raw(wait)), sql.rows(statement('wait', wait), [])];
    await eventually('both wait', async () => (await count("and wait_event_type = 'Lock'")) === 2);
    const closed = sql.close();
    await holder.query('select pg_advisory_unlock(1)');
    await Promise.all([closed, ...underWay]);
    await eventually('no connection is left', async () => (await count()) === 0);
    await holder.end();
  });

  test('a database that may only be read is Unavailable for writes and answers reads', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: true });
    await stores.close();
    await asAdmin(
      database.url,
      `alter database ${new URL(database.url).pathname.slice(1)} set default_transaction_read_only = on`,
    );
    const standby = await openSql(database.settings);
    const unavailable = { name: 'Unavailable', what: 'database' };
    await expect(standby.engine.commit({ tokens: [buildToken()] })).rejects.toMatchObject(unavailable);
    await expect(standby.engine.insertOnce(buildToken(), now)).rejects.toMatchObject(unavailable);
    await expect(standby.clients.insert(buildClient())).rejects.toMatchObject(unavailable);
    expect(await standby.engine.readToken('x')).toBeUndefined();
    await standby.close();
  });

  test('a server that is not there is Unavailable', async () => {
    const gone = openSql({ kind: 'postgres', url: 'postgres://nobody@127.0.0.1:1/none', pool: 1 });
    await expect(gone).rejects.toMatchObject({ name: 'Unavailable', what: 'database' });
  });

  test('a server that hangs is Unavailable within about five seconds, and the stores work again when it answers', async () => {
    const database = await fresh();
    const through = await hangingProxy(database.url);
    const stores = await openSql({ kind: 'postgres', url: through.url, pool: 2 }, { migrateAtOpen: true });
    const token = buildToken();
    await stores.engine.commit({ tokens: [token] });
    through.hang(true);
    const start = performance.now();
    const hung = await Promise.allSettled([
      stores.ping(),
      stores.clients.find('x'),
      stores.engine.readToken(token.key),
      stores.engine.commit({ tokens: [buildToken()] }),
      stores.clients.insert(buildClient()),
      stores.accounts.count(),
    ]);
    expect(hung.map((each) => (each.status === 'rejected' ? each.reason.name : each.status))).toEqual(
      hung.map(() => 'Unavailable'),
    );
    // The promise under test is a limit of time, so this one test looks at the clock; generously.
    expect(performance.now() - start).toBeLessThan(20_000);
    through.hang(false);
    await stores.ping();
    expect((await stores.engine.readToken(token.key))?.token.key).toBe(token.key);
    expect(await stores.engine.commit({ consume: [{ key: token.key, at: now }] })).toEqual({ outcome: 'committed' });
    await stores.close();
    through.close();
  });
});

/** Passes bytes on to the server, or swallows them while it hangs, as a stopped server does. */
async function hangingProxy(target: string): Promise<{ url: string; hang(hanging: boolean): void; close(): void }> {
  const { connect } = await import('node:net');
  const address = new URL(target);
  let hanging = false;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect(Number(address.port || 5432), address.hostname);
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => each.destroy()).on('close', () => sockets.delete(each));
    }
    socket.on('data', (bytes) => hanging || upstream.write(bytes)).on('close', () => upstream.destroy());
    upstream.on('data', (bytes) => hanging || socket.write(bytes)).on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(typeof bound === 'object' && bound !== null ? bound.port : 0);
  return {
    url: url.href,
    hang(value) {
      hanging = value;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
