/**
 * SQL storage: every port of core/stores except cache, channel and throttle, on SQLite or Postgres. Each store is one
 * file. `sqlite.ts` and `postgres.ts` connect to the database; `engine-sqlite.ts` and `engine-postgres.ts` write the
 * requests of one moment together. Core decides what a row means.
 */
import { existsSync } from 'node:fs';
import { NoDatabase } from '../../base/errors.ts';
import type { Stores } from '../../core/stores/stores.ts';
import { createEngineStore } from './engine/engine-store.ts';
import { createMigrations, type Migrations, type MigrationTarget, migrationStatus, refuseNewer } from './migrations.ts';
import type { PostgresSettings } from './postgres-pool.ts';
import { emptySentence, explained, explainedMigrations, teller } from './reasons.ts';
import { type EngineDialect, type Sql, statement } from './sql.ts';
import { createAccountStore } from './stores/accounts.ts';
import { createApiStore } from './stores/apis.ts';
import { createAuditStore } from './stores/audit.ts';
import { createChangeStore } from './stores/changes.ts';
import { createClientStore } from './stores/clients.ts';
import { createConsentStore } from './stores/consents.ts';
import { createDeliveryStore } from './stores/deliveries.ts';
import { createDeviceCodeStore } from './stores/device-codes.ts';
import { createEndedTokenStore } from './stores/ended-tokens.ts';
import { createFactorStore } from './stores/factors.ts';
import { createGroupStore } from './stores/groups.ts';
import { createIdentityStore } from './stores/identities.ts';
import { createKeyStore } from './stores/keys.ts';
import { createKnownBrowserStore } from './stores/known-browsers.ts';
import { createLeaseStore } from './stores/leases.ts';
import { createLinkStore } from './stores/links.ts';
import { createOutbox, type Outbox } from './stores/outbox.ts';
import { createPasskeyStore } from './stores/passkeys.ts';
import { createRefusalStore } from './stores/refusals.ts';
import { createRegistrationStore } from './stores/registrations.ts';
import { createUseStore } from './stores/use.ts';

/** `file` may be `:memory:`. `pool`: the maximum number of connections. */
export type SqlSettings =
  | { readonly kind: 'sqlite'; readonly file: string }
  | ({ readonly kind: 'postgres' } & Pick<PostgresSettings, 'url' | 'pool' | 'pooler'>);

interface SqlOptions {
  /**
   * What to do if migrations are pending: apply them, refuse to start, or leave the database as it is (for the commands
   * that migrate). Default: apply on SQLite, refuse on Postgres.
   */
  readonly migrateAtOpen?: boolean | 'leave';
  /** Throws `NoDatabase` if the database does not exist or is empty, and creates nothing. */
  readonly mustExist?: boolean;
}

export interface SqlStores extends Stores {
  readonly migrate: Migrations;
  /** True if a pooler shares Postgres sessions among clients. */
  behindPooler(): boolean;
}

const ping = statement('ping', 'select 1');

/**
 * Throws `Unavailable` if the database does not answer, `Unusable` if its pooler allows no transactions, and a plain
 * error if its schema does not match this version.
 */
export async function openSql(settings: SqlSettings, options: SqlOptions = {}): Promise<SqlStores> {
  if (options.mustExist && settings.kind === 'sqlite') requireFile(settings.file);
  const opening = settings.kind === 'sqlite' ? sqlite(settings.file) : postgres(settings);
  const { sql, engine, migrate, behindPooler } = await opening.catch(teller(settings));
  try {
    if (options.mustExist && (await migrationStatus(sql.knex)).applied.length === 0)
      throw new NoDatabase(emptySentence(settings));
    await prepare(sql, migrate, options.migrateAtOpen ?? settings.kind === 'sqlite');
  } catch (error) {
    await sql.close();
    throw teller(settings)(error);
  }
  const outbox = createOutbox(sql);
  return {
    accounts: createAccountStore(sql, outbox),
    factors: createFactorStore(sql),
    passkeys: createPasskeyStore(sql),
    identities: createIdentityStore(sql),
    knownBrowsers: createKnownBrowserStore(sql),
    groups: createGroupStore(sql),
    clients: createClientStore(sql),
    apis: createApiStore(sql),
    changes: createChangeStore(sql),
    engine: createEngineStore(sql, engine(outbox), outbox),
    deviceCodes: createDeviceCodeStore(sql),
    endedTokens: createEndedTokenStore(sql),
    consents: createConsentStore(sql),
    keys: createKeyStore(sql),
    audit: createAuditStore(sql),
    links: createLinkStore(sql),
    leases: createLeaseStore(sql),
    use: createUseStore(sql),
    refusals: createRefusalStore(sql),
    deliveries: createDeliveryStore(sql, outbox),
    registrations: createRegistrationStore(sql),
    migrate,
    behindPooler,
    async ping() {
      await sql.rows(ping, []);
    },
    roundTrips: () => sql.roundTrips(),
    close: () => sql.close(),
  };
}

/** Throws `NoDatabase`. Runs before opening, because opening would create the file. */
export function requireFile(file: string): void {
  if (!existsSync(file)) throw new NoDatabase(`There is no database at ${file}.`);
}

type Opened = { sql: Sql; engine: (outbox: Outbox) => EngineDialect; migrate: Migrations; behindPooler: () => boolean };

async function sqlite(file: string): Promise<Opened> {
  const [{ openSqlite }, { sqliteEngine }] = await Promise.all([
    import('./sqlite.ts'),
    import('./engine/engine-sqlite.ts'),
  ]);
  const sql = openSqlite(file);
  const target: MigrationTarget = sql;
  const migrate = createMigrations(async () => ({ target, close: async () => {} }));
  return { sql, engine: (outbox) => sqliteEngine(sql, outbox), migrate, behindPooler: () => false };
}

async function postgres(settings: PostgresSettings): Promise<Opened> {
  const [{ openPostgres }, { postgresEngine }] = await Promise.all([
    import('./postgres.ts'),
    import('./engine/engine-postgres.ts'),
  ]);
  const told = { kind: 'postgres', url: settings.url } as const;
  const opened = openPostgres(settings);
  const sql = explained(opened, told);
  const migrate = createMigrations(async () => {
    const target = openPostgres({ ...settings, pool: 1, patient: true });
    return { target, close: () => target.close() };
  });
  const { behindPooler } = opened;
  return {
    sql,
    engine: (outbox) => postgresEngine(sql, outbox),
    migrate: explainedMigrations(migrate, told),
    behindPooler,
  };
}

async function prepare(sql: Sql, migrate: Migrations, migrateAtOpen: boolean | 'leave'): Promise<void> {
  if (migrateAtOpen === 'leave') return;
  const status = await migrationStatus(sql.knex);
  refuseNewer(status);
  if (status.pending.length === 0) return;
  if (!migrateAtOpen) {
    throw new Error(
      `The database lacks ${status.pending.join(', ')}. Apply it with: npm run cli -- migrate up (or start with MIGRATE=true)`,
    );
  }
  await migrate.up();
}
