/** Metrics on a port of their own, for a network that only the monitoring reaches (`METRICS_PORT`). */
import { createServer, type Server } from 'node:http';
import type { Metrics } from '../base/metrics.ts';

export function createMetricsServer({ metrics }: { metrics: Metrics }, port: number): Promise<Server> {
  const server = createServer(async (req, res) => {
    if (req.url !== '/metrics' || req.method !== 'GET') {
      res.writeHead(404).end();
      return;
    }
    const { contentType, body } = await metrics.page();
    res.writeHead(200, { 'Content-Type': contentType }).end(body);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
