/**
 * The first code that a request meets, on Node's own request and response, before any framework. Its steps:
 * 1. The path must be spelled as documented; any other spelling is 404. The engine ignores case and a trailing slash,
 *    but the gateway and a proxy's rules do not, and that gap lets a request bypass checks (security.md G2).
 * 2. Host and scheme come from ISSUER, not from the request: discovery, redirects and cookies use them (G1).
 * 3. Discovery and JWKS are sent from ready bytes.
 * 4. Protocol paths go to the engine, all others to the pages, the surfaces or the gateway.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { nowMs } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { endpointOfPath } from '../core/refusals/checks.ts';
import { limitBodyTime } from './body.ts';
import { type AddressOf, callerOf, keepCaller } from './caller.ts';
import { hardenAnswer, hardenPage, keepsOpener } from './hardening.ts';
import { machineAccept } from './media-types.ts';
import { askedOf, type NoteRefusal } from './note-refusal.ts';
import type { Route, RouteTable } from './routes.ts';
import { whyAddress } from './why-link.ts';

type Handle = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

interface FrontDoorDeps {
  readonly issuer: string;
  readonly addressOf: AddressOf;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly noteRefusal: NoteRefusal;
  readonly routes: Pick<RouteTable, 'at'>;
  readonly protocol: {
    handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
    readonly documents: ReadonlyMap<
      string,
      { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> }
    >;
  };
  /** While the server drains, no connection may be reused. */
  readonly status: { readonly draining: boolean };
  readonly gateway: { owns(req: IncomingMessage): boolean; readonly handle: Handle };
  /** Pages, surfaces and ops. */
  readonly koa: Handle;
}

/** For the whole body of a request. */
const bodyMs = 30_000;

export function createFrontDoor(deps: FrontDoorDeps): (req: IncomingMessage, res: ServerResponse) => void {
  const issuer = new URL(deps.issuer);
  const secure = issuer.protocol === 'https:';

  /** Hardens the response of a protocol address. Returns false if it has answered: a wrong method, or OPTIONS. */
  function isForEngine(req: IncomingMessage, res: ServerResponse, { protocol, methods }: Route, path: string): boolean {
    const { method = '' } = req;
    if (protocol === 'page') hardenPage(res, secure, null);
    else {
      hardenAnswer(res, secure);
      req.headers.accept = machineAccept(req.headers.accept);
      // Tokens and personal data. The engine sets this header at most endpoints, but not at all of them.
      res.setHeader('Cache-Control', 'no-store');
    }
    if (!methods.includes(method)) {
      res.setHeader('Allow', methods.join(', '));
      const words = `this endpoint takes ${methods.join(', ')}`;
      const about = { endpoint: endpointOfPath(path), check: 'method', caller: callerOf({ req }) } as const;
      const asked = { expected: words, received: askedOf(req) };
      const reference = deps.noteRefusal(res, { ...about, ...asked, status: 405, code: 'invalid_request' });
      answerJson(res, 405, {
        ...(path === '/oauth/token' ? { success: false } : {}),
        error: 'invalid_request',
        error_description: words,
        error_uri: whyAddress(deps.issuer, reference),
      });
      return false;
    }
    // The engine answers a preflight, but not a plain OPTIONS.
    if (method === 'OPTIONS' && !(req.headers.origin && req.headers['access-control-request-method'])) {
      res.writeHead(204, { Allow: methods.join(', ') });
      res.end();
      return false;
    }
    return true;
  }

  return (req, res) => {
    limitBodyTime(req, bodyMs);
    const url = req.url ?? '/';
    const query = url.indexOf('?');
    const asked = query === -1 ? url : url.slice(0, query);
    const listed = deps.routes.at(asked);
    const path = listed?.sameAs ?? asked;
    // From here on, methods, CORS, errors and the engine see only the protocol's own path.
    if (path !== asked) req.url = path + url.slice(asked.length);

    if (deps.status.draining) res.setHeader('Connection', 'close');
    const { method = '' } = req;
    const document = method === 'GET' || method === 'HEAD' ? deps.protocol.documents.get(path) : undefined;
    if (document) {
      deps.metrics.count('http_requests_total', { route: path, method, status: '200' });
      hardenAnswer(res, secure);
      res.writeHead(200, { ...document.headers, 'Content-Length': document.body.length });
      res.end(document.body);
      return;
    }

    const started = nowMs();
    const { requestId, address } = keepCaller(req, deps.addressOf(req));
    res.setHeader('X-Request-Id', requestId);
    speakAsIssuer(req, issuer, address);

    const route = listed?.protocol ? (listed.sameAs ?? listed.path) : 'other';
    res.on('finish', () => {
      const labels = { route, method, status: String(res.statusCode) };
      deps.metrics.count('http_requests_total', labels);
      deps.metrics.observe('http_request_duration_seconds', { route }, (nowMs() - started) / 1000);
      if (deps.log.isLevelEnabled('debug')) {
        const ms = nowMs() - started;
        deps.log.debug({ requestId, method, path, status: res.statusCode, ms }, 'request');
      }
    });

    const failed = (error: unknown): void => {
      deps.log.error({ err: error, requestId, path }, 'a request failed');
      if (res.headersSent) res.destroy();
      else
        answerJson(res, 500, { error: 'server_error', error_description: `something went wrong here (${requestId})` });
    };

    // Absolute form (`GET http://…`) and `*` are for a proxy (RFC 9112, section 3.2). A fragment is invalid here, and
    // the framework would cut it off.
    if (!path.startsWith('/') || path.includes('#')) {
      answerJson(res, 404, { error: 'not_found', error_description: 'there is nothing at this address' });
      return;
    }
    if (!listed?.protocol) {
      // Pages harden themselves, but redirects do not.
      if (keepsOpener(path)) res.setHeader('Cross-Origin-Opener-Policy', 'unsafe-none');
      // The server's own addresses are reserved: the gateway is asked only if the route table knows no such address.
      const isGateways = listed ? !listed.handlers : deps.gateway.owns(req);
      (isGateways ? deps.gateway.handle(req, res) : deps.koa(req, res)).catch(failed);
      return;
    }
    if (isForEngine(req, res, listed, path)) deps.protocol.handle(req, res).catch(failed);
  };
}

function answerJson(res: ServerResponse, status: number, body: Record<string, string | boolean>): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Length': bytes.length,
  });
  res.end(bytes);
}

/** Overwrites every header from which a framework derives this server's or the caller's address. */
function speakAsIssuer(req: IncomingMessage, issuer: URL, address: string): void {
  const { headers } = req;
  headers.host = issuer.host;
  headers['x-forwarded-host'] = issuer.host;
  headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
  headers['x-forwarded-for'] = address;
  // `delete` slows down all later reads of an object, so check for the header first.
  for (const name of ['forwarded', 'x-forwarded-port', 'x-forwarded-prefix']) if (name in headers) delete headers[name];
}
