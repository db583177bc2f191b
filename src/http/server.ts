/** The HTTP server: its limits, its beginning and its end. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** What takes connections beside plain requests. */
interface Gateway {
  owns(req: IncomingMessage): boolean;
  takesUpgrade(req: IncomingMessage): boolean;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export function createHttpServer(frontDoor: RequestListener, gateway: Gateway): Server {
  const server = createServer(
    {
      // A client that dribbles its request is let go (security.md L4): its headers by this, its body by the front door, since
      // one `requestTimeout` for all would cut off the gateway's uploads. Keep-alive outlives the usual proxies' own.
      headersTimeout: 10_000,
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 65_000,
      shouldUpgradeCallback: gateway.takesUpgrade,
    },
    frontDoor,
  );
  server.on('upgrade', gateway.upgrade);
  // The gateway asks for a body once it knows the sender; all others take it at once.
  server.on('checkContinue', (req, res) => {
    if (!gateway.owns(req)) res.writeContinue();
    server.emit('request', req, res);
  });
  return server;
}

/** Rejects where the address is taken or not allowed. */
export function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Takes no new connections, lets requests under way finish for at most `seconds`, then cuts off the rest. */
export function drained(server: Server, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const last = setTimeout(() => server.closeAllConnections(), seconds * 1000);
    // A connection that was busy when the server closed is idle a moment later. Looked at after this turn's sockets have been
    // read: until then one on which the next request waits looks idle as well.
    const idle = setInterval(() => setImmediate(() => server.closeIdleConnections()), 50);
    setImmediate(() =>
      server.close(() => {
        clearTimeout(last);
        clearInterval(idle);
        resolve();
      }),
    );
    return undefined;
  });
}
