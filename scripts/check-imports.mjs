// Checks the imports against .dependency-cruiser.mjs and says, for each violation, what to do instead. The cruiser
// reads TypeScript with @swc/core. Without a parser it would find nothing, so this check also fails if it saw fewer
// modules than files, or no import in a file that has one. It also checks the size of folders, cycles between the
// modules of core, exported names that no other file imports, and the graph in docs/architecture.md (`--write`).
import { readFileSync, writeFileSync } from 'node:fs';
import ruleSet from '../.dependency-cruiser.mjs';
import { cruiseOf } from './structure/cruise.mjs';
import { unusedExports } from './structure/exports.mjs';
import { withGraph } from './structure/graph.mjs';
import { structureMistakes } from './structure/modules.mjs';
import { filesOf } from './structure/sources.mjs';

// Without a surface or a login method (`--partial`), the imports of tests are those of before; the compiler reads them.
const isPartial = process.argv.includes('--partial');
const files = isPartial ? filesOf('src', 'dev', 'db') : filesOf('src', 'dev', 'db', 'test', 'bench');
const { violations, dependencies } = await cruiseOf(files);

const unread = files.filter((file) => {
  const imports = dependencies.get(file)?.length;
  return imports === undefined || (imports === 0 && /^(import|export) [^;]*from '/m.test(readFileSync(file, 'utf8')));
});

for (const { from, to, rule, cycle } of violations) {
  const path = cycle ? cycle.map((step) => step.name).join(' -> ') : to;
  const { comment } = ruleSet.forbidden.find(({ name }) => name === rule.name);
  console.error(`${from}${path === from ? '' : ` -> ${path}`}\n  ${rule.name}: ${comment}\n`);
}
for (const file of unread) console.error(`${file}\n  The import check could not read this file.\n`);

const shape = structureMistakes(files, dependencies);
for (const mistake of shape) console.error(`${mistake}\n`);

// Names that only the deleted part imported are unused then.
const unused = isPartial ? [] : unusedExports(files);
for (const name of unused) {
  console.error(`${name}\n  No other file imports this name: remove \`export\`, or the name if nothing uses it.\n`);
}

const page = 'docs/architecture.md';
const written = readFileSync(page, 'utf8');
const wanted = withGraph(written, dependencies);
const outdated = wanted !== written && !process.argv.includes('--write');
if (outdated) console.error(`${page} does not match the imports. Run: npm run check:fix\n`);
else if (wanted !== written) writeFileSync(page, wanted);

const mistakes = violations.length + unread.length + shape.length + unused.length + (outdated ? 1 : 0);
console.log(`Imports: ${files.length} files, ${mistakes === 0 ? 'no violations' : `${mistakes} to fix`}.`);
process.exitCode = mistakes === 0 ? 0 : 1;
