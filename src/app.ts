/**
 * The composition root, read like an inventory: the protocol, the pages and the surfaces over a core, as one HTTP server.
 */
import Koa from 'koa';
import { createReference } from './api/reference/reference.ts';
import { nowMs, nowSeconds } from './base/clock.ts';
import { digest, randomToken } from './base/secrets.ts';
import { composeSurfaces } from './composition/api-surfaces.ts';
import { composeDevelopmentPages } from './composition/development.ts';
import { composeServer } from './composition/http-server.ts';
import { composeInteractions } from './composition/interactions.ts';
import { composePages } from './composition/pages.ts';
import { keepAccountClient } from './core/clients/account-client.ts';
import { createConnections } from './core/consents/connections.ts';
import { assuranceOf } from './core/factors/assurance.ts';
import { withFactorLetters } from './core/factors/factor-letters.ts';
import { createUpkeep } from './core/upkeep/upkeep.ts';
import { createUpstream } from './core/upstream/upstream.ts';
import { gatewayApi, gatewayRoutes } from './gateway/api.ts';
import { createGateway } from './gateway/gateway.ts';
import { clientAddressOf } from './http/client-address.ts';
import { createIsDeveloper } from './http/developer.ts';
import { errorHandler, logFailure } from './http/errors.ts';
import { createForwardingNotices } from './http/forwarding-notices.ts';
import { createFrontDoor } from './http/front-door.ts';
import { drained, listening } from './http/listen.ts';
import { createNoteRefusal } from './http/note-refusal.ts';
import { createRouteTable, serveRoutes } from './http/routes.ts';
import { loginMethods } from './login/methods.ts';
import { protocolApi } from './oidc/api.ts';
import { protocolRoutes } from './oidc/routes.ts';
import type { OpenCore } from './open-core.ts';
import { createOps, opsApi } from './ops/ops.ts';
import { joinMetrics } from './ops/worker-metrics.ts';
import { createAccountPages } from './pages/account/account.ts';
import { createFlashMessages } from './pages/account/flash-messages.ts';
import { signInAddress } from './pages/account/sign-in-address.ts';
import { createBranding } from './pages/kit/brand/branding.ts';
import { createLanguagePage } from './pages/kit/language.ts';
import { createLetIn } from './pages/kit/let-in.ts';
import { keepPlaygroundClient } from './pages/playground/playground-client.ts';
import { createRecovery } from './pages/recovery/forgotten-password.ts';
import { createRegistration } from './pages/registration/registration.ts';
import { createSignUpPage } from './pages/registration/sign-up.ts';
import { createWelcome } from './pages/setup/welcome.ts';
import { createCameFrom } from './pages/sign-in/came-from.ts';
import { createEnginePages } from './pages/sign-in/engine-pages.ts';
import { createBrowserSession, createSignedIn } from './pages/sign-in/signed-in.ts';
import { createUpstreamCallback } from './pages/sign-in/upstream.ts';
import { createWhy } from './pages/why/why.ts';

