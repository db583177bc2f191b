/** The HTTP server: who is let go when, and which door takes what is no plain request. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Gateway } from '../gateway/gateway.ts';
import { limitBodyTime } from '../http/body.ts';

/** For a request's whole body. */
const bodyMs = 30_000;

export function composeServer(frontDoor: RequestListener, gateway: Gateway): Server {
  const server = createServer(
    {
      // A client that dribbles its request is let go (security.md L4): its headers by this, its body by `limitBodyTime`, since
      // one `requestTimeout` for all would cut off the gateway's uploads. Keep-alive outlives the usual proxies' own.
      headersTimeout: 10_000,
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 65_000,
      shouldUpgradeCallback: gateway.takesUpgrade,
    },
    (req, res) => {
      limitBodyTime(req, bodyMs);
      frontDoor(req, res);
    },
  );
  server.on('upgrade', gateway.upgrade);
  // The gateway asks for a body when it knows from whom it comes; everybody else takes it at once.
  server.on('checkContinue', (req, res) => {
    if (!gateway.owns(req)) res.writeContinue();
    server.emit('request', req, res);
  });
  return server;
}
