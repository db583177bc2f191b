/** Clients that dribble (security.md L4): they are let go, and no other client notices them. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildServer, startChild } from '../support/child-server.ts';
import { counted, type Means, type Scenario, type Verdict, worst } from './scenario.ts';
import { ask, buildWorld, machineToken } from './world.ts';

export const slowClients: readonly Scenario[] = [{ name: 'slow-clients', waits: true, run: slow }];

/** What a slow client has sent before it begins to dribble one byte a second. */
const beginnings: Readonly<Record<string, string>> = {
  headers: 'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\n',
  body: 'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n',
};
/** The server's own limits are 10 s for headers and 30 s for a whole request, looked at every 5 s. */
const letGoMs: Readonly<Record<string, number>> = { headers: 20_000, body: 40_000 };

async function slow(means: Means): Promise<Verdict> {
  const kinds = means.short ? ['headers'] : Object.keys(beginnings);
  const each = means.short ? 200 : 1000;
  const world = await buildWorld({});
  means.after(() => world.place.close());
  const server = await startChild(world.place);
  means.after(() => server.end());

  const failures: string[] = [];
  const lived: number[] = [];
  let waiting = true;
  const dribblers = Promise.all(
    kinds.flatMap((kind) =>
      Array.from({ length: each }, async () => {
        const limit = letGoMs[kind] ?? 0;
        const ms = await dribble(server, beginnings[kind] ?? '', limit + 5_000);
        lived.push(ms);
        if (ms > limit) failures.push(`a client that dribbled its ${kind} was still there after ${limit / 1000} s`);
      }),
    ),
  ).finally(() => {
    waiting = false;
  });

  const times: number[] = [];
  while (waiting) {
    const began = performance.now();
    const { status } = await machineToken(server, world);
    times.push(performance.now() - began);
    if (status !== 200) failures.push(`another client got ${status}`);
    const healthy = await ask(`${server.url}/healthz`, { limitMs: 2_000 });
    if (healthy.status !== 200) failures.push(`/healthz said ${healthy.status}`);
    await sleep(20);
  }
  await dribblers;
  return {
    figures: `${lived.length} clients that dribble, let go after ${Math.round(worst(lived) / 1000)} s at most; ${times.length} others answered, slowest ${worst(times)} ms`,
    failures: counted(failures),
  };
}

/** How long the server kept the connection. */
function dribble(server: Pick<ChildServer, 'port'>, beginning: string, limitMs: number): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ port: server.port, host: 'localhost' }, () => socket.write(beginning));
    const byte = setInterval(() => socket.write('x'), 1000);
    const limit = setTimeout(() => socket.destroy(), limitMs);
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      clearInterval(byte);
      clearTimeout(limit);
      resolve(performance.now() - began);
    });
  });
}
