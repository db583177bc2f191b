/**
 * A sample service for development without a route table: the tinyoauth and space guard flows can be tried to their
 * end. It returns what reached it.
 */
import { createServer } from 'node:http';
import type { Upstream } from './routes.ts';

export interface SampleUpstream {
  readonly upstream: Upstream;
  close(): void;
}

export async function openSampleUpstream(): Promise<SampleUpstream> {
  const server = createServer((req, res) => {
    const identity = Object.entries(req.headers).filter(([name]) => name.startsWith('x-gatehouse-'));
    const body = JSON.stringify(
      { service: 'sample upstream', method: req.method, path: req.url, identity: Object.fromEntries(identity) },
      null,
      2,
    );
    // The body is dropped, but read to its end before the response.
    req.resume().once('end', () => {
      res.writeHead(200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': Buffer.byteLength(body),
      });
      res.end(`${body}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // The open port must not keep the process alive.
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const upstream: Upstream = {
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    host: `127.0.0.1:${port}`,
    basePath: '',
  };
  return {
    upstream,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
