/**
 * The composition root, read like an inventory: what there is, and what each part is given. Only this file and the command line
 * see core, storage and login methods together.
 *
 *   openCore    storage, caches, accounts, clients, keys: what the command line needs as well
 *   createApp   the protocol, the pages and the surfaces over a core, as one HTTP server
 */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import Koa from 'koa';
import { nowMs, nowSeconds } from './base/clock.ts';
import { Unavailable } from './base/errors.ts';
import { createLog, type LogLevel } from './base/log.ts';
import { createMetrics } from './base/metrics.ts';
import { deriveKey, randomToken } from './base/secrets.ts';
import type { Config } from './config/load.ts';
import { openSecrets } from './config/secrets.ts';
import { createAccounts } from './core/accounts.ts';
import { createAdminKeys } from './core/admin-keys.ts';
import { createApis } from './core/apis.ts';
import { createAudit } from './core/audit.ts';
import { createCachedClients } from './core/cached-clients.ts';
import { createClients } from './core/clients.ts';
import { createKeys, generateKey, type NewKey } from './core/keys.ts';
import { createSetup } from './core/setup.ts';
import { createSignIn } from './core/sign-in.ts';
import { createTokens } from './core/tokens.ts';
import { createUpkeep } from './core/upkeep.ts';
import { createCsrf } from './http/csrf.ts';
import { errorHandler, logFailure } from './http/errors.ts';
import { createFrontDoor } from './http/front-door.ts';
import { createPages } from './http/page.ts';
import { createRenderer } from './http/render.ts';
import { serveStatic } from './http/static.ts';
import { loadTexts } from './http/texts.ts';
import { createConsentStep } from './interaction/consent.ts';
import { createInteractions } from './interaction/dispatcher.ts';
import { createEnginePages } from './interaction/engine-pages.ts';
import { createLoginStep } from './interaction/login.ts';
import { createSignedIn } from './interaction/signed-in.ts';
import { createStartAgain } from './interaction/start-again.ts';
import { openLoginMethods } from './login/methods.ts';
import type { ProtocolPages } from './oidc/ports.ts';
import { createProtocol, protocolPaths, resumePath } from './oidc/provider.ts';
import { createOps } from './ops/ops.ts';
import { createLocalChannel } from './storage/local/channel.ts';
import { createLocalThrottle } from './storage/local/throttle.ts';
import { openSql } from './storage/sql/open.ts';
import { surfaces } from './surfaces/surfaces.ts';
import { createWelcome } from './welcome/welcome.ts';

const root = join(import.meta.dirname, '..');

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

/** The client of the playground: public, in development only, and gone again when the server next starts in production. */
const playgroundClient = 'playground';

