/** The inventory of entry points: protocol, pages, surfaces and gateway over a core, as one HTTP server. */
import Koa from 'koa';
import { createReference } from './api/reference/reference.ts';
import { composeSurfaces } from './composition/api-surfaces.ts';
import { composeDevelopmentPages } from './composition/development.ts';
import { composeServer } from './composition/http-server.ts';
import { composeInteractions } from './composition/interactions.ts';
import { composePages } from './composition/pages.ts';
import { keepAccountClient } from './core/clients/account-client.ts';
import { assuranceOf } from './core/factors/assurance.ts';
import { createUpkeep } from './core/upkeep/upkeep.ts';
import { gatewayApi, gatewayRoutes } from './gateway/api.ts';
import { createGateway } from './gateway/gateway.ts';
import { clientAddressOf, createForwardingNotices } from './http/caller.ts';
import { errorHandler, logFailure } from './http/errors.ts';
import { createFrontDoor } from './http/front-door.ts';
import { drained, listening } from './http/listen.ts';
import { createNoteRefusal } from './http/note-refusal.ts';
import { createRouteTable, serveRoutes } from './http/routes.ts';
import { protocolApi } from './oidc/api.ts';
import { protocolRoutes } from './oidc/routes.ts';
import type { OpenCore } from './open-core.ts';
import { createOps, opsApi } from './ops/ops.ts';
import { joinMetrics } from './ops/worker-metrics.ts';
import { createAccountPages } from './pages/account/account.ts';
import { createFlashMessages } from './pages/account/flash-messages.ts';
import { createBranding } from './pages/kit/brand/branding.ts';
import { createLanguagePage } from './pages/kit/language.ts';
import { keepPlaygroundClient } from './pages/playground/playground-client.ts';
import { createRecovery } from './pages/recovery/forgotten-password.ts';
import { createRegistration } from './pages/registration/registration.ts';
import { createSignUpPage } from './pages/registration/sign-up.ts';
import { createWelcome } from './pages/setup/welcome.ts';
import { createCameFrom } from './pages/sign-in/came-from.ts';
import { createBrowserSession } from './pages/sign-in/signed-in.ts';
import { createUpstreamCallback } from './pages/sign-in/upstream.ts';
import { createWhy } from './pages/why/why.ts';

export async function createApp(core: OpenCore) {
  const { config, log, metrics } = core;
  const noteRefusal = createNoteRefusal({ refusals: core.refusals, issuer: config.issuer });
  const { deps, brand, protocol } = await composePages(core, noteRefusal);
  const { clients, isDeveloper } = deps;
  core.changes.onChange('key', async () => {
    await core.keys.load();
    protocol.swap();
  });
  await keepPlaygroundClient(clients, config);
  await keepAccountClient(clients, config.issuer);
  const { page: metricsPage } = joinMetrics(metrics);
  const flashMessages = createFlashMessages(core.secrets.secretKey, deps.secure);
  const signUpPage = createSignUpPage(deps);
  const { served, inUse } = await composeSurfaces({ ...deps, noteRefusal }, protocol);
  let draining = false;

  const koa = new Koa();
  koa.proxy = true;
  // The handler's own logging says more than Koa's default, which prints to standard error.
  koa.on('error', logFailure(log));
  koa.use(errorHandler({ ...deps, noteRefusal }));

  const table = createRouteTable([
    ...protocolRoutes,
    ...gatewayRoutes,
    ...createOps({ ...core, metricsPage, draining: () => draining }),
    ...composeInteractions(deps, protocol, signUpPage),
    ...createUpstreamCallback(deps),
    ...createWelcome(deps),
    ...createBranding({ brand }),
    ...createWhy(deps),
    ...createLanguagePage(deps),
    ...(await composeDevelopmentPages({ ...deps, mailbox: core.mailbox })),
    ...createRegistration(deps, signUpPage),
    ...createRecovery({
      ...deps,
      noteDone: (ctx, subject) => flashMessages.write(ctx, subject, { notice: 'password-changed' }),
      cameFrom: createCameFrom({ engine: core.stores.engine, clients: core.cached }),
    }),
    ...createAccountPages({
      ...deps,
      flashMessages,
      session: createBrowserSession({
        provider: protocol.provider,
        accounts: core.stores.accounts,
        // The engine asks it of every application; these pages go by the session alone.
        enough: (amr) => config.secondFactor !== 'required' || assuranceOf(amr) !== 'single',
      }),
    }),
    ...served.flatMap(({ routes }) => routes),
    ...createReference({ ...deps, apis: [...served.map(({ api }) => api), protocolApi, gatewayApi, opsApi] }),
  ]);
  koa.use(serveRoutes(table, isDeveloper));

  // One for requests and upgrades, so that what it notices is said once.
  const addressOf = clientAddressOf(config.trustProxy, createForwardingNotices(log));
  const gateway = await createGateway({
    ...core,
    noteRefusal,
    addressOf,
    isDeveloper,
    ownAddresses: table.routes.map(({ path }) => path),
    serves: (surface) => served.some(({ name }) => name === surface),
  });
  const koaHandle = koa.callback() as (req: unknown, res: unknown) => Promise<void>;
  const frontDoor = createFrontDoor({
    ...deps,
    noteRefusal,
    addressOf,
    routes: table,
    protocol,
    draining: () => draining,
    // Own addresses are reserved: only what the table does not know is asked of the gateway.
    rest: (req, res, listed) =>
      (listed ? !listed.handlers : gateway.owns(req)) ? gateway.handle(req, res) : koaHandle(req, res),
  });
  const server = composeServer(frontDoor, gateway);
  const upkeep = createUpkeep(core);

  return {
    core,
    clients,
    protocol,
    server,
    surfaces: served,
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
