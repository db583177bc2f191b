/** Opens storage from the settings: SQL always; throttle, channel and client cache in Redis if configured. */
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { deriveKey } from '../base/secrets.ts';
import type { Storage } from '../core/stores/stores.ts';
import { createLocalChannel } from './local/channel.ts';
import { createLocalThrottle } from './local/throttle.ts';
import type { RedisSettings } from './redis/open.ts';
import { openSql, type SqlSettings } from './sql/open.ts';

interface StorageSettings {
  readonly database: SqlSettings;
  readonly migrate: boolean;
  readonly redis: Pick<RedisSettings, 'url' | 'prefix'> | undefined;
}

interface StorageParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly secrets: { readonly secretKey: string };
  /** True: throws `NoDatabase` if the database does not exist yet. */
  readonly mustExist: boolean;
}

/** Throws what `openSql` throws. Waits for Redis at most half a second. */
export async function openStorage(
  { database, migrate, redis }: StorageSettings,
  parts: StorageParts,
): Promise<Storage> {
  const { log, metrics, mustExist } = parts;
  const stores = await openSql(database, { ...(migrate && { migrateAtOpen: true }), mustExist });
  if (stores.behindPooler())
    log.info('Postgres is reached through a connection pooler: nothing is kept in its sessions');
  metrics.read('db_round_trips_total', () => stores.roundTrips());
  const throttle = createLocalThrottle();
  const opened = redis && (await openRedisStorage(redis, throttle, parts));
  metrics.read('redis_up', () => (opened ? Number(opened.healthy()) : undefined));
  return {
    stores,
    throttle: opened?.throttle ?? throttle,
    channel: opened?.channel ?? createLocalChannel(),
    cache: opened?.cache,
    async close(): Promise<void> {
      opened?.close();
      await stores.close();
    },
  };
}

async function openRedisStorage(
  redis: NonNullable<StorageSettings['redis']>,
  fallbackThrottle: RedisSettings['fallbackThrottle'],
  { log, metrics, secrets }: StorageParts,
) {
  // Loaded only if Redis is configured, so other starts do not pay for it.
  const { openRedis } = await import('./redis/open.ts');
  return openRedis({
    ...redis,
    sealKey: deriveKey(secrets.secretKey, 'client-cache'),
    fallbackThrottle,
    onState: (up, reason) => {
      metrics.set('redis_up', {}, Number(up));
      if (up) log.info('Redis answers');
      else log.warn({ reason }, 'going on without Redis');
    },
  });
}
