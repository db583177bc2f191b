/**
 * R1: the whole server, as two nodes, through a PgBouncer that pools by transaction; and what it says when what lies
 * behind is away.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { commandLine } from '../cli/command-line.ts';
import { freshPostgres, type TestDatabase } from '../support/databases.ts';
import { codeFor, redeem, refresh, tokensFor, userinfo } from '../support/flow.ts';
import { freePort } from '../support/free-port.ts';
import { describePgbouncer, type Pgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { eventually } from '../support/redis-server.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { type OwnPostgres, ownPostgres } from '../support/services.ts';
import { at } from '../support/storages.ts';

const readiness = async (server: Pick<TestServer, 'url'>) => (await fetch(`${server.url}/readyz`)).status;

/** Each of `count` once, at most `together` at the same time. */
async function inTurns<T>(count: number, together: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const turn = async () => {
    for (let n = next++; n < count; n = next++) done[n] = await work(n);
  };
  await Promise.all(Array.from({ length: together }, turn));
  return done;
}

describePgbouncer('R1: the server behind PgBouncer', () => {
  let database: TestDatabase;
  let bouncer: Pgbouncer;
  let nodes: TestServer[];
  let url: string;
  beforeAll(async () => {
    database = await freshPostgres();
    bouncer = await startPgbouncer(database.url, { size: 3 });
    url = bouncer.through(database.url);
    const ports = [await freePort(), await freePort()];
    const env = { DATABASE_URL: url, ISSUER: `http://localhost:${ports[0]}` };
    // Both at once over an empty database, which each is told to migrate.
    nodes = (await Promise.all(ports.map((port) => startServer({ env, port })))).map(at);
  });
  afterAll(async () => {
    for (const node of nodes) await node.close();
    await bouncer.close();
    await database.drop();
  });

  const node = (n: number) => nodes[n % nodes.length] as TestServer;

  test('two nodes that start at once migrate the database, are ready, and say in the log that there is a pooler', async () => {
    expect(await Promise.all(nodes.map(readiness))).toEqual([200, 200]);
    for (const { logged } of nodes) expect(logged.join('\n')).toMatch(/connection pooler/);
  });

  test('40 sign-ins, 10 at once, with consent and code; both nodes redeem, refresh and know the person', async () => {
    const outcomes = await inTurns(40, 10, async (n) => {
      const client = await buildClient(node(n));
      const signIn = { scope: 'openid offline_access', extra: { prompt: 'consent' } };
      const { grant, agent, person } = await codeFor(node(0), client, signIn);
      const { status, body } = await redeem(node(n), client, grant);
      const again = await codeFor(node(0), client, { agent, person });
      return [
        status,
        (await refresh(node(n + 1), client, body.refresh_token)).status,
        (await userinfo(node(n + 1), body.access_token)).status,
        (await redeem(node(n + 1), client, again.grant)).status,
        await readiness(node(n)),
      ];
    });
    expect(outcomes).toEqual(Array.from({ length: 40 }, () => Array(5).fill(200)));
  });

  test('of 60 redemptions of one code over two nodes one counts', async () => {
    const client = await buildClient(node(0));
    const { grant } = await codeFor(node(0), client);
    const answers = await inTurns(60, 60, (n) => redeem(node(n), client, grant));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(59).fill(400)]);
  });

  test('30 refreshes of one token over two nodes have one successor', async () => {
    const client = await buildClient(node(0));
    const { body } = await tokensFor(node(0), client, { scope: 'openid offline_access', extra: { prompt: 'consent' } });
    const answers = await inTurns(30, 30, (n) => refresh(node(n), client, body.refresh_token));
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(new Set(answers.map((answer) => answer.body.refresh_token)).size).toBe(1);
  });

  test('30 sign-ups of one name over two nodes make one account', async () => {
    const made = await inTurns(30, 30, (n) =>
      buildPerson(node(n), { username: 'only-one', email: `only${n}@example.org` }).then(
        () => 'made',
        () => 'refused',
      ),
    );
    expect(made.filter((each) => each === 'made')).toHaveLength(1);
  });

  test('keys that one node rotates sign and are published on the other; upkeep belongs to one of them', async () => {
    const [first, second] = [node(0).core, node(1).core];
    await Promise.all([first.keys.upkeep(), second.keys.upkeep()]);
    const rotated = await first.keys.rotate({ force: true });
    expect(rotated.outcome).toBe('rotated');
    await first.changes.changed();
    const ring = (core: TestServer['core']) => core.keys.ring().map(({ id, status }) => `${id} ${status}`);
    await second.keys.load();
    expect(ring(second)).toEqual(ring(first));
    const leases = await inTurns(20, 20, (n) => node(n).core.stores.leases.acquire('r1', String(n % 2), 90_000, 0));
    expect(new Set(leases)).toEqual(new Set([true, false]));
  });

  test('the command line works through it; a pool by statement is refused at start, in words', async () => {
    const settings = {
      DATABASE_URL: url,
      SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef',
      DATA_DIR: node(0).dataDir,
    };
    const { pending } = await commandLine(settings, { own: true }).json('migrate', 'status');
    expect(pending).toEqual([]);
    expect((await commandLine(settings, { own: true })('migrate', 'up')).out).toContain('up to date');
    const byStatement = await startPgbouncer(database.url, { mode: 'statement' });
    const wrong = { ...settings, DATABASE_URL: byStatement.through(database.url) };
    const refused = await commandLine(wrong, { own: true })('migrate', 'up');
    const server = await commandLine({ ...wrong, PORT: String(await freePort()) }, { own: true })('serve');
    await byStatement.close();
    for (const { code, err } of [refused, server]) {
      expect([code, err]).toEqual([1, expect.stringContaining('pools by statement')]);
      expect(err).not.toMatch(/\bat .*:\d+/);
    }
  });
});

