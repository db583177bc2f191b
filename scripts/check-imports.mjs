// Checks the import rules of .dependency-cruiser.mjs and says, for each import that breaks one, what to do instead.
// The cruiser reads TypeScript through @swc/core. Without a parser it would look at nothing and be content, so this
// check also fails when it saw fewer modules than there are files, or no import in a file that plainly has one.
// What it has read also gives the size of each folder, cycles between the modules of core, and the graph in
// docs/architecture.md, which is compared, or written with `--write`. A name that a file of src exports must be imported
// by another file.
import { readFileSync, writeFileSync } from 'node:fs';
import ruleSet from '../.dependency-cruiser.mjs';
import { cruiseOf } from './structure/cruise.mjs';
import { unusedExports } from './structure/exports.mjs';
import { withGraph } from './structure/graph.mjs';
import { structureMistakes } from './structure/modules.mjs';
import { filesOf } from './structure/sources.mjs';

const files = filesOf('src', 'dev', 'db', 'test', 'bench');
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

const unused = unusedExports(files);
for (const name of unused) {
  console.error(`${name}\n  No other file imports this name: remove \`export\`, or the name where nothing uses it.\n`);
}

const page = 'docs/architecture.md';
const written = readFileSync(page, 'utf8');
const wanted = withGraph(written, dependencies);
const outdated = wanted !== written && !process.argv.includes('--write');
if (outdated) console.error(`${page} does not match the imports. Run: npm run check:fix\n`);
else if (wanted !== written) writeFileSync(page, wanted);

const mistakes = violations.length + unread.length + shape.length + unused.length + (outdated ? 1 : 0);
console.log(`Imports: ${files.length} files, ${mistakes === 0 ? 'every rule kept' : `${mistakes} to mend`}.`);
process.exitCode = mistakes === 0 ? 0 : 1;
