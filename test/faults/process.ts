/**
 * What happens to the process itself: told to stop, no disk, no reader of its log, no file descriptors left
 * (security.md K2, K7, K12).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, csrfOf } from '../support/agent.ts';
import { type ChildServer, type StartOptions, startChild } from '../support/child-server.ts';
import { password } from '../support/server.ts';
import { person, together } from './races.ts';
import { counted, type Means, type Scenario, type Verdict, worst } from './scenario.ts';
import { createTraffic } from './traffic.ts';
import { ask, buildWorld, machineToken, type Reply, reasonOf, request } from './world.ts';

export const processTroubles: readonly Scenario[] = [
  { name: 'sigterm-sqlite', run: (means) => toldToStop(means, undefined) },
  {
    name: 'sigterm-postgres',
    needs: ['postgres'],
    run: async (means) => toldToStop(means, await means.postgres?.database()),
  },
  { name: 'disk-full', run: diskFull },
  { name: 'log-closed', run: (means) => logTrouble(means, { closed: true }) },
  { name: 'log-blocked', run: (means) => logTrouble(means, { closed: false }) },
  { name: 'few-descriptors', run: fewDescriptors },
];

/** Requests sent this long before the signal have arrived when it does. */
const arrivedMs = 20;

async function toldToStop(means: Means, databaseUrl: string | undefined): Promise<Verdict> {
  const times = means.short ? 2 : 50;
  const world = await buildWorld({
    databaseUrl,
    // Sign-ins that take their time: at the signal there is something under way.
    env: { PASSWORD_HASH_MEMORY: '65536', PASSWORD_HASH_TIME: '2' },
  });
  means.after(() => world.place.close());
  const failures: string[] = [];
  const exits: number[] = [];
  let answered = 0;
  let underWay = 0;
  let refusedAfter = 0;

  for (let time = 0; time < times; time += 1) {
    const server = await startChild(world.place);
    means.after(() => server.end());
    let signalled = Number.POSITIVE_INFINITY;
    let stopped = false;
    const one = async (call: () => Promise<Pick<Reply, 'status' | 'text'>>) => {
      const began = performance.now();
      const reply = await call();
      if (reply.status !== 0 && reply.status < 500) {
        answered += 1;
        if (began < signalled && performance.now() > signalled) underWay += 1;
      } else if (began < signalled - arrivedMs)
        failures.push(`a request under way got ${reply.status} ${reply.text.slice(0, 120)}`);
      else refusedAfter += 1;
      stopped ||= reply.status === 0;
    };
    const tokens = async () => {
      while (!stopped) await one(() => machineToken(server, world, false));
    };
    const logins = async (index: number) => {
      while (!stopped) {
        const agent = new Agent(server);
        const page = await agent
          .go(`/oauth/authorize?${new URLSearchParams({ response_type: 'code', ...request(world.reader).parameters })}`)
          .catch(() => undefined);
        if (page?.status !== 200) return;
        await one(async () => {
          try {
            return await agent.go(new URL(page.url).pathname, {
              form: { csrf: csrfOf(page), username: person(world, index).username, password },
              follow: false,
            });
          } catch (error) {
            return { status: 0, text: `sign-in: ${reasonOf(error)}` };
          }
        });
      }
    };
    const load = [...Array.from({ length: 6 }, tokens), ...Array.from({ length: 6 }, (_, index) => logins(index))];
    await sleep(700 + Math.random() * 200);
    signalled = performance.now();
    const { code, signal } = await server.end('SIGTERM');
    exits.push(performance.now() - signalled);
    await Promise.all(load);
    if (code !== 0) failures.push(`exit code ${code}, signal ${signal}: ${server.printed().slice(-300)}`);
  }
  if (worst(exits) > 10_000) failures.push(`gone only after ${worst(exits)} ms`);
  return {
    figures: `${times} × SIGTERM, ${answered} answers (${underWay} to requests under way at the signal), ${refusedAfter} turned away after it, gone in ${worst(exits)} ms at most`,
    failures: counted(failures),
  };
}

