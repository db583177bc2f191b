/**
 * Streams a request to its upstream, and the response back. The proxy library (httpxy) connects, pipes with back
 * pressure and closes one side when the other is gone; docs/decisions/014-proxy-library.md compares libraries. This
 * file decides on headers (headers.ts), deadlines and the response to a failure.
 *
 *     connecting ── connect ──> waiting ── answer ──> answering ── idle ──> done
 *
 * Each phase has a deadline. Before the response has begun, a missed deadline is a 504 and any other failure a 502.
 * After that, a failure cuts the connection, so that the caller sees that the response is incomplete.
 */
import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { ProxyServer } from 'httpxy';
import type { Logger } from '../base/log.ts';
import { limitBodyTime } from '../http/body.ts';
import { badGateway, gatewayTimeout, type Refused, refuse, tooLarge } from './answers.ts';
import { answerHeaders, type Sent, upstreamHeaders } from './headers.ts';
import { targetOf } from './routes.ts';
import { watch } from './watchdog.ts';

interface Forwarder {
  /** `path`: the path for the upstream, with the query. */
  forward(req: IncomingMessage, res: ServerResponse, path: string, about: Sent): Promise<void>;
  close(): void;
}

interface Passage {
  readonly about: Sent;
  upstream: ClientRequest | undefined;
  /** The refusal, if this file ended the request and not the connection. */
  verdict: Refused | undefined;
  /** The response has begun. */
  answering: boolean;
  over: boolean;
  retried: boolean;
  stopWatching: () => void;
}

/** Shorter than the idle timeout of common upstreams: a request on a connection that the upstream closes is a 502. */
const keptMs = 4_000;
const lingerMs = 5_000;