export async function createApp(core: OpenCore) {
  const { config, log, metrics, stores, audit } = core;
  const noteRefusal = createNoteRefusal({ refusals: core.refusals, issuer: config.issuer });
  const { texts, brand, statics, secure, pages, csrf } = await composePages(core, noteRefusal);
  const { accounts, consents, engine } = stores;
  const isDeveloper = createIsDeveloper(config.developmentPages);
  // Not in the core: a command should not want the providers' secrets.
  const reading = { development: config.development, environment: process.env };
  const named = config.upstreams === undefined ? undefined : loginMethods.upstream?.open(config.upstreams, reading);
  const providers = (await named) ?? [];
  const upstream = createUpstream({
    ...core,
    providers,
    audit: withFactorLetters(audit, {
      accounts,
      mails: core.mails,
      providerName: (id) => providers.find((provider) => provider.id === id)?.name ?? id,
    }),
  });

  const protocol = core.protocolWith(createEnginePages({ pages, accounts, secure, isDeveloper }), isDeveloper);
  const clients = core.clientsWith(protocol);
  core.changes.onChange('key', async () => {
    await core.keys.load();
    protocol.swap();
  });
  await keepPlaygroundClient(clients, config);
  await keepAccountClient(clients, config.issuer);

  const { page: metricsPage } = joinMetrics(metrics);
  let draining = false;
  const koa = new Koa();
  koa.proxy = true;
  // The handler's own logging says more than Koa's default, which prints to standard error.
  koa.on('error', logFailure(log));
  koa.use(errorHandler({ log, pages, noteRefusal: noteRefusal, issuer: config.issuer }));
  const signInAt = (page: string) => signInAddress(config.issuer, page);
  const letIn = createLetIn({ passes: core.passes, signInAt });
  const signedIn = createSignedIn({ provider: protocol.provider, accounts });
  const signUpPage = createSignUpPage({
    ...core,
    pages,
    csrf,
    mails: core.mails.work,
    settings: { signUp: config.signUp, passwordMinLength: config.password.minLength },
  });
  const flashMessages = createFlashMessages(core.secrets.secretKey, secure);
  const ofPeople = { pages, csrf, letIn, mails: core.mails.work, home: '/account' };
  const { served: switchedOn, inUse } = await composeSurfaces({ ...core, noteRefusal }, clients, protocol);

  const table = createRouteTable([
    ...protocolRoutes,
    ...gatewayRoutes,
    ...createOps({
      metricsPage,
      scrapeTokens: config.metrics.tokens.map(digest),
      adminKeys: core.adminKeys,
      ping: stores.ping,
      draining: () => draining,
      metricsElsewhere: config.metrics.port !== undefined,
    }),
    ...composeInteractions(core, { protocol, pages, csrf, upstream, signUpPage, signInAt }),
    ...createUpstreamCallback({ upstream, pages }),
    ...createWelcome({
      issuer: config.issuer,
      isDeveloper,
      pages,
      csrf,
      setup: core.setup,
      statics,
      passwordMinLength: config.password.minLength,
      signedIn,
      letIn,
    }),
    ...createBranding({ brand }),
    ...createWhy({
      issuer: config.issuer,
      pages,
      refusals: core.refusals,
      clients: core.cached,
      isDeveloper,
      signedIn,
    }),
    ...createLanguagePage({ issuer: config.issuer, pages, csrf, locales: texts.locales, signedIn }),
    ...(await composeDevelopmentPages({ ...core, issuer: config.issuer, pages, locales: texts.locales })),
    ...createRegistration({
      ...core,
      ...ofPeople,
      signUpPage,
      signedIn,
      // Another person may be signed in here: they would come back to the same question.
      signInAs: (username) =>
        `${signInAt('/verify-email')}&${new URLSearchParams({ prompt: 'login', login_hint: username })}`,
      secure,
    }),
    ...createRecovery({
      ...core,
      ...ofPeople,
      upstream,
      noteDone: (ctx, subject) => flashMessages.write(ctx, subject, { notice: 'password-changed' }),
      cameFrom: createCameFrom({ engine, clients: core.cached }),
      settings: {
        passwordMinLength: config.password.minLength,
        passwordMinLengthSecondFactor: config.password.minLengthSecondFactor,
        linkSeconds: config.mail.resetLinkTtl,
      },
    }),
    ...createAccountPages({
      ...core,
      upstream,
      issuer: config.issuer,
      flashMessages,
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
    ...switchedOn.flatMap(({ routes }) => routes),
    ...createReference({
      issuer: config.issuer,
      brandName: config.brandName,
      pages,
      apis: [...switchedOn.map(({ api }) => api), protocolApi, gatewayApi, opsApi],
    }),
  ]);
  koa.use(serveRoutes(table, isDeveloper));

  // One for requests and upgrades, so that what it notices is said once.
  const addressOf = clientAddressOf(config.trustProxy, createForwardingNotices(log));
  const gateway = await createGateway({
    ...core,
    noteRefusal,
    issuer: config.issuer,
    addressOf,
    routesFile: config.gatewayRoutes,
    ownAddresses: table.routes.map(({ path }) => path),
    sample: config.developmentPages,
    isDeveloper,
    serves: (surface) => switchedOn.some(({ name }) => name === surface),
  });
  const koaHandle = koa.callback() as (req: unknown, res: unknown) => Promise<void>;
  const frontDoor = createFrontDoor({
    noteRefusal: noteRefusal,
    issuer: config.issuer,
    addressOf,
    log,
    metrics,
    routes: table,
    protocol,
    draining: () => draining,
    rest: (req, res) => (gateway.owns(req) ? gateway.handle(req, res) : koaHandle(req, res)),
  });
  const server = composeServer(frontDoor, gateway);
  const upkeep = createUpkeep({
    holder: randomToken(9),
    stores,
    refusals: core.refusals,
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
    surfaces: switchedOn,
    /** The names of those among them that no setting asks for. */
    surfacesInUse: inUse,
    /** Of this process or, where there are several, of all of them. */
    metricsPage,
    /** Every address of this server, with those that a setting switches off. */
    routes: table.routes,
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
