/** The service behind the gateway. It answers as fast as Node can, so the measurement shows the gateway. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from './clients.ts';

export interface Upstream {
  readonly port: number;
  /** The gateway's route table with a route to this service. */
  readonly routesFile: string;
  stop(): void;
}

/** Runs on the generator's core, so the gateway has the other core to itself. */
export async function startUpstream(): Promise<Upstream> {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await portOf(child);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-routes-'));
  const routesFile = join(folder, 'routes.json');
  const route = {
    prefix: '/bench',
    upstream: `http://127.0.0.1:${port}`,
    tokens: ['oauth'],
    audience: api.identifier,
    scopes: [api.scope],
  };
  writeFileSync(routesFile, JSON.stringify([route]));
  return {
    port,
    routesFile,
    stop() {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(Number(chunk)));
    child.once('exit', () => reject(new Error('the upstream exited at its start')));
  });
}

if (process.argv[1] === import.meta.filename) {
  const body = Buffer.from('{"hello":"from the upstream"}\n');
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    res.end(body);
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(String((server.address() as AddressInfo).port)));
}
