/**
 * The gateway authenticates a request, then forwards it to its service. It owns the prefixes of its route table,
 * `/gateway/verify`, `/gateway/verify/token` and the metadata of protected resources. Core authenticates the sender; a
 * library speaks HTTP to the upstream.
 *
 *     front door ── owns? ── admission ── forward ── upstream      a request
 *     upgrade ─────────────── admission ── sockets ── upstream      a WebSocket
 *     /gateway/verify ─────── admission                             for a proxy that forwards itself
 *
 * It uses Node's own request and response, because bodies are streamed and no framework may read them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Unavailable } from '../base/errors.ts';
import { resourceMetadataPath } from '../core/apis/resource-metadata.ts';
import type { Core } from '../core/core.ts';
import type { RequestCaller } from '../core/kernel/caller.ts';
import { type AddressOf, callerOf, keepCaller } from '../http/caller.ts';
import type { IsDeveloper } from '../http/developer.ts';
import { askedOf, type NoteRefusal } from '../http/note-refusal.ts';
import { admit, type Gate } from './admission.ts';
import { badGateway, internal, type Refused, refuse, tooLarge, unavailable } from './answers.ts';
import { createAuthenticator } from './authenticate.ts';
import { createForwarder } from './forward.ts';
import { answerMetadata, isMetadataPath } from './metadata-answer.ts';
import { ownPlaces } from './own-paths.ts';
import { createProtectedResources } from './protected-resources.ts';
import { readRoutes } from './read-routes.ts';
import { createRouteTable, type Route, routeDefaults, splitTarget, type Upstream } from './routes.ts';
import type { SampleUpstream } from './sample-upstream.ts';
import { createSockets } from './sockets.ts';
import { refuseUpgrade } from './upgrade-socket.ts';
import { answerVerify, isVerifyPath } from './verify.ts';

interface GatewayDeps extends Core {
  readonly noteRefusal: NoteRefusal;
  readonly addressOf: AddressOf;
  /** Every address of this server itself; no route may hide one. */
  readonly ownAddresses: readonly string[];
  readonly isDeveloper: IsDeveloper;
  /** Whether a surface is served. Its original has paths that belong to the gateway. */
  readonly serves: (surface: 'tinyoauth' | 'space-guard') => boolean;
}

interface Gateway {
  /** Whether the gateway answers this request: it matches a route, or asks to verify. */
  owns(req: IncomingMessage): boolean;
  /** Answers every request that `owns` accepts, and never rejects. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** False for any other upgrade, which is then an ordinary request (RFC 9110, section 7.8). */
  takesUpgrade(req: IncomingMessage): boolean;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Opens the sample upstream in development. Requests wait until it is open. */
  start(): void;
  /** Reads the route table again. If it has mistakes, logs them and keeps the previous table. */
  reload(): Promise<void>;
  /** Refuses new WebSockets and ends the open ones, which no other part of the shutdown does. */
  closeSockets(): void;
  /** Call it after the last request has ended. */
  close(): void;
}

