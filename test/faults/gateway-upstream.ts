/** A service behind the gateway that dies under load, all of its connections with it, and comes back. */
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildServer, startChild } from '../support/child-server.ts';
import { credentialsOf, signInAt, tinyoauth } from './doors.ts';
import { person, together } from './races.ts';
import { counted, type Means, type Scenario, type Verdict, worst } from './scenario.ts';
import { ask, buildWorld } from './world.ts';

export const gatewayTroubles: readonly Scenario[] = [{ name: 'gateway-upstream', run: upstreamAway }];

async function upstreamAway(means: Means): Promise<Verdict> {
  const service = createService();
  await service.open();
  means.after(() => service.kill());
  const world = await buildWorld({ env: { NODE_ENV: 'production', SURFACES: 'all' } });
  means.after(() => world.place.close());
  const server = await startChild(world.place, { env: { GATEWAY_ROUTES: service.routesIn(world.place.dataDir) } });
  means.after(() => server.end());
  const headers = {
    authorization: `Bearer ${tinyoauth.tokenIn(await signInAt(tinyoauth, server, credentialsOf(person(world, 0))))}`,
  };
  const failures: string[] = [];
  const seen = { ok: 0, badGateway: 0, cut: 0 };
  let phase: 'up' | 'between' | 'down' = 'up';
  let working = true;

  async function one(n: number): Promise<void> {
    const began = phase;
    const url = `${server.url}/protected/${n % 3 === 0 ? 'slow' : 'quick'}`;
    const reply = await ask(url, { headers, ...(n % 2 === 0 ? { json: { filler: 'x'.repeat(20_000) } } : {}) });
    if (reply.status === 200) seen.ok += 1;
    else if (reply.status === 502 && (began !== 'up' || phase !== 'up')) {
      seen.badGateway += 1;
      if (!tinyoauth.refuses(reply)) failures.push(`502 in the words of no surface: ${reply.text}`);
      // A program that meets one waits a moment; asking at once again would be another test.
      await sleep(5);
    } else if (reply.status === 0 && (began !== 'down' || phase !== 'down'))
      seen.cut += 1; // An answer that had begun can only be cut off.
    else failures.push(`${reply.status} where the service was ${began}, then ${phase}: ${reply.text.slice(0, 150)}`);
    if (reply.ms > 5000) failures.push(`an answer after ${Math.round(reply.ms)} ms`);
  }
  const load = together(12, async (n) => {
    for (let round = n; working; round += 1) await one(round);
  });
  await sleep(500);
  const before = descriptors(server);
  const times = means.short ? 4 : 200;
  const recoveries: number[] = [];
  for (let time = 0; time < times; time += 1) {
    phase = 'between';
    service.kill();
    await sleep(50);
    phase = 'down';
    await sleep(300);
    phase = 'between';
    await service.open();
    const back = performance.now();
    while ((await ask(`${server.url}/protected/quick`, { headers })).status !== 200) {
      if (performance.now() - back > 5000) throw new Error('it does not come back');
    }
    recoveries.push(performance.now() - back);
    await sleep(50);
    phase = 'up';
    await sleep(400);
  }
  working = false;
  await load;
  // Kept connections are let go after a few seconds; what is there then has been forgotten.
  await sleep(6500);
  const after = descriptors(server);
  const left = service.connections();
  if (left > 0) failures.push(`${left} connections to the service are still open`);
  if (after > before) failures.push(`${after - before} more descriptors than under load at the beginning`);
  if (seen.badGateway === 0) failures.push('no client noticed that the service was away');
  if (worst(recoveries) > 1000) failures.push(`back after ${worst(recoveries)} ms`);
  return {
    figures: `killed ${times} times: ${seen.ok} × 200, ${seen.badGateway} × 502, ${seen.cut} cut off, back in ${worst(recoveries)} ms at most, ${left} connections left, descriptors ${before} -> ${after}`,
    failures: counted(failures),
  };
}

/** A service at one address that can be killed, all of its connections included, and opened again. */
function createService() {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  return {
    async open() {
      server = createServer((req, res) => {
        req.on('error', () => {});
        req.resume().once('end', () => {
          res.write('x'.repeat(10_000));
          setTimeout(() => res.end('end'), req.url?.endsWith('slow') ? 40 : 0);
        });
      });
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      await new Promise<void>((resolve, reject) => {
        server?.once('error', reject);
        server?.listen(port, '127.0.0.1', resolve);
      });
      port = (server.address() as AddressInfo).port;
    },
    kill() {
      server?.close();
      for (const socket of sockets) socket.resetAndDestroy();
    },
    connections: () => sockets.size,
    routesIn(folder: string): string {
      const file = join(folder, 'routes.json');
      const route = { prefix: '/protected', tokens: ['tinyoauth'], upstream: `http://127.0.0.1:${port}` };
      writeFileSync(file, JSON.stringify([route]));
      return file;
    },
  };
}

function descriptors({ pid }: ChildServer): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