/** A file system of its own where root may mount one, otherwise a limit on the size of files. */
async function diskFull(means: Means): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
  means.after(() => rmSync(folder, { recursive: true, force: true }));
  let mounted = false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'gatehouse', folder], { stdio: 'ignore' });
    mounted = true;
    means.after(() => void execFileSync('umount', ['-l', folder]));
  } catch {
    // Not root, or a container that may not mount.
  }
  const failures: string[] = [];
  const world = await buildWorld({ dataDir: join(folder, 'data') });
  const limit: StartOptions = mounted ? {} : { after: 'ulimit -f 1500' };
  const server = await startChild(world.place, limit);
  means.after(() => server.end());
  const traffic = createTraffic(world, { workers: 6, mayBeAway: true });
  traffic.start();
  await sleep(500);
  const filler = join(folder, 'filler');
  if (mounted) {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - 262_144)));
  }
  const until = performance.now() + 15_000;
  while (traffic.figures.away < 20 && performance.now() < until) await sleep(20);
  await sleep(300);
  await traffic.stop();
  const full = traffic.figures.away;
  if (full === 0) failures.push('the disk was never full');
  const alive = await ask(`${server.url}/healthz`);
  if (alive.status !== 200) failures.push(`healthz says ${alive.status}`);
  let recovered = '';
  if (mounted) {
    rmSync(filler);
    const began = performance.now();
    failures.push(...(await traffic.verify()));
    traffic.start();
    await sleep(300);
    await traffic.stop();
    recovered = `, goes on ${Math.round(performance.now() - began)} ms after there is room again`;
  }
  await server.end('SIGKILL');
  const database = new DatabaseSync(join(world.place.dataDir, 'gatehouse.sqlite'));
  const check = database.prepare('pragma integrity_check').get() as { integrity_check: string };
  database.close();
  if (check.integrity_check !== 'ok') failures.push(`the database is damaged: ${check.integrity_check}`);
  const again = await startChild(world.place);
  means.after(() => again.end());
  failures.push(...(await traffic.verify()));
  return {
    figures: `${mounted ? 'a full file system' : 'a limit on file sizes'}: ${traffic.figures.acknowledged} acknowledged and kept, ${full} × 503${recovered}, opens cleanly after kill -9`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}

async function logTrouble(means: Means, { closed }: { closed: boolean }): Promise<Verdict> {
  const world = await buildWorld({});
  means.after(() => world.place.close());
  const server = await startChild(world.place, { env: { LOG_LEVEL: 'trace' }, unread: true });
  means.after(() => server.end());
  if (closed) {
    server.process.stdout?.destroy();
    server.process.stderr?.destroy();
  }
  const traffic = createTraffic(world, { workers: 6 });
  traffic.start();
  await sleep(means.short ? 1500 : 20_000);
  await traffic.stop();
  const failures = await traffic.verify();
  if (!server.running()) failures.push('the server has ended');
  const { acknowledged, cut, slowest } = traffic.figures;
  if (cut > 0) failures.push(`${cut} requests got no answer`);
  const asked = performance.now();
  const { code } = await server.end('SIGTERM');
  const ended = Math.round(performance.now() - asked);
  if (code !== 0 || ended > 10_000) failures.push(`on SIGTERM: exit code ${code} after ${ended} ms`);
  return {
    figures: `${acknowledged} requests while the log is not read, slowest ${Math.round(slowest)} ms, stopped in ${ended} ms`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}

async function fewDescriptors(means: Means): Promise<Verdict> {
  const world = await buildWorld({});
  means.after(() => world.place.close());
  const server = await startChild(world.place, { after: 'ulimit -n 256' });
  means.after(() => server.end());
  const traffic = createTraffic(world, { workers: 6 });
  // Those who are connected go on being served while strangers take every descriptor.
  traffic.start();
  await sleep(500);
  await traffic.stop();
  const open = (await together(400, () => idleConnection(server))).filter((socket) => socket !== undefined);
  await sleep(300);
  const during = await stranger(server);
  for (const socket of open) socket.destroy();
  const freed = performance.now();
  const failures: string[] = [];
  while ((await ask(`${server.url}/readyz`, { limitMs: 2000 })).status !== 200) {
    if (!server.running() || performance.now() - freed > 15_000) {
      failures.push(`does not answer again: ${server.printed().slice(-300)}`);
      break;
    }
    await sleep(20);
  }
  const back = Math.round(performance.now() - freed);
  if (server.running()) {
    failures.push(...(await traffic.verify()));
    traffic.start();
    await sleep(500);
    await traffic.stop();
  } else failures.push('the server has ended');
  if (during.status !== 200 && during.ms > 10_000) failures.push(`a request hung for ${Math.round(during.ms)} ms`);
  if (back > 5000) failures.push(`answers again only after ${back} ms`);
  return {
    figures: `400 idle connections against 256 descriptors: then ${during.status === 200 ? 'still answered' : `turned away in ${Math.round(during.ms)} ms`}, answers again in ${back} ms, ${traffic.figures.acknowledged} acknowledged`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}

/** A request on a connection of its own. */
function stranger(server: Pick<ChildServer, 'url'>): Promise<{ status: number; ms: number }> {
  const began = performance.now();
  const result = (status: number) => ({ status, ms: performance.now() - began });
  return new Promise((resolve) => {
    get(`${server.url}/healthz`, { agent: false, timeout: 12_000 }, (response) => {
      response.resume();
      resolve(result(response.statusCode ?? 0));
    })
      .on('timeout', () => resolve(result(0)))
      .on('error', () => resolve(result(0)));
  });
}

function idleConnection(server: Pick<ChildServer, 'port'>): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port: server.port, host: '127.0.0.1' }, () => resolve(socket));
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
  });
}
