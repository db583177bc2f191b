// Checks that the tests detect faults: plants each patch of test/planted in a copy of the project; the tests must fail.
//
//   npm run planted                              all patches
//   npm run planted -- core-key-removed-early    only this patch
//   npm run planted -- --short                   a dozen, for .ci/run
//   npm run planted -- --named                   runs only the suites that each patch names
//   npm run planted -- --list                    lists the patches
//
// Runs the named suites with the sample of `npm test`, then all of `npm test`, then, only for a missed fault,
// `npm run test:all`. Exit code 1: all tests missed a fault, or `npm test` missed more than four.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mistakesOf, planted, readFaults } from './planted/patches.mjs';
import { inCopy, removePaths, root, secondsSince } from './without.mjs';

/** The test commands: each script of package.json without its checks. */
const commands = { sample: commandOf('test'), whole: commandOf('test:all'), suites: commandOf('test:unit') };
/** `npm test` may miss this many faults: those of several nodes, races, Postgres, Redis or browsers. */
const missedMax = 4;
/** For `--short`: fast ones, each from another part of src. */
const dozen = new Set([
  'api-retry-after-in-milliseconds',
  'base-cause-logged-whole',
  'cli-import-quotes-hash',
  'config-secret-file-newline',
  'core-key-removed-early',
  'gateway-session-cookie-passed',
  'http-forwarded-rubbish',
  'login-upstream-unproved-address',
  'mail-regional-language',
  'oidc-any-port-for-all',
  'pages-session-of-another',
  'storage-wait-rounded-down',
]);

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean' }, named: { type: 'boolean' }, list: { type: 'boolean' } },
});
const all = readFaults(root);
const chosen = all.filter(({ name }) =>
  positionals.length > 0 ? positionals.includes(name) : !options.short || dozen.has(name),
);
const mistakes = [
  ...[...positionals, ...dozen].flatMap((name) =>
    all.some((fault) => fault.name === name) ? [] : [`Unknown fault "${name}". Known faults: --list.`],
  ),
  ...chosen.flatMap((fault) => mistakesOf(fault, root)),
];

if (options.list) {
  for (const { name, sentence, suites } of chosen) console.log(`${name}\n  ${sentence}\n  ${suites.join(' ')}`);
} else if (mistakes.length > 0) {
  for (const mistake of mistakes) console.error(mistake);
  process.exitCode = 2;
} else process.exitCode = await run();

async function run() {
  const absent = ['TEST_DATABASE_URL', 'TEST_REDIS_URL'].filter((name) => !process.env[name]);
  if (absent.length > 0) console.log(`Without ${absent.join(' and ')}, some suites that detect faults are skipped.`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  const began = performance.now();
  const results = [];
  await inCopy(async (copy) => {
    // This suite checks that every patch applies, which fails for the planted one.
    removePaths(copy, ['test/scripts/planted.test.ts']);
    for (const fault of chosen) {
      const start = performance.now();
      const result = { name: fault.name, ...(await whileIn(copy, fault, () => caughtBy(copy, fault))) };
      results.push({ ...result, seconds: secondsSince(start) });
      print(results.at(-1));
    }
  });
  const broken = results.filter(({ tier }) => tier === 'broken').length;
  const missed = results.filter(({ tier }) => tier === 'missed').length;
  const bySample = missed + results.filter(({ tier }) => tier === 'test:all').length;
  console.log(
    `${results.length} faults: npm test misses ${bySample}, all tests miss ${missed}, ${broken} are broken, ${secondsSince(began)} s`,
  );
  return missed > 0 || bySample > missedMax || broken > 0 ? 1 : 0;
}

/** Plants the fault while `work` runs. */
async function whileIn(copy, { hunks }, work) {
  const files = new Map(hunks.map(({ file }) => [file, readFileSync(join(copy, file), 'utf8')]));
  for (const { file, ...hunk } of hunks) {
    const path = join(copy, file);
    writeFileSync(path, planted(readFileSync(path, 'utf8'), hunk));
  }
  try {
    return await work();
  } finally {
    for (const [file, text] of files) writeFileSync(join(copy, file), text);
  }
}

/** `tier`: the smallest run that detects the fault. */
async function caughtBy(copy, { suites }) {
  const named = ['--runTestsByPath', ...suites];
  const runs = [
    { tier: 'test', command: commands.suites, words: named, sample: true },
    { tier: 'test', command: commands.sample, words: [], sample: true },
    { tier: 'test:all', command: commands.suites, words: named, sample: false },
    { tier: 'test:all', command: commands.whole, words: [], sample: false },
  ];
  for (const { tier, command, words, sample } of options.named ? runs.filter(({ words }) => words === named) : runs) {
    const { reports, passed, printed } = await test(copy, command, words, sample);
    const notLoaded = reports.find((report) => report.notLoaded);
    if (notLoaded) return { tier: 'broken', suite: notLoaded.suite, title: notLoaded.notLoaded };
    const [first] = reports;
    if (first) return { tier, suite: first.suite, title: first.title };
    if (!passed) return { tier: 'broken', suite: '', title: `the tests did not run:\n${printed}` };
  }
  return { tier: 'missed', suite: '', title: '' };
}

/** Stops at the first suite with a failed test. */
async function test(copy, command, words, sample) {
  const report = join(copy, 'planted-report.jsonl');
  rmSync(report, { force: true });
  // Ignores the caller's CI and TEST_SAMPLE: with CI=true a missing service would look like a detected fault.
  const { CI: _, TEST_SAMPLE: __, ...env } = process.env;
  const jest = ['--bail', '--reporters=./scripts/planted/reporter.mjs', ...words];
  const child = spawn([command, ...jest].join(' '), {
    cwd: copy,
    shell: true,
    detached: true,
    env: { ...env, PLANTED_REPORT: report, ...(sample && { TEST_SAMPLE: 'true' }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed = `${printed}${chunk}`.slice(-4000);
    });
  // Ends servers and browsers of concurrent suites, which jest leaves running when it stops early.
  const endRest = () => {
    try {
      process.kill(-child.pid);
    } catch {
      // No process is left.
    }
  };
  process.once('exit', endRest);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  process.off('exit', endRest);
  endRest();
  const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : [];
  return { reports: lines.map((line) => JSON.parse(line)), passed: code === 0, printed };
}

function commandOf(script) {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const parts = scripts[script].split(' && ');
  return parts.filter((part) => part !== 'npm run check').join(' && ');
}

function print({ name, tier, suite, title, seconds }) {
  const found = { test: 'npm test', 'test:all': 'test:all', missed: 'MISSED', broken: 'BROKEN' }[tier];
  console.log(`${found.padEnd(9)} ${name.padEnd(36)} ${seconds.padStart(6)} s  ${suite}${title ? `: ${title}` : ''}`);
}