/** Rejects with a text that lists all mistakes of the route table. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { log, config } = deps;
  const routesFile = config.gatewayRoutes;
  const issuer = new URL(config.issuer);
  const authenticate = createAuthenticator(deps);
  const forwarder = createForwarder(log);
  const sockets = createSockets(log);
  const own = ownPlaces(deps.ownAddresses);
  let sample: SampleUpstream | undefined;
  let starting: Promise<void> | undefined;
  let closed = false;

  const read = async (): Promise<readonly Route[]> => {
    if (routesFile === undefined) return [];
    const routes = await readRoutes(routesFile, own);
    if (routes.outcome === 'mistaken') throw new Error(routes.text);
    return routes.routes;
  };
  const tableOf = (routes: readonly Route[]) => createRouteTable([...routes, ...builtIn(routes, deps)]);
  let table = tableOf(await read());
  const resources = createProtectedResources({ apis: deps.apis, issuer: config.issuer });
  const announce = () => {
    for (const { prefix, notice } of resources.noticesFor(table)) log.warn({ prefix }, notice);
  };
  announce();
  // Without a route table, the developer's own requests are forwarded to a sample.
  const hasSample = config.developmentPages && routesFile === undefined;
  const sampleTable = () => createRouteTable([...builtIn([], deps), ...sampleRoutes(deps, sample?.upstream)]);
  let withSample = hasSample ? sampleTable() : undefined;
  const tableFor = (req: IncomingMessage) => (withSample && deps.isDeveloper(req) ? withSample : table);

  async function openSample(): Promise<void> {
    const { openSampleUpstream } = await import('./sample-upstream.ts');
    sample = await openSampleUpstream();
    if (closed) sample.close();
    withSample = sampleTable();
  }

  function gateFor(req: IncomingMessage, from: RequestCaller, at: 'here' | 'elsewhere'): Gate {
    return { table: tableFor(req), authenticate, from, hintsFor: (demand) => resources.hintsFor(demand, at) };
  }

  /** Returns the reference of a refusal. A failure (5xx) is not recorded. An upgrade has no `res` to carry a header. */
  function noted(
    req: IncomingMessage,
    res: ServerResponse | undefined,
    { status, error, description, facts }: Refused,
    caller: RequestCaller,
  ): string {
    if (status >= 500) return caller.requestId;
    const about = { endpoint: 'gateway', status, code: error, caller } as const;
    return deps.noteRefusal(res, { ...about, expected: description, received: askedOf(req), ...facts });
  }

  async function answer(req: IncomingMessage, res: ServerResponse, caller: RequestCaller): Promise<void> {
    await starting;
    const asked = splitTarget(req.method ?? '', req.url ?? '');
    const no = (refused: Refused) => refuse(res, refused, noted(req, res, refused, caller));
    if (isMetadataPath(asked.path)) {
      const metadata = resources.metadataAt(tableFor(req), asked.path.slice(resourceMetadataPath.length));
      return answerMetadata(req, res, { metadata, no });
    }
    if (isVerifyPath(asked.path)) return answerVerify(req, res, { ...gateFor(req, caller, 'elsewhere'), no });
    const admission = await admit(req, asked, gateFor(req, caller, 'here'));
    if (admission.outcome === 'refused') return no(admission.refused);
    if (admission.nonce !== undefined) res.setHeader('DPoP-Nonce', admission.nonce);
    const { identity } = admission;
    const route = resources.forUpstream(admission.route);
    if (Number(req.headers['content-length'] ?? 0) > route.maxBody) return no(tooLarge);
    // With other codings, this server and the upstream could disagree on the end of the body (request smuggling).
    if (!/^(chunked)?$/i.test(req.headers['transfer-encoding'] ?? '')) return no(badCoding);
    const { upstream } = route;
    if (upstream === undefined) return no(badGateway);
    // Only now does the caller send the body.
    if (/^100-continue$/i.test(req.headers.expect ?? '')) res.writeContinue();
    return forwarder.forward(req, res, pathFor(route, upstream, asked), { route, upstream, identity, issuer, caller });
  }

  async function open(req: IncomingMessage, socket: Duplex, head: Buffer, caller: RequestCaller): Promise<void> {
    await starting;
    const asked = splitTarget('GET', req.url ?? '');
    const { headers } = req;
    // A body in an upgrade would leave unclear where the first WebSocket message begins.
    const no = (refused: Refused) => refuseUpgrade(socket, refused, noted(req, undefined, refused, caller));
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) return no(badCoding);
    const admission = await admit(req, asked, gateFor(req, caller, 'here'));
    if (admission.outcome === 'refused') return no(admission.refused);
    const { identity } = admission;
    const route = resources.forUpstream(admission.route);
    const { upstream } = route;
    if (upstream === undefined) return no(badGateway);
    const about = { route, upstream, identity, issuer, caller };
    const stillGood = async () => (await authenticate(req, route, { from: undefined, asked })).outcome === 'identified';
    return sockets.open(req, socket, head, pathFor(route, upstream, asked), about, stillGood);
  }

  /** The response to an error that admission did not return. */
  function failure(error: unknown, requestId: string): Refused {
    if (error instanceof Unavailable) {
      log.warn({ err: error, requestId }, 'a dependency is unavailable');
      return unavailable(error.retryAfter);
    }
    log.error({ err: error, requestId }, 'a request failed');
    return internal;
  }

  return {
    owns(req) {
      const { path } = splitTarget('', req.url ?? '');
      return isVerifyPath(path) || isMetadataPath(path) || tableFor(req).owns(path);
    },
    async handle(req, res) {
      const caller = callerOf({ req }, 'gateway');
      const { requestId } = caller;
      await answer(req, res, caller).catch((error: unknown) => refuse(res, failure(error, requestId), requestId));
    },
    takesUpgrade(req) {
      const { method, url = '', headers } = req;
      if (closed || method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
      return tableFor(req).owns(splitTarget('', url).path);
    },
    upgrade(req, socket, head) {
      const caller = { ...keepCaller(req, deps.addressOf(req)), via: 'gateway' };
      const { requestId } = caller;
      // No other listener exists before the connections are joined, and an unheard `error` event ends the process.
      socket.on('error', () => {});
      open(req, socket, head, caller).catch((error: unknown) =>
        refuseUpgrade(socket, failure(error, requestId), requestId),
      );
    },
    start() {
      if (!hasSample) return;
      if (!deps.serves('tinyoauth') && !deps.serves('space-guard')) return;
      starting = openSample()
        .catch((error: unknown) => log.warn({ err: error }, 'the sample upstream could not be opened'))
        .finally(() => {
          starting = undefined;
        });
    },
    async reload() {
      if (routesFile === undefined) return;
      try {
        table = tableOf(await read());
        log.info({ routes: table.size }, 'the route table was read again');
        announce();
      } catch (error) {
        log.error(
          { mistakes: (error as Error).message },
          'the route table has mistakes; the previous table stays in use',
        );
      }
    },
    closeSockets() {
      closed = true;
      sockets.closeAll();
    },
    close() {
      forwarder.close();
      sample?.close();
    },
  };
}

