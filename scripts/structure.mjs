// Compares the code with its targets: size of folders, cycles, files that one request enters, and more.
//
//   npm run structure                  the table
//   npm run structure -- --files       with the files and lines that were counted
//   npm run structure -- --json        as JSON
//
// Never fails: `npm run check:imports` enforces what must hold at every commit.
import { join } from 'node:path';
import { callerTypes, columnPlaces, continuations, emailCodeFiles, wiringLines } from './structure/counts.mjs';
import { entered } from './structure/coverage.mjs';
import { dependenciesOf } from './structure/cruise.mjs';
import { unusedExports } from './structure/exports.mjs';
import { coreModuleOf, cyclesOf, folderSizes, importsBetween, largestFolder } from './structure/modules.mjs';
import { filesOf } from './structure/sources.mjs';

process.chdir(join(import.meta.dirname, '..'));
const unknown = process.argv.slice(2).find((option) => !['--files', '--json'].includes(option));
if (unknown !== undefined) {
  console.error(`Unknown option "${unknown}". Known options: --files, --json.`);
  process.exit(2);
}

/** Targets of the requests that have one. The first figure is that of the first version. */
const requestTargets = {
  'a login POST': [57, 35],
  'a token request': [42, 28],
  'GET /v1/login': [47, 30],
  'POST /clients/register': [35, 24],
};

const core = importsBetween(await dependenciesOf(filesOf('src')), coreModuleOf);
const cycles = cyclesOf(core);
const requests = await entered();
const sizes = folderSizes(filesOf('src'));
const wiring = wiringLines();
const row = (name, [first, target] = [], items, now = items.length) => {
  return { name, first, now, target, holds: target === undefined ? undefined : now <= target, items };
};
const sum = wiring.reduce((lines, file) => lines + file.lines, 0);

const rows = [
  row('files in the largest folder of src', [74, largestFolder], sizes.slice(0, 5).map(said), sizes[0][1]),
  row(`modules of core in a cycle, of ${core.size}`, [11, 0], cycles.map(said), cycles.flat().length),
  ...Object.entries(requests).map(([title, files]) =>
    row(`files entered by ${title}`, requestTargets[title], [...files.keys()].sort()),
  ),
  row('functions that a login POST passes on and that are called', [8, 0], continuations(requests['a login POST'])),
  row('files that name e-mail codes, outside their folder', [26, 6], emailCodeFiles()),
  row('places of one column of accounts', [7, 3], columnPlaces()),
  row('types for the caller', [7, 1], callerTypes()),
  row(
    'lines of wiring',
    [1116, 500],
    wiring.map(({ file, lines }) => said([file, lines])),
    sum,
  ),
  row('exported names that no other file imports', [152, 0], unusedExports()),
];

if (process.argv.includes('--json')) console.log(JSON.stringify(rows, undefined, 2));
else {
  print({ name: '', first: 'first', now: 'now', target: 'target' });
  for (const { items, ...figures } of rows) {
    print(figures);
    if (process.argv.includes('--files')) for (const item of items) console.log(`    ${item}`);
  }
}

function said(parts) {
  return parts.join(' ');
}

function print({ name, first = '', now, target = '', holds }) {
  const figures = [first, now, target].map((figure) => String(figure).padStart(7)).join('');
  const result = holds === undefined ? '' : holds ? 'holds' : 'open';
  console.log(`${name.padEnd(60)}${figures}  ${result}`.trimEnd());
}
