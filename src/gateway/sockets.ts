/**
 * WebSockets (RFC 6455). The handshake is checked like any request, then the two connections are joined until one ends.
 * A socket may stay open for days, so its token is checked again every few seconds: the socket ends with the token, its
 * session, its user or its client.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProxyServer } from 'httpxy';
import type { Logger } from '../base/log.ts';
import { badGateway, gatewayTimeout, type Refused } from './answers.ts';
import { isOwnCookie, type Sent, upstreamHeaders } from './headers.ts';
import { targetOf } from './routes.ts';
import { endWhenSaid, refuseUpgrade } from './upgrade-socket.ts';
import { watch } from './watchdog.ts';

interface Sockets {
  /** `stillGood`: whether the token is still accepted. If it throws, the socket stays open. */
  open(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    path: string,
    about: Sent,
    stillGood: () => Promise<boolean>,
  ): Promise<void>;
  closeAll(): void;
}

interface Handshake {
  readonly about: Sent;
  readonly stillGood: () => Promise<boolean>;
  upstream: ClientRequest | undefined;
  over: boolean;
  stopWatching: () => void;
}

const checkEveryMs = 2_000;

export function createSockets(log: Logger): Sockets {
  const handshakes = new WeakMap<IncomingMessage, Handshake>();
  const tied = new Map<Duplex, () => Promise<boolean>>();
  let loading: Promise<ProxyServer> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function load(): Promise<ProxyServer> {
    const { createProxyServer } = await import('httpxy');
    const proxy = createProxyServer({ prependPath: false });
    proxy.on('proxyReqWs', (upstream, req, socket) => begin(upstream, req, socket));
    proxy.on('error', (error, req, socket) => {
      if (req && socket) fail(req, socket as Socket, badGateway, error);
    });
    return proxy;
  }

  function begin(upstream: ClientRequest, req: IncomingMessage, socket: Duplex): void {
    const handshake = handshakes.get(req) as Handshake;
    handshake.upstream = upstream;
    socket.once('close', () => {
      done(handshake);
      upstream.destroy();
    });
    upstream.once('response', ({ headers }) => {
      done(handshake);
      // The upstream refused the WebSocket; the library forwards its response unchanged.
      const cookies = headers['set-cookie']?.filter((cookie) => !isOwnCookie(cookie));
      if (cookies) headers['set-cookie'] = cookies;
      endWhenSaid(socket);
    });
    upstream.once('upgrade', (_answer, other: Socket) => {
      done(handshake);
      // The pipes forward an orderly end, but not an abrupt one.
      socket.once('close', () => other.destroy());
      other.once('close', () => (socket as Socket).destroySoon());
      keep(socket, handshake.stillGood);
    });
  }

  function keep(socket: Duplex, stillGood: () => Promise<boolean>): void {
    tied.set(socket, stillGood);
    socket.once('close', () => {
      tied.delete(socket);
      if (tied.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
    timer ??= setInterval(() => {
      for (const [each, good] of tied) {
        good().then(
          (yes) => {
            if (!yes) each.destroy();
          },
          // Storage is unavailable, so the token's state is unknown. Closing every socket would not be safer.
          () => {},
        );
      }
    }, checkEveryMs);
  }

  function fail(req: IncomingMessage, socket: Duplex, refused: Refused, error?: Error): void {
    const handshake = handshakes.get(req);
    if (!handshake || handshake.over) return void socket.destroy();
    done(handshake);
    const { caller, route, upstream } = handshake.about;
    const { requestId } = caller;
    const reason = (error as NodeJS.ErrnoException | undefined)?.code ?? error?.name;
    log.warn({ requestId, route: route.prefix, upstream: upstream.host, reason }, 'an upstream opened no WebSocket');
    refuseUpgrade(socket, refused, requestId);
    handshake.upstream?.destroy();
  }

  function done(handshake: Handshake): void {
    handshake.over = true;
    handshake.stopWatching();
  }

  return {
    async open(req, socket, head, path, about, stillGood) {
      loading ??= load();
      const proxy = await loading;
      if (socket.destroyed) return;
      const { connect, answer } = about.route.timeouts;
      const late = () => fail(req, socket, gatewayTimeout);
      handshakes.set(req, {
        about,
        stillGood,
        upstream: undefined,
        over: false,
        stopWatching: watch(connect + answer, () => 0, late),
      });
      const headers = upstreamHeaders(req, about);
      headers.connection = 'Upgrade';
      headers.upgrade = 'websocket';
      req.headers = headers as IncomingMessage['headers'];
      req.url = path;
      proxy.ws(req, socket as Socket, { ...targetOf(about.upstream), agent: false }, head).catch(() => {});
    },
    closeAll() {
      for (const socket of tied.keys()) (socket as Socket).destroySoon();
    },
  };
}
