/** The service behind the gateway, which minds what reaches it: nothing but what a route lets through may. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from '../faults/world.ts';

export interface Upstream {
  /** For `GATEWAY_ROUTES`. */
  readonly routesFile: string;
  /** What was wrong with what came, each once. */
  readonly complaints: ReadonlySet<string>;
  reached(): number;
  close(): void;
}

export const gatewayPaths = ['/protected', '/write-data', '/books', '/everybody'] as const;

export async function openUpstream(): Promise<Upstream> {
  const complaints = new Set<string>();
  let requests = 0;
  const filler = randomBytes(2048);
  const server = createServer((req, res) => {
    requests += 1;
    for (const complaint of wrongWith(req)) complaints.add(complaint);
    req.on('error', () => {});
    // A service may begin its answer before the body has come to its end. It reads the rest all the same, and ends
    // after it: a connection that is closed with bytes unread is reset, the reset may overtake the answer, and the
    // gateway's 502 is right.
    req.resume();
    if (requests % 4 === 0) {
      res.write(filler);
      req.once('end', () => res.end());
    } else req.once('end', () => res.end('{"service":"upstream"}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-routes-'));
  const routesFile = join(folder, 'routes.json');
  const everybody = {
    audience: api,
    upstream,
    tokens: ['oauth', 'identity', 'security-service', 'tinyoauth', 'space-guard'],
  };
  writeFileSync(
    routesFile,
    JSON.stringify([
      { prefix: '/protected', tokens: ['tinyoauth'], upstream, maxBody: 100_000 },
      { prefix: '/write-data', tokens: ['space-guard'], methods: ['POST'], upstream },
      { prefix: '/books', tokens: ['oauth'], audience: api, scopes: ['books:read'], upstream, stripPrefix: true },
      { ...everybody, prefix: '/everybody' },
    ]),
  );
  return {
    routesFile,
    complaints,
    reached: () => requests,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function wrongWith({ rawHeaders, url = '' }: IncomingMessage): string[] {
  const found: string[] = [];
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase().replaceAll('_', '-'));
  const times = (wanted: string) => names.filter((name) => name === wanted).length;
  if (times('authorization') > 0) found.push('a token reached the upstream');
  if (times('x-gatehouse-token-kind') !== 1) found.push('the upstream is not told once what kind of token it was');
  const twice = names.find((name) => /^x-(gatehouse|forwarded)-/.test(name) && times(name) > 1);
  if (twice !== undefined) found.push(`${twice} reached the upstream twice`);
  const foreign = rawHeaders.find((value, index) => index % 2 === 1 && value.includes('spoofed'));
  if (foreign !== undefined) found.push(`what the caller said of itself reached the upstream: ${foreign}`);
  if (/\/\.\.?(\/|$|\?)|^[^?]*(%2e|%2f|%5c|\\|;|\/\/)/i.test(url))
    found.push(`a path of two meanings: ${url.slice(0, 200)}`);
  return found;
}
