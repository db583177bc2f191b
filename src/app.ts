/**
 * The composition root, read like an inventory: the protocol, the pages and the surfaces over a core, as one HTTP server.
 */
import { createServer } from 'node:http';
import { join } from 'node:path';
import Koa from 'koa';
import { createAccountPages } from './account/account.ts';
import { nowMs, nowSeconds } from './base/clock.ts';
import { randomToken } from './base/secrets.ts';
import { keepAccountClient } from './core/account-client.ts';
import { assuranceOf } from './core/assurance.ts';
import { createConnections } from './core/connections.ts';
import { createOwnClients } from './core/own-clients.ts';
import { createUpkeep } from './core/upkeep.ts';
import { createUpstream } from './core/upstream.ts';
import { createGallery } from './gallery/gallery.ts';
import { tryViews } from './gallery/try-views.ts';
import { gatewayApi } from './gateway/api.ts';
import { createGateway } from './gateway/gateway.ts';
import { limitBodyTime } from './http/body-deadline.ts';
import { openBrand } from './http/brand.ts';
import { createCsrf } from './http/csrf.ts';
import { errorHandler, logFailure } from './http/errors.ts';
import { createFrontDoor } from './http/front-door.ts';
import { drained, listening } from './http/listen.ts';
import { createPages } from './http/page.ts';
import { createRenderer } from './http/render.ts';
import { serveStatic } from './http/static.ts';
import type { Surface } from './http/surface.ts';
import { loadTexts } from './http/texts.ts';
import { createArrival } from './interaction/arrival.ts';
import { createChooserStep } from './interaction/chooser.ts';
import { createConsentStep } from './interaction/consent.ts';
import { createInteractions } from './interaction/dispatcher.ts';
import { createEnginePages } from './interaction/engine-pages.ts';
import { createEnrolStep } from './interaction/enrol.ts';
import { createLoginStep } from './interaction/login.ts';
import { createSecondFactorStep } from './interaction/second-factor.ts';
import { createSignUpStep } from './interaction/sign-up.ts';
import { createBrowserSession, createSignedIn } from './interaction/signed-in.ts';
import { createStartAgain } from './interaction/start-again.ts';
import { createUpstreamCallback, createUpstreamDetours, createUpstreamStep } from './interaction/upstream.ts';
import { openProviders } from './login/upstream/open.ts';
import { protocolApi } from './oidc/api.ts';
import { protocolPaths, resumePath } from './oidc/provider.ts';
import type { Core } from './open-core.ts';
import { createOps, opsApi } from './ops/ops.ts';
import { createPeople } from './people/people.ts';
import { createSignUpPage } from './people/sign-up.ts';
import { createReference } from './reference/reference.ts';
import { surfaces } from './surfaces/surfaces.ts';
import { createBranding } from './welcome/branding.ts';
import { createLanguagePage } from './welcome/language.ts';
import { keepPlaygroundClient, playgroundClient } from './welcome/playground-client.ts';
import { createWelcome } from './welcome/welcome.ts';

const root = join(import.meta.dirname, '..');

/** For a request's whole body. */
const bodyMs = 30_000;

