/** Runs a suite over every storage: SQLite always, Postgres and Redis where the environment names servers for tests. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe } from '@jest/globals';
import type { Network } from '../../src/outgoing/network.ts';
import { describePostgres, migratedPostgres, type TestDatabase } from './databases.ts';
import { isTested } from './needs.ts';
import { startServer, type TestServer, type TestServerOptions } from './server.ts';

export interface Storage {
  readonly kind: 'sqlite' | 'postgres';
  /**
   * A server over a fresh, empty database of this kind. `network`: instead of this machine's, for outgoing requests.
   */
  start(env?: Record<string, string>, network?: Network): Promise<TestServer>;
  /**
   * Another server over the database of `first`, as a second machine would be: its own port, the same issuer and
   * secrets. `env`: what its settings say otherwise.
   */
  join(first: TestServer, env?: Record<string, string>, network?: Network): Promise<TestServer>;
}

export function describeStorages(name: string, suite: (storage: Storage) => void): void {
  describe(`${name} (SQLite)`, () => {
    const joined: TestServer[] = [];
    suite({
      kind: 'sqlite',
      start: (env = {}, network) => startServer({ env, network }),
      join: (first, env = {}, network) => join(first, joined, env, network),
    });
    afterAll(() => closeAll(joined));
  });

  describePostgres(`${name} (Postgres and Redis)`, () => {
    const databases: TestDatabase[] = [];
    const joined: TestServer[] = [];
    const environments = new Map<string, Record<string, string>>();
    const redis = isTested('Redis') ? { REDIS_URL: process.env.TEST_REDIS_URL ?? '' } : undefined;
    suite({
      kind: 'postgres',
      async start(env = {}, network) {
        const database = await migratedPostgres();
        databases.push(database);
        const prefix = { REDIS_PREFIX: `test-${randomBytes(6).toString('hex')}:` };
        const all = { DATABASE_URL: database.url, ...(redis ? { ...redis, ...prefix } : {}), ...env };
        const server = await startServer({ env: all, network });
        environments.set(server.url, all);
        return server;
      },
      join: (first, env = {}, network) => join(first, joined, { ...environments.get(first.url), ...env }, network),
    });
    // Last, so that the suite's own servers are closed by then.
    afterAll(async () => {
      await closeAll(joined);
      for (const database of databases) await database.drop();
    });
  });
}

async function join(
  first: TestServer,
  joined: TestServer[],
  env: Record<string, string>,
  network: Network | undefined,
): Promise<TestServer> {
  const options: TestServerOptions = { env: { ...env, ISSUER: first.url }, dataDir: first.dataDir, network };
  const server = await startServer(options);
  joined.push(server);
  return at(server);
}

async function closeAll(servers: readonly TestServer[]): Promise<void> {
  for (const server of servers) await server.close();
}

/** The same server by the address where it listens, whatever its issuer says. */
export function at(server: TestServer): TestServer {
  return { ...server, url: `http://localhost:${server.port}` };
}
