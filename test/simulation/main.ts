/** `npm run refresh-simulation`: a day of programs that share one refresh token, in a few seconds. */
import { mock } from 'node:test';
import { parseArgs } from 'node:util';
import { startServer } from '../support/server.ts';
import { runFamily, simulationEnv } from './family.ts';
import { figureFor, robbery, rowOf, seed, sharedStore, staleMinutes } from './figures.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: String(seed) } } });
const chosen = { seed: Number(values.seed) };

mock.timers.enable({ apis: ['Date'], now: Date.now() });
const setClock = (now: number): void => mock.timers.setTime(Math.max(now, Date.now()));
const server = await startServer({ env: simulationEnv });
const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const shared = await runFamily(server, {}, { ...sharedStore, ...chosen }, setClock);
  print(
    `${sharedStore.processes} programs, ${sharedStore.hours} hours, seed ${chosen.seed}: ${shared.requests} requests, ${shared.lost} lost answers, ` +
      `${shared.repeats} repeats, the latest after ${shared.longest} s; ${shared.forced} forced sign-ins, ${shared.live.length} live family`,
  );
  const robbed = await runFamily(server, {}, { ...robbery, ...chosen }, setClock);
  print(
    `a thief two generations back: refused with ${robbed.thief?.status}, ${robbed.live.length} live families, and the next program has to sign in again`,
  );
  print('\n| a program keeps its copy for | smallest window without a forced sign-in | rule |\n|---|---|---|');
  for (const minutes of staleMinutes) print(rowOf(await figureFor(server, minutes, setClock)));
  if (shared.forced > 0 || shared.live.length !== 1 || robbed.live.length > 0) process.exitCode = 1;
} finally {
  await server.close();
}
