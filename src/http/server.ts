/** The HTTP server: which client it lets go, and which requests are not plain ones. */
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
