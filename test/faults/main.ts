/**
 * npm run faults -- [--short] [--only kill-sqlite,reload] [--list]
 *
 * Breaks what can break around and inside a real server, while real clients use it, and checks what they were promised
 * (docs/testing.md). One line for each scenario; the exit code tells whether all have passed. Everything runs on this
 * machine, in processes and folders of the run's own.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { startTestRedis } from '../support/redis-server.ts';
import { ownPostgres } from '../support/services.ts';
import { apiSessionOutages } from './api-session-outages.ts';
import { apiSessionRaces } from './api-session-races.ts';
import { crashes } from './crash.ts';
import { deliveryTroubles } from './deliveries.ts';
import { gatewayTroubles } from './gateway-upstream.ts';
import { outages } from './outages.ts';
import { processTroubles } from './process.ts';
import { races } from './races.ts';
import type { Means, Scenario, Verdict } from './scenario.ts';
import { slowClients } from './slow-clients.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
  },
});
const all: readonly Scenario[] = [
  ...crashes,
  ...races,
  ...apiSessionRaces,
  ...outages,
  ...apiSessionOutages,
  ...deliveryTroubles,
  ...gatewayTroubles,
  ...processTroubles,
  ...slowClients,
];
if (values.list) {
  for (const { name } of all) console.log(name);
  process.exit(0);
}
const wanted = values.only === '' ? all.map(({ name }) => name) : values.only.split(',');
const unknown = wanted.find((name) => !all.some((scenario) => scenario.name === name));
if (unknown !== undefined) {
  console.error(`There is no scenario ${unknown}; --list names them.`);
  process.exit(2);
}
const chosen = all.filter(({ name }) => wanted.includes(name));

const began = performance.now();
const needed = new Set(chosen.flatMap(({ needs = [] }) => needs));
const [postgres, redis] = await Promise.all([
  needed.has('postgres') ? ownPostgres() : undefined,
  needed.has('redis') && hasRedis() ? startTestRedis() : undefined,
]);
let failed = 0;
let skipped = 0;
try {
  for (const scenario of chosen.filter(({ waits }) => !waits)) await tryOut(scenario);
  await Promise.all(chosen.filter(({ waits }) => waits).map(tryOut));
} finally {
  await redis?.close();
  await postgres?.close();
}
const seconds = Math.round((performance.now() - began) / 1000);
console.log(`${chosen.length - failed - skipped} scenarios passed, ${failed} failed, ${skipped} skipped, ${seconds} s`);
process.exit(failed === 0 ? 0 : 1);

async function tryOut(scenario: Scenario): Promise<void> {
  const missing = (scenario.needs ?? []).filter((need) => (need === 'postgres' ? postgres : redis) === undefined);
  if (missing.length > 0) {
    skipped += 1;
    console.log(`skip  ${scenario.name.padEnd(26)} this machine has no ${missing.join(' and no ')}`);
  } else if (!(await play(scenario))) failed += 1;
}

async function play(scenario: Scenario): Promise<boolean> {
  const undoes: (() => unknown)[] = [];
  const means: Means = { short: values.short, postgres, redis, after: (undo) => void undoes.push(undo) };
  const start = performance.now();
  let verdict: Verdict;
  try {
    verdict = await scenario.run(means);
  } catch (error) {
    verdict = {
      figures: 'came to no end',
      failures: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    };
  }
  for (const undo of undoes.reverse()) await undo();
  const took = ((performance.now() - start) / 1000).toFixed(1);
  const passed = verdict.failures.length === 0;
  console.log(`${passed ? 'PASS' : 'FAIL'}  ${scenario.name.padEnd(26)} ${verdict.figures} [${took} s]`);
  for (const failure of verdict.failures.slice(0, 12)) console.log(`        ${failure}`);
  return passed;
}

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return false;
  }
}
