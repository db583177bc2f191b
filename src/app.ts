/** The composition root of the server: protocol, pages, API surfaces and gateway over core, as one HTTP server. */
import Koa from 'koa';
import { createReference } from './api/reference/reference.ts';
import { createRegistration } from './api/registration/registration.ts';
import { openSurfaces } from './api/served.ts';
import { keepAccountClient } from './core/clients/account-client.ts';
import { createClients } from './core/clients/clients.ts';
import { logoutKind } from './core/deliveries/logout-notice.ts';
import { createLogoutMessages } from './core/deliveries/logout-token.ts';
import { createDeliverySender } from './core/deliveries/sender.ts';
import { createDynamicClients } from './core/dynamic-clients/dynamic-clients.ts';
import { withFactorLetters } from './core/factors/factor-letters.ts';
import { createUpkeep } from './core/upkeep/upkeep.ts';
import { createUpstream } from './core/upstream/upstream.ts';
import { gatewayApi, gatewayRoutes } from './gateway/api.ts';
import { createGateway } from './gateway/gateway.ts';
import { clientAddressOf, createForwardingNotices } from './http/caller.ts';
import { errorHandler, logFailure } from './http/errors.ts';
import { createFrontDoor } from './http/front-door.ts';
import { createNoteRefusal } from './http/note-refusal.ts';
import { createRouteTable, serveRoutes } from './http/routes.ts';
import { createHttpServer, drained, listening } from './http/server.ts';
import { openProviders } from './login/open.ts';
import { protocolApi } from './oidc/api.ts';
import { createProtocol } from './oidc/provider.ts';
import { protocolRoutes } from './oidc/routes.ts';
import type { OpenCore } from './open-core.ts';
import { createOps, opsApi } from './ops/ops.ts';
import { joinMetrics } from './ops/worker-metrics.ts';
import { createDevicePages } from './pages/device/device.ts';
import { openProviderLogos } from './pages/kit/brand/provider-logos.ts';
import { openPages } from './pages/open.ts';
import { allPages } from './pages/pages.ts';
import { keepPlaygroundClient } from './pages/playground/playground-client.ts';
import { createEnginePages } from './pages/sign-in/engine-pages.ts';
import { createSignedIn } from './pages/sign-in/signed-in.ts';

export async function createApp(core: OpenCore) {
  const { config, log } = core;
  const status = { draining: false };
  const { page: metricsPage } = joinMetrics(core.metrics);
  // One for requests and upgrades, so each notice is logged once.
  const addressOf = clientAddressOf(config.trustProxy, createForwardingNotices(log));
  const noteRefusal = createNoteRefusal({ refusals: core.refusals, issuer: config.issuer });
  const parts = { ...core, status, metricsPage, addressOf, noteRefusal, ...(await openPages(core, noteRefusal)) };
  // Not in core: commands must not need the providers' secrets.
  const providers = await openProviders(config, process.env);
  const upstream = createUpstream({ ...core, providers, audit: withFactorLetters({ ...core, providers }) });
  const ofEngine = createEnginePages({ ...parts, device: createDevicePages(parts) });
  const protocol = createProtocol(core, ofEngine, parts.isDeveloper);
  core.changes.onChange('key', async () => {
    await core.keys.load();
    protocol.swap();
  });
  const clients = createClients({ ...core, checkWithEngine: protocol.checkMetadata });
  await keepPlaygroundClient(clients, config);
  await keepAccountClient(clients, config.issuer);
  const { authorizer, provider } = protocol;
  const signedIn = createSignedIn({ ...core, provider });
  const providerLogos = openProviderLogos(providers);
  const deps = { ...parts, protocol, provider, authorizer, upstream, providerLogos, clients, signedIn };

  const dynamicClients = createDynamicClients(deps);
  const registration = createRegistration({ ...deps, dynamicClients });
  const registers = config.registration.mode === 'off' ? [] : [registration.api];

  const { served, inUse } = await openSurfaces(deps);
  const apis = [protocolApi, ...registers, ...served.map(({ api }) => api), gatewayApi, opsApi];
  const routes = createRouteTable([
    ...protocolRoutes,
    ...registration.routes,
    ...gatewayRoutes,
    ...createOps(deps),
    ...(await allPages(deps)),
    ...served.flatMap((surface) => surface.routes),
    ...createReference({ ...deps, apis }),
  ]);

  const koa = new Koa();
  koa.proxy = true;
  // Koa's default logger prints to standard error; this handler logs more.
  koa.on('error', logFailure(log));
  koa.use(errorHandler(deps));
  koa.use(serveRoutes(routes, deps.isDeveloper));

  const gateway = await createGateway({
    ...deps,
    ownAddresses: routes.routes.map(({ path }) => path),
    serves: (surface) => served.some(({ name }) => name === surface),
  });
  const server = createHttpServer(createFrontDoor({ ...deps, routes, gateway, koa: koa.callback() }), gateway);
  const upkeep = createUpkeep(core);
  const sender = createDeliverySender({
    ...core,
    deliveries: core.stores.deliveries,
    clients: core.cached,
    kinds: { [logoutKind]: createLogoutMessages({ keys: core.keys, issuer: config.issuer }) },
  });

  return {
    core,
    clients,
    dynamicClients,
    protocol,
    server,
    /** Sends what waits in the outbox. */
    sender,
    surfaces: served,
    /** Names of the surfaces that are served because the database shows their use, not because a setting names them. */
    surfacesInUse: inUse,
    /** The metrics of this process, or of all worker processes together. */
    metricsPage,
    /** Every address of this server, including those that a setting switches off. */
    routes: routes.routes,
    /** Listens and starts the background work. Rejects if the address is taken. */
    async listen(port = config.port, host = config.host): Promise<void> {
      await listening(server, port, host);
      gateway.start();
      upkeep.start();
      sender.start();
    },
    /** Reads the gateway's route table again. */
    reloadRoutes: gateway.reload,
    /** From now on every response closes its connection, and `/readyz` answers 503 for load balancers. */
    startDraining(): void {
      status.draining = true;
    },
    /** Accepts no new requests, waits at most `seconds` for those in progress, and closes everything. */
    async close(seconds = config.shutdownTimeout): Promise<void> {
      status.draining = true;
      upkeep.stop();
      gateway.closeSockets();
      await Promise.all([sender.stop(seconds), drained(server, seconds)]);
      gateway.close();
      await core.close();
    },
  };
}

export type App = Awaited<ReturnType<typeof createApp>>;
