/** The HTTP server: limits, start and shutdown. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** The gateway's part in upgrades and in `Expect: 100-continue`. */
interface Gateway {
  owns(req: IncomingMessage): boolean;
  takesUpgrade(req: IncomingMessage): boolean;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export function createHttpServer(frontDoor: RequestListener, gateway: Gateway): Server {
  const server = createServer(
    {
      // Slow requests are cut off (security.md L4): headers by this limit, bodies by the front door, because one
      // `requestTimeout` would cut off gateway uploads. `keepAliveTimeout` exceeds that of common proxies.
      headersTimeout: 10_000,
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 65_000,
      shouldUpgradeCallback: gateway.takesUpgrade,
    },
    frontDoor,
  );
  server.on('upgrade', gateway.upgrade);
  // The gateway asks for the body after it has authenticated the sender; all other routes ask at once.
  server.on('checkContinue', (req, res) => {
    if (!gateway.owns(req)) res.writeContinue();
    server.emit('request', req, res);
  });
  return server;
}

/** Rejects if the address is in use or not permitted. */
export function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Accepts no new connections, lets running requests finish for at most `seconds`, then closes all connections. */
export function drained(server: Server, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const last = setTimeout(() => server.closeAllConnections(), seconds * 1000);
    // A busy connection becomes idle after the server has closed. `setImmediate` waits until this turn's sockets are
    // read: before that, a connection with a waiting request looks idle too.
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
