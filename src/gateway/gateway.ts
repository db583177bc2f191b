/**
 * The gateway: authenticates a request, then passes it on to the service behind it. It owns the prefixes of its route
 * table, `/gateway/verify` and `/gateway/verify/token`. Core decides who sends a request; a library speaks HTTP to an
 * upstream.
 *
 *     front door ── owns? ── admission ── forward ── upstream      a request
 *     upgrade ─────────────── admission ── sockets ── upstream      a WebSocket
 *     /gateway/verify ─────── admission                             for a proxy that forwards itself
 *
 * It works on Node's own request and response: nothing here waits for a body, and nothing in between may read one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Unavailable } from '../base/errors.ts';
import type { Core } from '../core/core.ts';
import type { RequestCaller } from '../core/kernel/caller.ts';
import { type AddressOf, callerOf, keepCaller } from '../http/caller.ts';
import type { IsDeveloper } from '../http/developer.ts';
import { askedOf, type NoteRefusal } from '../http/note-refusal.ts';
import { admit } from './admission.ts';
import { badGateway, internal, type Refused, refuse, tooLarge, unavailable } from './answers.ts';
import { createAuthenticator } from './authenticate.ts';
import { createForwarder } from './forward.ts';
import { ownPlaces } from './own-paths.ts';
import { readRoutes } from './read-routes.ts';
import { createRouteTable, type Route, routeDefaults, splitTarget, type Upstream } from './routes.ts';
import type { SampleUpstream } from './sample-upstream.ts';
import { createSockets } from './sockets.ts';
import { refuseUpgrade } from './upgrade-socket.ts';
import { answerVerify, isVerifyPath } from './verify.ts';

interface GatewayDeps extends Core {
  readonly noteRefusal: NoteRefusal;
  readonly addressOf: AddressOf;
  /** Every address at which this server answers itself; no route may get in its way. */
  readonly ownAddresses: readonly string[];
  readonly isDeveloper: IsDeveloper;
  /** Whether this surface is served: its original has paths that belong to the gateway. */
  readonly serves: (surface: 'tinyoauth' | 'space-guard') => boolean;
}

interface Gateway {
  /** Whether it answers: at an address of one of its routes, or at its own. */
  owns(req: IncomingMessage): boolean;
  /** Answers every request that it owns, whatever happens. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Everything else that asks for an upgrade is an ordinary request (RFC 9110, section 7.8). */
  takesUpgrade(req: IncomingMessage): boolean;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Opens the sample upstream, if there is to be one; what comes before it is open waits. */
  start(): void;
  /** Reads the route table again. Where it has mistakes they are logged, and the table that there was stays. */
  reload(): Promise<void>;
  /** Opens no more WebSockets and ends those there are: no other part of a shutdown would. */
  closeSockets(): void;
  /** When no request is under way any more. */
  close(): void;
}

/** Rejects with all mistakes of the route table as a text. */
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
  // Without a route table there is a sample to forward to, for requests of the developer's.
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

  /** The reference of a refusal. A service that is down is none. An upgrade has no response to carry a header. */
  function noted(
    req: IncomingMessage,
    res: ServerResponse | undefined,
    { status, error, description }: Refused,
    caller: RequestCaller,
  ): string {
    if (status >= 500) return caller.requestId;
    const about = { endpoint: 'gateway', status, code: error, caller } as const;
    return deps.noteRefusal(res, { ...about, expected: description, received: askedOf(req) });
  }

  async function answer(req: IncomingMessage, res: ServerResponse, caller: RequestCaller): Promise<void> {
    await starting;
    const asked = splitTarget(req.method ?? '', req.url ?? '');
    const no = (refused: Refused) => refuse(res, refused, noted(req, res, refused, caller));
    if (isVerifyPath(asked.path))
      return answerVerify(req, res, { table: tableFor(req), authenticate, from: caller, no });
    const admission = await admit(req, asked, tableFor(req), authenticate, caller);
    if (admission.outcome === 'refused') return no(admission.refused);
    const { route, identity } = admission;
    if (Number(req.headers['content-length'] ?? 0) > route.maxBody) return no(tooLarge);
    // Any other coding than this one would have to be passed on with its name, and who reads which is how bodies are smuggled.
    if (!/^(chunked)?$/i.test(req.headers['transfer-encoding'] ?? '')) return no(badCoding);
    const { upstream } = route;
    if (upstream === undefined) return no(badGateway);
    // Only now is the body asked for.
    if (/^100-continue$/i.test(req.headers.expect ?? '')) res.writeContinue();
    return forwarder.forward(req, res, pathFor(route, upstream, asked), { route, upstream, identity, issuer, caller });
  }

  async function open(req: IncomingMessage, socket: Duplex, head: Buffer, caller: RequestCaller): Promise<void> {
    await starting;
    const asked = splitTarget('GET', req.url ?? '');
    const { headers } = req;
    // Where would its body end, and the first message begin?
    const no = (refused: Refused) => refuseUpgrade(socket, refused, noted(req, undefined, refused, caller));
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) return no(badCoding);
    const admission = await admit(req, asked, tableFor(req), authenticate, caller);
    if (admission.outcome === 'refused') return no(admission.refused);
    const { route, identity } = admission;
    const { upstream } = route;
    if (upstream === undefined) return no(badGateway);
    const about = { route, upstream, identity, issuer, caller };
    const stillGood = async () => (await authenticate(req, route, undefined)).outcome === 'identified';
    return sockets.open(req, socket, head, pathFor(route, upstream, asked), about, stillGood);
  }

  /** What stands in the way of an answer that no admission has foreseen. */
  function failure(error: unknown, requestId: string): Refused {
    if (error instanceof Unavailable) {
      log.warn({ err: error, requestId }, 'a dependency is away');
      return unavailable(error.retryAfter);
    }
    log.error({ err: error, requestId }, 'a request failed');
    return internal;
  }

  return {
    owns(req) {
      const { path } = splitTarget('', req.url ?? '');
      return isVerifyPath(path) || tableFor(req).owns(path);
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
      // Until the two connections are tied together nobody else listens, and an error nobody hears ends the process.
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
      } catch (error) {
        log.error({ mistakes: (error as Error).message }, 'the route table has mistakes: the one before stays');
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

/** What the originals have beside their own endpoints. `/protected` belongs to tinyoauth, whatever the table leaves out. */
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
  description: 'the body comes in a form that cannot be passed on',
};
