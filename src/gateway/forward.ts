/**
 * Passes a request on and its answer back, both as streams. The proxy library (httpxy) connects, pipes with back pressure and lets
 * go of one side when the other has gone; what is sent and what comes back (headers.ts), deadlines and the words of a failure are
 * decided here. docs/decisions/014-proxy-library.md says what was looked at.
 *
 *     connecting ── connect ──> waiting ── answer ──> answering ── idle ──> done
 *
 * Each phase has its deadline; one that passes before the answer has begun is a 504, any other failure before that a 502. Once
 * the answer has begun there is only one way left to say that it is not whole: to cut the connection.
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
  /** `path`: as the upstream is to see it, with its query. */
  forward(req: IncomingMessage, res: ServerResponse, path: string, about: Sent): Promise<void>;
  close(): void;
}

interface Passage {
  readonly about: Sent;
  upstream: ClientRequest | undefined;
  /** What ended it, where that was decided here. */
  verdict: Refused | undefined;
  /** The upstream's headers are on their way back. */
  answering: boolean;
  over: boolean;
  retried: boolean;
  stopWatching: () => void;
}

/** Idle connections are closed before the usual upstreams would do it: a request that meets a closing one is a 502. */
const keptMs = 4_000;
const lingerMs = 5_000;

export function createForwarder(log: Logger): Forwarder {
  const agents = {
    'http:': new Agent({ keepAlive: true, maxFreeSockets: 256, timeout: keptMs }),
    'https:': new TlsAgent({ keepAlive: true, maxFreeSockets: 256, timeout: keptMs }),
  };
  const passages = new WeakMap<IncomingMessage, Passage>();
  let loading: Promise<ProxyServer> | undefined;

  /** Loaded with the first request that is passed on. */
  async function load(): Promise<ProxyServer> {
    const { createProxyServer } = await import('httpxy');
    const proxy = createProxyServer({ selfHandleResponse: true, prependPath: false });
    proxy.on('proxyReq', (upstream, req, res) => connected(upstream, req, res));
    proxy.on('proxyRes', (answer, req, res) => answered(answer, req, res));
    proxy.on('error', (error, req, res) => {
      if (req && res) failed(error, req, res as ServerResponse);
    });
    // Of the caller's side, which has gone: nothing has failed.
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
    // What went wrong was said to the `error` listener; this is the same error once more.
    sending.catch(() => {});
  }

  function connected(upstream: ClientRequest, req: IncomingMessage, res: ServerResponse): void {
    const passage = passages.get(req);
    if (!passage || passage.over) return void upstream.destroy();
    passage.upstream = upstream;
    // Closed without an answer and without an error: it has switched protocols, and nobody had asked for that.
    upstream.once('close', () => {
      if (passage.upstream === upstream && !passage.answering) failed(undefined, req, res);
    });
    const { timeouts, maxBody } = passage.about.route;
    const socket = upstream.socket as Socket;
    if (socket.connecting) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', wait);
    else wait();

    /** From the last byte that was passed on: an upload may take its time, and its answer only begins then. */
    function wait(): void {
      if (passage === undefined || passage.over || passage.answering) return;
      passage.stopWatching();
      const progress = () => req.socket.bytesRead + socket.bytesWritten;
      passage.stopWatching = watch(timeouts.answer, progress, () => end(req, res, gatewayTimeout));
    }

    // A length that was announced has been checked; without one, what comes is counted on its way.
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
      // What an upstream writes and nobody can send on: the half of it that was taken must not colour our own words.
      for (const name of res.getHeaderNames()) if (name !== 'connection') res.removeHeader(name);
      failed(error as Error, req, res);
      return;
    }
    passage.answering = true;
    answer.pipe(res);
    // The first bytes of most answers come together with the headers and leave with them; of a stream of events they may be long.
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

  /** Decided here, not by the connection. */
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
    // The caller has gone, or hears by a cut that the answer is not whole.
    if (res.destroyed || passage.answering || req.socket.destroyed) return void res.destroy();
    const refused = verdict ?? badGateway;
    if (refused !== tooLarge)
      note(passage, refused === gatewayTimeout ? 'an upstream took too long' : 'an upstream failed', error);
    refuse(res, refused, passage.about.caller.requestId);
    // What still comes of the body is read and dropped, for a moment: closed at once, a sender would see a reset and no answer.
    req.resume();
    limitBodyTime(req, lingerMs);
  }

  function settle(req: IncomingMessage): void {
    const passage = passages.get(req);
    if (!passage || passage.over) return;
    passage.over = true;
    passage.stopWatching();
  }

  /** Neither the path nor the query, where a token may have slipped in, and no more of the error than its code. */
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

/** A kept connection that the upstream was just closing: it has not seen the request (RFC 9112, section 9.3.1). */
function isStale(upstream: ClientRequest | undefined, error: Error | undefined): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return upstream?.reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** Without a body, which would be gone, and safe to be done twice. */
function isRepeatable({ method = '', headers }: IncomingMessage): boolean {
  const body = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return !body && ['GET', 'HEAD', 'OPTIONS'].includes(method);
}
