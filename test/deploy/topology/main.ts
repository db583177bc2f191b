/**
 * npm run topology
 *
 * Runs deploy/compose.yaml without Docker (nginx, two nodes, Postgres, Redis, all this run's own) and looks at what
 * people and strangers meet there (docs/testing.md). One line for each check; the exit code tells whether all have
 * passed.
 */
import { createReport } from '../report.ts';
import { checkAddresses } from './addresses.ts';
import { checkNodes } from './nodes.ts';
import { checkProxy } from './proxy.ts';
import { startWorld, type World } from './world.ts';

/** Far beyond what the slowest machine needs: something hangs then. */
const limitMs = 300_000;

const began = performance.now();
const report = createReport();
const undo: (() => unknown)[] = [];
/** Everything that was started, the last first. */
async function close(): Promise<void> {
  for (;;) {
    const one = undo.pop();
    if (one === undefined) return;
    await one();
  }
}
const giveUp = (why: string) => {
  console.log(`FAIL  ${why}`);
  void close().finally(() => process.exit(1));
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => giveUp(`told to stop by ${signal}`));
setTimeout(() => giveUp(`not done within ${limitMs / 1000} seconds`), limitMs).unref();

let world: World | undefined;
try {
  // The example as it ships, but that people may sign up: that is looked at too.
  await report.check(
    'nginx, two nodes at once over an empty Postgres, and Redis start as compose.yaml says',
    async () => {
      world = await startWorld({ SIGN_UP: 'open' }, (one) => void undo.push(one));
    },
  );
  if (world !== undefined) {
    await checkProxy(report, world);
    await checkNodes(report, world);
    await checkAddresses(report, world);
  }
} finally {
  await close();
}
report.end(began);