describePgbouncer('R1: what lies behind PgBouncer is away', () => {
  let postgres: OwnPostgres;
  let bouncer: Pgbouncer;
  let server: TestServer;
  beforeAll(async () => {
    const own = await ownPostgres();
    if (!own) throw new Error('TEST_DATABASE_URL is set, but there is no Postgres on this machine to stop');
    postgres = own;
    const url = await postgres.database();
    bouncer = await startPgbouncer(url, { size: 3, settings: 'server_login_retry = 1' });
    server = await startServer({ env: { DATABASE_URL: bouncer.through(url) } });
  }, 60_000);
  afterAll(async () => {
    await server?.close();
    await bouncer?.close();
    await postgres?.close();
  });

  test.each([
    ['stopped', () => postgres.stopImmediately(), () => postgres.start()],
    ['hung', () => postgres.signal('SIGSTOP'), () => postgres.signal('SIGCONT')],
  ])(
    'K3, K4: while it is %s /readyz and every request are 503 in time, and afterwards all goes on by itself',
    async (_, away, back) => {
      const client = await buildClient(server);
      const { body } = await tokensFor(server, client);
      const { grant } = await codeFor(server, client);
      await away();
      for (let round = 0; round < 2; round++) {
        const began = performance.now();
        const answers = await Promise.all([
          readiness(server),
          userinfo(server, body.access_token).then(({ status }) => status),
          refresh(server, client, body.refresh_token).then(({ status }) => status),
          redeem(server, client, grant).then(({ status }) => status),
        ]);
        expect(answers).toEqual([503, 503, 503, 503]);
        // The promise under test is a limit of time; generously.
        expect(performance.now() - began).toBeLessThan(20_000);
      }
      await back();
      await eventually('it is ready again', async () => (await readiness(server)) === 200, 10_000);
      await eventually('tokens work', async () => (await userinfo(server, body.access_token)).status === 200, 5_000);
      expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
      await tokensFor(server, client);
    },
  );
});