const plain = { ...routeDefaults, audience: undefined, scopes: [], methods: undefined } as const;

/** `/protected` belongs to tinyoauth, whatever the table leaves out. */
function builtIn(routes: readonly Route[], { serves }: Pick<GatewayDeps, 'serves'>): readonly Route[] {
  if (!serves('tinyoauth') || routes.some(({ prefix }) => prefix === '/protected')) return [];
  return [{ ...plain, prefix: '/protected', tokens: ['tinyoauth'], upstream: undefined }];
}

function sampleRoutes({ serves }: Pick<GatewayDeps, 'serves'>, upstream: Upstream | undefined): readonly Route[] {
  const made: Route[] = [];
  if (serves('tinyoauth')) made.push({ ...plain, prefix: '/protected/resource', tokens: ['tinyoauth'], upstream });
  if (serves('space-guard'))
    made.push({ ...plain, prefix: '/write-data', tokens: ['space-guard'], methods: ['POST'], upstream });
  return made;
}

function pathFor(
  { prefix, stripPrefix }: Route,
  { basePath }: Upstream,
  asked: { path: string; query: string },
): string {
  const path = stripPrefix ? asked.path.slice(prefix.length) : asked.path;
  return `${basePath}${path}${asked.query}`.replace(/^(?=\?|$)/, '/');
}

const badCoding: Refused = {
  status: 400,
  error: 'invalid_request',
  description: 'the body has a transfer coding that cannot be forwarded',
};
