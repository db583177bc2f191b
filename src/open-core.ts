/**
 * Storage, caches, accounts, clients, keys: everything that decides, opened over one configuration. The server builds its doors
 * over it (app.ts), the command line uses it as it is. Only these two and this file see core, storage and login methods together.
 */
import { createLog, type LogLevel } from './base/log.ts';
import { createMetrics } from './base/metrics.ts';
import { deriveKey } from './base/secrets.ts';
import type { Config } from './config/load.ts';
import { openSecrets } from './config/secrets.ts';
import { createAccounts } from './core/accounts.ts';
import { createAdminKeys } from './core/admin-keys.ts';
import { createApis } from './core/apis.ts';
import { createAudit } from './core/audit.ts';
import { createCachedClients } from './core/cached-clients.ts';
import { createClients } from './core/clients.ts';
import { createKeys, type NewKey } from './core/keys.ts';
import { createSetup } from './core/setup.ts';
import { createSignIn } from './core/sign-in.ts';
import { createTokens } from './core/tokens.ts';
import { openLoginMethods } from './login/methods.ts';
import type { ProtocolPages } from './oidc/ports.ts';
import { createProtocol } from './oidc/provider.ts';
import { createLocalChannel } from './storage/local/channel.ts';
import { createLocalThrottle } from './storage/local/throttle.ts';
import { openSql } from './storage/sql/open.ts';

export type Core = Awaited<ReturnType<typeof openCore>>;

export interface CoreOptions {
  /** An RSA key already being made, for a first start that should not wait for it. */
  readonly earlyKey?: Promise<NewKey> | undefined;
  /** Where log lines go instead of standard output. */
  readonly logTo?: { write(line: string): void } | undefined;
  /** In place of `LOG_LEVEL`. */
  readonly logLevel?: LogLevel;
  /** False: leaves it to a server's start to make and show one. */
  readonly makeAdminKey?: boolean;
}

/** Throws `Unavailable` where the database does not answer, and a plain error, fit to be shown, for any other reason not to start. */
export async function openCore(config: Config, options: CoreOptions = {}) {
  const secrets = openSecrets(config, options.makeAdminKey);
  const { log, close: closeLog } = createLog({
    level: options.logLevel ?? config.logLevel,
    format: config.production ? 'json' : 'readable',
    ...(options.logTo ? { to: options.logTo } : {}),
  });
  const metrics = createMetrics();
  const stores = await openSql(config.database, config.migrate ? { migrateAtOpen: true } : {});
  const fallbackThrottle = createLocalThrottle();
  const redis =
    config.redis && (await openRedisStorage(config.redis, secrets.secretKey, fallbackThrottle, log, metrics));
  const channel = redis?.channel ?? createLocalChannel();
  const throttle = redis?.throttle ?? fallbackThrottle;

  const audit = createAudit({ store: stores.audit, log, metrics });
  const cached = createCachedClients({
    ...stores,
    channel,
    ...(redis ? { cache: redis.cache } : {}),
    lookedUp: (from) => metrics.count('client_lookups_total', { from }),
  });
  const apis = createApis({ store: stores.apis, cached, issuer: config.issuer });
  const keys = createKeys(stores.keys, {
    secretKey: secrets.secretKey,
    jwksMaxAge: config.keys.jwksMaxAge,
    rotationDays: config.keys.rotationDays,
    longestToken: Math.max(86_400, config.lifetimes.accessToken, config.lifetimes.idToken),
  });
  const { password: hasher } = openLoginMethods({
    password: {
      memoryKiB: config.password.hashMemory,
      timeCost: config.password.hashTime,
      queue: config.password.queue,
    },
  });
  const accounts = createAccounts({
    store: stores.accounts,
    engine: stores.engine,
    hasher,
    audit,
    settings: { passwordMinLength: config.password.minLength, serviceName: config.brandName },
  });
  const signIn = createSignIn({
    accounts: stores.accounts,
    hasher,
    throttle,
    audit,
    log,
    metrics,
    limits: {
      account: config.throttle.accountLimit,
      address: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const setup = createSetup({
    accounts,
    store: stores.accounts,
    links: stores.links,
    leases: stores.leases,
    audit,
    settings: { linkTtlSeconds: config.setupLinkTtl },
  });
  const tokens = createTokens({ keys, engine: stores.engine, clients: cached, issuer: config.issuer });
  const adminKeys = createAdminKeys(secrets.adminKeyDigests);

  const close = async (): Promise<void> => {
    cached.close();
    await signIn.close();
    await audit.close();
    redis?.close();
    await stores.close();
    await closeLog();
  };
  await Promise.all([cached.start(), keys.load(options.earlyKey)]).catch(async (error: unknown) => {
    // An open database would keep a command, which ends by itself, from ending.
    await close();
    throw error;
  });
  metrics.read('db_round_trips_total', () => stores.roundTrips());
  metrics.read('redis_up', () => (redis ? Number(redis.healthy()) : undefined));

  /** The protocol, whose pages differ between the server and the command line (which shows none). */
  const protocolWith = (pages: ProtocolPages) =>
    createProtocol({
      issuer: config.issuer,
      userApi: `${config.issuer}/user`,
      engine: stores.engine,
      accounts: stores.accounts,
      consents: stores.consents,
      clients: cached,
      apis,
      keys,
      pages,
      log,
      events: {
        issued: (grantType) => metrics.count('tokens_issued_total', { grant_type: grantType, kind: 'access_token' }),
        replayed: (grantId, clientId, subject) =>
          audit.note('grant.replayed', { clientId, subject, detail: { grantId } }),
        signedOut: (subject, clientId) => audit.note('sign_out', { subject, clientId }),
      },
      settings: {
        secretKey: secrets.secretKey,
        jwksMaxAge: config.keys.jwksMaxAge,
        lifetimes: { ...config.lifetimes, reuseWindow: config.lifetimes.refreshReuseWindow },
      },
    });

  /** Clients are checked by the engine that will serve them. */
  const clientsWith = (protocol: ReturnType<typeof createProtocol>) =>
    createClients({
      store: stores.clients,
      cached,
      checkWithEngine: protocol.checkMetadata,
      secretOverlapSeconds: config.lifetimes.clientSecretOverlap,
    });

  return {
    config,
    secrets,
    log,
    metrics,
    stores,
    redis,
    audit,
    cached,
    apis,
    keys,
    accounts,
    signIn,
    setup,
    tokens,
    adminKeys,
    protocolWith,
    clientsWith,
    close,
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
  const { openRedis } = await import('./storage/redis/open.ts');
  return openRedis({
    ...redis,
    sealKey: deriveKey(secretKey, 'client-cache'),
    fallbackThrottle,
    onState: (up) => {
      metrics.set('redis_up', {}, Number(up));
      if (up) log.info('Redis answers');
      else log.warn('Redis does not answer: going on without it');
    },
  });
}