export async function createApp(core: Core) {
  const { config, log, metrics, stores, cached, audit } = core;
  const secure = config.issuer.startsWith('https:');
  const texts = loadTexts(join(root, 'views/texts'));
  const statics = serveStatic(join(root, 'public'));
  const renderer = createRenderer({
    viewsDir: join(root, 'views'),
    overrideDir: config.viewsDir,
    brandName: config.brandName,
    texts,
    statics,
  });
  const pages = createPages({ renderer, texts, secure });
  const csrf = createCsrf(core.secrets.secretKey, config.issuer);
  const { accounts, consents, engine } = stores;

  const protocol = core.protocolWith(
    createEnginePages({ pages, accounts, log, secure, development: config.development }),
  );
  const clients = core.clientsWith(protocol);
  cached.onChange('key', async () => {
    await core.keys.load();
    protocol.swap();
  });
  await keepPlaygroundClient(clients, config);

  let draining = false;
  const koa = new Koa();
  koa.proxy = true;
  // The handler's own logging says more than Koa's default, which prints to standard error.
  koa.on('error', logFailure(log));
  koa.use(errorHandler({ log, pages }));
  koa.use(
    createOps({
      metrics,
      adminKeys: core.adminKeys,
      ping: stores.ping,
      draining: () => draining,
      metricsElsewhere: config.metricsPort !== undefined,
    }),
  );
  koa.use(
    createInteractions({
      provider: protocol.provider,
      pages,
      csrf,
      startAgain: createStartAgain(engine),
      steps: {
        login: createLoginStep({ pages, csrf, signIn: core.signIn, clients: cached }),
        consent: createConsentStep({ pages, csrf, clients: cached, apis: core.apis, accounts, consents, audit }),
      },
    }),
  );
  koa.use(
    createWelcome({
      issuer: config.issuer,
      development: config.development,
      pages,
      csrf,
      setup: core.setup,
      statics,
      passwordMinLength: config.password.minLength,
      signedIn: createSignedIn({ provider: protocol.provider, accounts }),
      playgroundClient: config.development ? playgroundClient : undefined,
    }),
  );
  for (const open of surfaces) {
    const surface = open({ ...core, clients, reloadClients: () => cached.reload() });
    if (config.surfaces === 'all' || config.surfaces.includes(surface.name)) koa.use(surface.routes);
  }

  const frontDoor = createFrontDoor({
    issuer: config.issuer,
    trustProxy: config.trustProxy,
    log,
    metrics,
    protocolPaths,
    resumePath,
    protocol,
    draining: () => draining,
    rest: koa.callback() as (req: unknown, res: unknown) => Promise<void>,
  });
  const server = createServer(
    {
      // A client that dribbles its request is let go (security.md L4); keep-alive outlives the usual proxies' own.
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 65_000,
    },
    frontDoor,
  );
  const upkeep = createUpkeep({
    holder: randomToken(9),
    stores,
    keys: core.keys,
    keysChanged: () => cached.changed(),
    log,
    now: { ms: nowMs, seconds: nowSeconds },
  });

  return {
    core,
    clients,
    protocol,
    server,
    /** Listens and begins the background work. Rejects where the address is taken. */
    async listen(port = config.port, host = config.host): Promise<{ port: number }> {
      await listening(server, port, host);
      upkeep.start();
      const address = server.address();
      return { port: typeof address === 'object' && address ? address.port : port };
    },
    /** From now on every answer ends its connection, and a load balancer is told to look elsewhere. */
    startDraining(): void {
      draining = true;
    },
    /** Takes no new work, lets what is under way finish for at most `seconds`, and closes everything. */
    async close(seconds = config.shutdownTimeout): Promise<void> {
      draining = true;
      upkeep.stop();
      await drained(server, seconds);
      await core.close();
    },
  };
}

export type App = Awaited<ReturnType<typeof createApp>>;

async function keepPlaygroundClient(clients: ReturnType<typeof createClients>, config: Config): Promise<void> {
  try {
    if (!config.development) {
      await clients.remove(playgroundClient);
      return;
    }
    const redirect = `${config.issuer}/playground`;
    const metadata = {
      client_name: 'Playground',
      client_uri: redirect,
      redirect_uris: [redirect],
      post_logout_redirect_uris: [redirect],
      token_endpoint_auth_method: 'none',
    };
    const known = await clients.find(playgroundClient);
    if (known?.metadata.client_uri === redirect) return;
    const made = known
      ? await clients.update(playgroundClient, metadata, 'built-in')
      : await clients.register(metadata, { origin: 'built-in', owner: null, id: playgroundClient });
    if (made.outcome === 'invalid') throw new Error(`the playground's client is refused: ${made.description}`);
  } catch (error) {
    // Starting while the database is away is fine; the playground comes with the next start.
    if (!(error instanceof Unavailable)) throw error;
  }
}

function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function drained(server: Server, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const last = setTimeout(() => server.closeAllConnections(), seconds * 1000);
    // A connection that was busy when the server closed is idle a moment later. Looked at after this turn's sockets have been
    // read: until then one on which the next request waits looks idle as well.
    const idle = setInterval(() => setImmediate(() => server.closeIdleConnections()), 50);
    setImmediate(() =>
      server.close(() => {
        clearTimeout(last);
        clearInterval(idle);
        resolve();
      }),
    );
    return undefined;
  });
}

export { generateKey };
