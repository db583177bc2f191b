/**
 * Starts the real server, in this process, over real storage: a SQLite file in a fresh directory, or a fresh Postgres
 * database (and Redis) where the environment names one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import { randomToken } from '../../src/base/secrets.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createRouteTable } from '../../src/http/routes.ts';
import { protocolRoutes } from '../../src/oidc/routes.ts';
import { openCore } from '../../src/open-core.ts';
import type { Network } from '../../src/outgoing/network.ts';
import { freePort } from './free-port.ts';
import { keyOfRun } from './once/keys.ts';
import { migratedFile } from './once/migrated.ts';

export const adminKey = 'test-admin-key-0123456789';

export interface TestServer {
  /** The issuer: `http://localhost:<port>` unless the environment said otherwise. */
  readonly url: string;
  readonly port: number;
  readonly app: App;
  readonly core: App['core'];
  readonly dataDir: string;
  /** The settings it was started with, for another process over the same storage. */
  readonly env: Readonly<Record<string, string>>;
  /** Every line the server logged, as JSON text or as readable text. */
  readonly logged: readonly string[];
  close(): Promise<void>;
  /** Stops this server and starts another over the same storage and address. */
  restart(environment?: Record<string, string>): Promise<TestServer>;
}

export interface TestServerOptions {
  /** Settings as they would stand in the environment. */
  readonly env?: Record<string, string>;
  readonly dataDir?: string;
  readonly port?: number;
  /** `localhost` unless said otherwise. */
  readonly host?: string;
  /** Names and connections of outgoing requests, instead of this machine's. */
  readonly network?: Network | undefined;
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const port = options.port ?? (Number(options.env?.PORT) || (await freePort()));
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const env: Record<string, string> = {
    PORT: String(port),
    DATA_DIR: dataDir,
    ADMIN_KEY: adminKey,
    LOG_LEVEL: 'info',
    ...cheapHashes,
    ...(options.env?.DATABASE_URL ? { SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef', MIGRATE: 'true' } : {}),
    ...options.env,
  };
  const loaded = loadConfig(env);
  if (!loaded.ok) throw new Error(`the test's settings are wrong: ${JSON.stringify(loaded.mistakes)}`);
  const config = withCheapestHashes(loaded.config, env);
  const { database } = config;
  if (database.kind === 'sqlite') await migratedFile(database.file);
  const logged: string[] = [];
  const core = await openCore(config, {
    earlyKey: keyOfRun(),
    logTo: { write: (line: string) => void logged.push(line) },
    network: options.network,
  });
  // As the program itself does it: what libraries print is not for the terminal.
  console.warn = (...words: unknown[]) => core.log.debug({ library: words.join(' ') }, 'a library warns');
  const app = await createApp(core).catch(async (error) => {
    // An open database would keep the test run from ending.
    await core.close();
    throw error;
  });
  const unrecorded: string[] = [];
  app.server.on('request', (req, res) => res.on('finish', () => noteUnrecorded(unrecorded, req, res)));
  await app.listen(port, options.host ?? 'localhost');
  const url = config.issuer;

  return {
    url,
    port,
    app,
    core,
    dataDir,
    env,
    logged,
    async close() {
      await app.close(1);
      if (unrecorded.length > 0) throw new Error(`refused without a record: ${unrecorded.join(', ')}`);
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
    async restart(environment = {}) {
      await app.close(1);
      return startServer({ env: { ...env, ...environment }, dataDir, port, network: options.network });
    },
  };
}

/** About the cheapest that settings allow: strength is tested elsewhere, and a suite signs in hundreds of times. */
const cheapHashes = { PASSWORD_HASH_MEMORY: '8192', PASSWORD_HASH_TIME: '1' };

/** In this process far less than that, unless the test says how its server hashes. */
function withCheapestHashes(config: Config, env: Readonly<Record<string, string>>): Config {
  if (env.PASSWORD_HASH_MEMORY !== cheapHashes.PASSWORD_HASH_MEMORY) return config;
  return { ...config, password: { ...config.password, hashMemory: 512 } };
}

const protocol = createRouteTable(protocolRoutes);

/** Whatever a test sends: a refusal at the protocol's endpoints has a record, and its response says where. */
function noteUnrecorded(unrecorded: string[], req: IncomingMessage, res: ServerResponse): void {
  const [path = ''] = (req.url ?? '').split('?', 1);
  if (!protocol.at(path)) return;
  // A device that is to ask again is told when, and is not refused.
  const waits = path === '/oauth/token' && res.statusCode === 400 && res.hasHeader('retry-after');
  const refused = res.statusCode >= 400 && res.statusCode < 500 && !waits;
  if (refused && !/\/why\/[\w-]+>/.test(String(res.getHeader('link')))) {
    unrecorded.push(`${req.method} ${path} ${res.statusCode}`);
  }
}

/** A password that passes every rule and is no one's name. */
export const password = 'seven lemons under glass';

let people = 0;

/** A person with an account on this server. */
export async function buildPerson(
  server: Pick<TestServer, 'core'>,
  overrides: Partial<{
    username: string;
    email: string;
    verified: boolean;
    admin: boolean;
    unprovedName: boolean;
  }> = {},
) {
  people += 1;
  const username = overrides.username ?? `person${people}-${randomToken(4).replace(/[^A-Za-z0-9]/g, 'x')}`;
  const made = await server.core.accounts.create({
    username,
    password,
    firstName: 'Test',
    lastName: 'Person',
    email: `${username}@example.org`,
    verified: true,
    ...overrides,
  });
  if (made.outcome !== 'created') throw new Error(`the test's account was refused: ${JSON.stringify(made)}`);
  return { ...made.account, password };
}

/** A client on this server: confidential with an https redirect URI unless the metadata says otherwise. */
export async function buildClient(
  server: Pick<TestServer, 'app'>,
  metadata: Record<string, unknown> = {},
  origin: 'admin' | 'register' | 'person' = 'admin',
) {
  const made = await server.app.clients.register(
    { client_name: 'Bookshelf', redirect_uris: ['https://app.example.com/cb'], ...metadata },
    { origin, owner: null },
  );
  if (made.outcome !== 'registered') throw new Error(`the test's client was refused: ${JSON.stringify(made)}`);
  return { id: made.client.id, secret: made.secret ?? '', record: made.client };
}
