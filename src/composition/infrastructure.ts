/** What everything else stands on: the log, storage, what is kept of it in memory, the keys, the sessions. */
import { createLog, type LogLevel } from '../base/log.ts';
import { createMetrics } from '../base/metrics.ts';
import { deriveKey } from '../base/secrets.ts';
import type { Config } from '../config/config.ts';
import { openSecrets } from '../config/secrets.ts';
import { createActivity } from '../core/accounts/activity.ts';
import { createApis } from '../core/apis/apis.ts';
import { createChangeLog } from '../core/changes/change-log.ts';
import { createCachedClients } from '../core/clients/cached-clients.ts';
import { createUnprotected } from '../core/clients/unprotected.ts';
import { createAudit } from '../core/kernel/audit.ts';
import { createCredentialLimits } from '../core/kernel/credential-limits.ts';
import { createKeys } from '../core/keys/keys.ts';
import { createRefusals } from '../core/refusals/refusals.ts';
import { createSessions } from '../core/sessions/sessions.ts';
import { createNoteRefusal } from '../http/note-refusal.ts';
import { createLocalChannel } from '../storage/local/channel.ts';
import { createLocalThrottle } from '../storage/local/throttle.ts';
import { openSql, requireFile } from '../storage/sql/open.ts';

export interface InfrastructureOptions {
  /** Where log lines go instead of standard output. */
  readonly logTo?: { write(line: string): void } | undefined;
  /** In place of `LOG_LEVEL`. */
  readonly logLevel?: LogLevel;
  /** False: leaves it to a server's start to make and show one. */
  readonly makeAdminKey?: boolean;
  /** True: throws `NoDatabase` where there is none yet, before anything is made. */
  readonly mustExist?: boolean;
}

export type Infrastructure = Awaited<ReturnType<typeof openInfrastructure>>['infrastructure'];

export async function openInfrastructure(config: Config, options: InfrastructureOptions) {
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
  const fallbackThrottle = createLocalThrottle();
  const redis =
    config.redis && (await openRedisStorage(config.redis, secrets.secretKey, fallbackThrottle, log, metrics));
  const channel = redis?.channel ?? createLocalChannel();
  const throttle = redis?.throttle ?? fallbackThrottle;
  metrics.read('db_round_trips_total', () => stores.roundTrips());
  metrics.read('redis_up', () => (redis ? Number(redis.healthy()) : undefined));

  const audit = createAudit({ store: stores.audit, log, metrics });
  const credentials = createCredentialLimits({
    throttle,
    audit,
    metrics,
    limits: { address: config.throttle.addressLimit, windowSeconds: config.throttle.window },
  });
  const refusals = createRefusals({ store: stores.refusals, log, metrics });
  const noteRefusal = createNoteRefusal({ refusals, issuer: config.issuer });
  const changes = createChangeLog({ changes: stores.changes, channel });
  const cached = createCachedClients({
    ...stores,
    log: changes,
    ...(redis ? { cache: redis.cache } : {}),
    lookedUp: (from) => metrics.count('client_lookups_total', { from }),
  });
  const apis = createApis({ store: stores.apis, cached, changes, issuer: config.issuer });
  const keys = createKeys(stores.keys, {
    secretKey: secrets.secretKey,
    jwksMaxAge: config.keys.jwksMaxAge,
    rotationDays: config.keys.rotationDays,
    longestToken: longestSigned(config.lifetimes),
  });
  const activity = createActivity({ ...stores, log });
  const unprotected = createUnprotected({ ...stores, changes, log });
  const sessions = createSessions({
    engine: stores.engine,
    changes,
    audit,
    secretKey: secrets.secretKey,
    idle: config.lifetimes.sessionIdle,
  });
  const infrastructure = {
    config,
    secrets,
    log,
    print,
    metrics,
    stores,
    redis,
    throttle,
    audit,
    credentials,
    refusals,
    noteRefusal,
    changes,
    cached,
    apis,
    keys,
    activity,
    unprotected,
    sessions,
  };
  return { infrastructure, closeLog };
}

/** Seconds: a key stays published until the last token that it signed has ended. */
function longestSigned(lifetimes: Config['lifetimes']): number {
  const { accessToken, idToken, identityToken, securityServiceToken, tinyoauthToken } = lifetimes;
  const { spaceGuardToken, spaceGuardRefresh } = lifetimes;
  // A day for the APIs whose tokens have a lifetime of their own (core/apis).
  return Math.max(
    86_400,
    accessToken,
    idToken,
    identityToken,
    securityServiceToken,
    tinyoauthToken,
    spaceGuardToken,
    spaceGuardRefresh,
  );
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
