/** Serves metrics on a separate port (`METRICS_PORT`), on loopback unless `METRICS_HOST` is set. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { MetricsPage } from '../base/metrics.ts';
import { digest } from '../base/secrets.ts';
import { mayScrape } from './scraper.ts';

interface MetricsServerDeps {
  readonly port: number;
  readonly host: string;
  /** Empty: no token is required. */
  readonly tokens: readonly string[];
  readonly page: () => Promise<MetricsPage>;
}

/** Enough for a few scrapers. The limit protects the file descriptors. */
const connectionsMax = 100;

/** Rejects if the address is taken or not permitted. */
export function createMetricsServer({ port, host, tokens, page }: MetricsServerDeps): Promise<Server> {
  const digests = tokens.map(digest);
  let rendering: Promise<MetricsPage> | undefined;
  /** Concurrent scrapes share one page. */
  const shared = (): Promise<MetricsPage> => {
    rendering ??= page().finally(() => {
      rendering = undefined;
    });
    return rendering;
  };

  // As on the main port, slow clients are disconnected. No request here has a body.
  const limits = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 5_000 };
  const server = createServer({ ...limits, keepAliveTimeout: 65_000 }, async (req, res) => {
    const [path] = (req.url ?? '').split('?', 1);
    if (path !== '/metrics') return refuse(res, 404, 'not_found');
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return refuse(res, 405, 'method_not_allowed', { Allow: 'GET, HEAD' });
    if (tokens.length > 0 && !mayScrape(req, digests)) {
      return refuse(res, 401, 'unauthorized', { 'WWW-Authenticate': 'Bearer' });
    }
    try {
      const { contentType, body } = await shared();
      res.writeHead(200, { ...always, 'Content-Type': contentType }).end(body);
    } catch {
      refuse(res, 503, 'temporarily_unavailable', { 'Retry-After': '1' });
    }
  });
  server.maxConnections = connectionsMax;
  // Disconnects clients that do not read the response.
  server.timeout = 30_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

const always = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

function refuse(res: ServerResponse, status: number, error: string, headers: Record<string, string> = {}): void {
  res.writeHead(status, { ...always, ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify({ error }));
}