export async function createApp(core: Core) {
  const { config, log, metrics, stores, cached, audit } = core;
  const secure = config.issuer.startsWith('https:');
  const texts = loadTexts(join(root, 'views/texts'), config.viewsDir && join(config.viewsDir, 'texts'));
  const brand = openBrand(config.brand);
  const statics = serveStatic(join(root, 'public'));
  const renderer = createRenderer({
    viewsDir: join(root, 'views'),
    overrideDir: config.viewsDir,
    brand,
    texts,
    statics,
  });
  if (renderer.overridden.length > 0) tryViews(renderer, (await import('./gallery/states.ts')).states);
  const pages = createPages({ renderer, texts, secure });
  const csrf = createCsrf(core.secrets.secretKey, config.issuer);
  const { accounts, consents, engine } = stores;
  const upstream = createUpstream({
    ...core,
    ...{ accounts, links: stores.links, identities: stores.identities },
    // Not in the core: a command should not want the providers' secrets.
    providers: await openProviders(config.upstreams, {
      development: config.development,
      environment: process.env,
    }),
    issuer: config.issuer,
    secretKey: core.secrets.secretKey,
    settings: {
      signUp: config.signUp,
      addressLimit: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });

  const protocol = core.protocolWith(
    createEnginePages({ pages, accounts, log, secure, development: config.development }),
  );
  const clients = core.clientsWith(protocol);
  core.changes.onChange('key', async () => {
    await core.keys.load();
    protocol.swap();
  });
  await keepPlaygroundClient(clients, config);
  await keepAccountClient(clients, config.issuer);

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
  const signedIn = createSignedIn({ provider: protocol.provider, accounts });
  const signUpPage = createSignUpPage({
    ...core,
    pages,
    csrf,
    mails: core.mails.work,
    settings: { signUp: config.signUp, passwordMinLength: config.password.minLength },
  });
  const enrol = createEnrolStep({ ...core, pages, csrf, clients: cached, accounts });
  koa.use(
    createInteractions({
      provider: protocol.provider,
      pages,
      csrf,
      arrived: createArrival({ ...core, pages }),
      startAgain: createStartAgain(engine),
      steps: {
        chooser: createChooserStep({ ...core, pages, csrf, clients: cached, accounts }),
        login: createLoginStep({
          ...core,
          upstream,
          pages,
          csrf,
          clients: cached,
          accounts,
          offers: { signUp: config.signUp === 'open', forgot: core.mails.work },
        }),
        'sign-up': createSignUpStep({ ...core, page: signUpPage, clients: cached }),
        'second-factor': createSecondFactorStep({ ...core, pages, csrf, clients: cached, accounts }),
        upstream: createUpstreamStep({ upstream, pages, csrf, clients: cached, accounts }),
        enrol,
        offer: enrol,
        consent: createConsentStep({ pages, csrf, clients: cached, apis: core.apis, accounts, consents, audit }),
      },
      detours: createUpstreamDetours({ upstream, pages, csrf, clients: cached, accounts }),
    }),
  );
  koa.use(createUpstreamCallback({ upstream, pages }));
  koa.use(
    createWelcome({
      issuer: config.issuer,
      development: config.development,
      pages,
      csrf,
      setup: core.setup,
      statics,
      passwordMinLength: config.password.minLength,
      signedIn,
      playgroundClient: config.development ? playgroundClient : undefined,
    }),
  );
  koa.use(createBranding({ brand }));
  koa.use(createLanguagePage({ issuer: config.issuer, pages, csrf, locales: texts.locales }));
  if (config.development) koa.use(createGallery({ pages, locales: texts.locales }));
  koa.use(
    createPeople({
      ...core,
      pages,
      csrf,
      signUpPage,
      signedIn,
      mails: core.mails.work,
      home: '/account',
      settings: {
        passwordMinLength: config.password.minLength,
        passwordMinLengthSecondFactor: config.password.minLengthSecondFactor,
        linkSeconds: config.mail.resetLinkTtl,
      },
    }),
  );
  koa.use(
    createAccountPages({
      ...core,
      upstream,
      issuer: config.issuer,
      secretKey: core.secrets.secretKey,
      pages,
      csrf,
      session: createBrowserSession({
        provider: protocol.provider,
        accounts,
        // The engine asks it of every application; these pages go by the session alone.
        enough: (amr) => config.secondFactor !== 'required' || assuranceOf(amr) !== 'single',
      }),
      locales: texts.locales,
      clients,
      connections: createConnections({ consents, engine, audit }),
      passwordMinLength: {
        alone: config.password.minLength,
        withSecondFactor: config.password.minLengthSecondFactor,
      },
    }),
  );
  const opened = surfaces.map((open) =>
    open({
      ...core,
      clients,
      ownClients: createOwnClients({ ...core, clients }),
      authorizer: protocol.authorizer,
      reloadClients: () => cached.reload(),
    }),
  );
  const switchedOn = chosen(opened, config.surfaces);
  for (const surface of switchedOn) koa.use(surface.routes);
  koa.use(
    createReference({
      issuer: config.issuer,
      brandName: config.brandName,
      pages,
      apis: [...switchedOn.map(({ api, aliases }) => ({ ...api, aliases })), protocolApi, gatewayApi, opsApi],
    }),
  );

  const gateway = await createGateway({
    ...core,
    issuer: config.issuer,
    trustProxy: config.trustProxy,
    routesFile: config.gatewayRoutes,
    development: config.development,
    serves: (surface) => switchedOn.some(({ name }) => name === surface),
  });
  const koaHandle = koa.callback() as (req: unknown, res: unknown) => Promise<void>;
  const frontDoor = createFrontDoor({
    issuer: config.issuer,
    trustProxy: config.trustProxy,
    log,
    metrics,
    protocolPaths,
    aliases: new Map(switchedOn.flatMap(({ aliases = {} }) => Object.entries(aliases))),
    resumePath,
    protocol,
    draining: () => draining,
    rest: (req, res) => (gateway.owns(req) ? gateway.handle(req, res) : koaHandle(req, res)),
  });
  const server = createServer(
    {
      // A client that dribbles its request is let go (security.md L4): its headers by this, its body by `limitBodyTime`, since
      // one `requestTimeout` for all would cut off the gateway's uploads. Keep-alive outlives the usual proxies' own.
      headersTimeout: 10_000,
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 65_000,
      shouldUpgradeCallback: gateway.takesUpgrade,
    },
    (req, res) => {
      limitBodyTime(req, bodyMs);
      frontDoor(req, res);
    },
  );
  server.on('upgrade', gateway.upgrade);
  // The gateway asks for a body when it knows from whom it comes; everybody else takes it at once.
  server.on('checkContinue', (req, res) => {
    if (!gateway.owns(req)) res.writeContinue();
    server.emit('request', req, res);
  });
  const upkeep = createUpkeep({
    holder: randomToken(9),
    stores,
    keys: core.keys,
    keysChanged: () => core.changes.changed(),
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
      gateway.start();
      upkeep.start();
      const address = server.address();
      return { port: typeof address === 'object' && address ? address.port : port };
    },
    /** Reads the gateway's route table again. */
    reloadRoutes: gateway.reload,
    /** From now on every answer ends its connection, and a load balancer is told to look elsewhere. */
    startDraining(): void {
      draining = true;
    },
    /** Takes no new work, lets what is under way finish for at most `seconds`, and closes everything. */
    async close(seconds = config.shutdownTimeout): Promise<void> {
      draining = true;
      upkeep.stop();
      gateway.closeSockets();
      await drained(server, seconds);
      gateway.close();
      await core.close();
    },
  };
}

export type App = Awaited<ReturnType<typeof createApp>>;

/** The surfaces that `SURFACES` names. A name that none has would switch one off without a word: refused. */
function chosen(opened: readonly Surface[], wanted: 'all' | readonly string[]): readonly Surface[] {
  if (wanted === 'all') return opened;
  const unknown = wanted.find((name) => !opened.some((surface) => surface.name === name));
  if (unknown !== undefined) {
    const names = opened.map(({ name }) => name).join(', ');
    throw new Error(`SURFACES names ${unknown}, which there is not. There are: ${names} (or all, or none).`);
  }
  return opened.filter(({ name }) => wanted.includes(name));
}
