/** Opens what core needs, as the settings say: the log, storage, the login methods, the transport of mails. */
import { join } from 'node:path';
import { createLog, type LogLevel } from '../base/log.ts';
import { createMetrics } from '../base/metrics.ts';
import { deriveKey } from '../base/secrets.ts';
import type { Config } from '../config/config.ts';
import { openSecrets } from '../config/secrets.ts';
import { createBreachedPasswords } from '../login/breach/breach.ts';
import { codeMethods, loginMethods } from '../login/methods.ts';
import { recoveryCodeFormat } from '../login/recovery-code/recovery-code.ts';
import { createWording } from '../mail/letters.ts';
import { openMail } from '../mail/open.ts';
import { buttonColours } from '../pages/kit/brand/theme.ts';
import { loadTexts, type Texts } from '../pages/kit/texts.ts';
import { createLocalChannel } from '../storage/local/channel.ts';
import { createLocalThrottle } from '../storage/local/throttle.ts';
import { openSql, requireFile } from '../storage/sql/open.ts';

export interface AdapterOptions {
  /** Where log lines go instead of standard output. */
  readonly logTo?: { write(line: string): void } | undefined;
  /** In place of `LOG_LEVEL`. */
  readonly logLevel?: LogLevel;
  /** False: leaves it to a server's start to make and show one. */
  readonly makeAdminKey?: boolean;
  /** True: throws `NoDatabase` where there is none yet, before anything is made. */
  readonly mustExist?: boolean;
}

export type Adapters = Awaited<ReturnType<typeof openAdapters>>;

const textsDir = join(import.meta.dirname, '../../views/texts');

export async function openAdapters(config: Config, options: AdapterOptions = {}) {
  if (options.mustExist && config.database.kind === 'sqlite') requireFile(config.database.file);
  const secrets = openSecrets(config, options.makeAdminKey);
  const {
    log,
    print,
    close: closeLog,
  } = createLog({
    level: options.logLevel ?? config.logLevel,
    format: config.production ? 'json' : 'readable',
    ...(options.logTo ? { to: options.logTo } : {}),
  });
  const metrics = createMetrics();
  const stores = await openSql(config.database, {
    ...(config.migrate && { migrateAtOpen: true }),
    ...(options.mustExist && { mustExist: true }),
  });
  if (stores.behindPooler())
    log.info('Postgres is reached through a connection pooler: nothing is kept in its sessions');
  metrics.read('db_round_trips_total', () => stores.roundTrips());
  const local = createLocalThrottle();
  const redis = config.redis && (await openRedisStorage(config.redis, secrets.secretKey, local, log, metrics));
  metrics.read('redis_up', () => (redis ? Number(redis.healthy()) : undefined));
  const { breachedUrl, hashMemory, hashTime, queue } = config.password;
  let catalogue: Texts | undefined;
  return {
    config,
    secrets,
    log,
    print,
    metrics,
    stores,
    throttle: redis?.throttle ?? local,
    channel: redis?.channel ?? createLocalChannel(),
    ...(redis && { cache: redis.cache }),
    methods: {
      password: loginMethods.password({ memoryKiB: hashMemory, timeCost: hashTime, queue }),
      passkey: loginMethods.passkey?.({ issuer: config.issuer, brandName: config.brandName }),
      codes: codeMethods,
      recoveryCodes: recoveryCodeFormat,
    },
    breached: breachedUrl === undefined ? undefined : createBreachedPasswords({ url: breachedUrl }, log),
    ...openMail(config.mail, print),
    // The server has read the catalogue for its pages; a command reads it with its first mail.
    word: createWording({
      ...config,
      button: config.brand.accent === undefined ? undefined : buttonColours(config.brand.accent),
      catalogue: () => (catalogue ??= loadTexts(textsDir, config.viewsDir && join(config.viewsDir, 'texts'))),
    }),
    async close(): Promise<void> {
      redis?.close();
      await stores.close();
      await closeLog();
    },
  };
}

async function openRedisStorage(
  redis: NonNullable<Config['redis']>,
  secretKey: string,
  fallbackThrottle: ReturnType<typeof createLocalThrottle>,
  log: ReturnType<typeof createLog>['log'],
  metrics: ReturnType<typeof createMetrics>,
) {
  // Loaded only where it is configured: a start without Redis does not pay for it.
  const { openRedis } = await import('../storage/redis/open.ts');
  return openRedis({
    ...redis,
    sealKey: deriveKey(secretKey, 'client-cache'),
    fallbackThrottle,
    onState: (up, reason) => {
      metrics.set('redis_up', {}, Number(up));
      if (up) log.info('Redis answers');
      else log.warn({ reason }, 'going on without Redis');
    },
  });
}