export function createForwarder(log: Logger): Forwarder {
  const agents = {
    'http:': new Agent({ keepAlive: true, maxFreeSockets: 256, timeout: keptMs }),
    'https:': new TlsAgent({ keepAlive: true, maxFreeSockets: 256, timeout: keptMs }),
  };
  const passages = new WeakMap<IncomingMessage, Passage>();
  let loading: Promise<ProxyServer> | undefined;

  /** Loads the library with the first forwarded request. */
  async function load(): Promise<ProxyServer> {
    const { createProxyServer } = await import('httpxy');
    const proxy = createProxyServer({ selfHandleResponse: true, prependPath: false });
    proxy.on('proxyReq', (upstream, req, res) => connected(upstream, req, res));
    proxy.on('proxyRes', (answer, req, res) => answered(answer, req, res));
    proxy.on('error', (error, req, res) => {
      if (req && res) failed(error, req, res as ServerResponse);
    });
    // The caller closed the connection, which is no failure.
    proxy.on('econnreset', (_error, req) => settle(req));
    return proxy;
  }

  function send(proxy: ProxyServer, req: IncomingMessage, res: ServerResponse, again: boolean): void {
    const passage = passages.get(req) as Passage;
    const { upstream } = passage.about;
    const sending = proxy.web(req, res, {
      ...targetOf(upstream),
      agent: again ? false : agents[upstream.protocol],
      ...(again && { buffer: Readable.from([]) }),
    });
    // The `error` listener has handled this error already.
    sending.catch(() => {});
  }

  function connected(upstream: ClientRequest, req: IncomingMessage, res: ServerResponse): void {
    const passage = passages.get(req);
    if (!passage || passage.over) return void upstream.destroy();
    passage.upstream = upstream;
    // A close without response and without error: the upstream switched protocols, which the request did not ask for.
    upstream.once('close', () => {
      if (passage.upstream === upstream && !passage.answering) failed(undefined, req, res);
    });
    const { timeouts, maxBody } = passage.about.route;
    const socket = upstream.socket as Socket;
    if (socket.connecting) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', wait);
    else wait();

    /** Starts after the last byte of the request: an upload may take long, and its response begins only then. */
    function wait(): void {
      if (passage === undefined || passage.over || passage.answering) return;
      passage.stopWatching();
      const progress = () => req.socket.bytesRead + socket.bytesWritten;
      passage.stopWatching = watch(timeouts.answer, progress, () => end(req, res, gatewayTimeout));
    }

    // `Content-Length` was checked before; a body without one is counted as it arrives.
    if (req.headers['transfer-encoding'] !== undefined) {
      let size = 0;
      req.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBody) end(req, res, tooLarge);
      });
    }
  }

  function answered(answer: IncomingMessage, req: IncomingMessage, res: ServerResponse): void {
    const passage = passages.get(req);
    if (!passage || passage.over || res.headersSent) return void answer.destroy();
    try {
      for (const { name, values } of answerHeaders(answer).values())
        res.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
      res.statusCode = answer.statusCode ?? 502;
      if (answer.statusMessage) res.statusMessage = answer.statusMessage;
    } catch (error) {
      // Node refused a header or status of the upstream. Remove the headers that were set, before the 502 is written.
      for (const name of res.getHeaderNames()) if (name !== 'connection') res.removeHeader(name);
      failed(error as Error, req, res);
      return;
    }
    passage.answering = true;
    answer.pipe(res);
    // Usually the headers leave with the first bytes of the body; an event stream may send its first byte late.
    setImmediate(() => {
      if (!res.headersSent && !res.destroyed) res.flushHeaders();
    });
    passage.stopWatching();
    const { socket } = answer;
    const progress = () => socket.bytesRead + socket.bytesWritten + req.socket.bytesRead + req.socket.bytesWritten;
    passage.stopWatching = watch(passage.about.route.timeouts.idle, progress, () => {
      note(passage, 'an answer came to a halt');
      settle(req);
      answer.destroy();
      res.destroy();
    });
  }

  /** Ends the request with a refusal of the gateway itself. */
  function end(req: IncomingMessage, res: ServerResponse, verdict: Refused): void {
    const passage = passages.get(req);
    if (!passage || passage.over) return;
    passage.verdict = verdict;
    failed(undefined, req, res);
  }

  function failed(error: Error | undefined, req: IncomingMessage, res: ServerResponse): void {
    const passage = passages.get(req);
    if (!passage || passage.over) return;
    const { upstream, verdict } = passage;
    if (
      verdict === undefined &&
      isStale(upstream, error) &&
      isRepeatable(req) &&
      !passage.retried &&
      !res.headersSent
    ) {
      passage.retried = true;
      passage.upstream = undefined;
      void loading?.then((proxy) => send(proxy, req, res, true));
      return;
    }
    settle(req);
    upstream?.destroy();
    // The caller is gone, or the response has begun: cut the connection.
    if (res.destroyed || passage.answering || req.socket.destroyed) return void res.destroy();
    const refused = verdict ?? badGateway;
    if (refused !== tooLarge)
      note(passage, refused === gatewayTimeout ? 'an upstream took too long' : 'an upstream failed', error);
    refuse(res, refused, passage.about.caller.requestId);
    // Read and drop the rest of the body: after an immediate close, the sender would see a reset and no response.
    req.resume();
    limitBodyTime(req, lingerMs);
  }

  function settle(req: IncomingMessage): void {
    const passage = passages.get(req);
    if (!passage || passage.over) return;
    passage.over = true;
    passage.stopWatching();
  }

  /** Logs no path and no query, which may hold a token, and only the code of the error. */
  function note({ about: { caller, route, upstream } }: Passage, what: string, error?: Error): void {
    const reason = (error as NodeJS.ErrnoException | undefined)?.code ?? error?.name;
    log.warn({ requestId: caller.requestId, route: route.prefix, upstream: upstream.host, reason }, what);
  }

  return {
    async forward(req, res, path, about) {
      loading ??= load();
      const proxy = await loading;
      if (res.destroyed) return;
      const { timeouts } = about.route;
      const passage: Passage = {
        about,
        upstream: undefined,
        verdict: undefined,
        answering: false,
        over: false,
        retried: false,
        stopWatching: watch(
          timeouts.connect,
          () => 0,
          () => end(req, res, gatewayTimeout),
        ),
      };
      passages.set(req, passage);
      res.once('close', () => settle(req));
      limitBodyTime(req, timeouts.upload);
      req.headers = upstreamHeaders(req, about) as IncomingMessage['headers'];
      req.url = path;
      send(proxy, req, res, false);
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/**
 * The upstream closed a kept connection just as the request was sent, so it has not seen the request (RFC 9112, section
 * 9.3.1).
 */
function isStale(upstream: ClientRequest | undefined, error: Error | undefined): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return upstream?.reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** Only a safe method without a body can be sent twice. */
function isRepeatable({ method = '', headers }: IncomingMessage): boolean {
  const body = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return !body && ['GET', 'HEAD', 'OPTIONS'].includes(method);
}
