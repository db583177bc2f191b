// Checks the import rules of .dependency-cruiser.mjs and says, for each import that breaks one, what to do instead.
// The cruiser reads TypeScript through @swc/core. Without a parser it would look at nothing and be content, so this
// check also fails when it saw fewer modules than there are files, or no import in a file that plainly has one.
import { globSync, readFileSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import ruleSet from '../.dependency-cruiser.mjs';

const folders = ['src', 'dev', 'db', 'test', 'bench'];
const files = globSync(folders.map((folder) => `${folder}/**/*.ts`))
  .map((file) => file.replaceAll('\\', '/'))
  // Programs of a package of its own, which need not be installed.
  .filter((file) => !/\/node_modules\/|^test\/clients\/programs\//.test(file));

const { output } = await cruise(files, {
  ruleSet,
  validate: true,
  parser: 'swc',
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  // A package within this one may use what this one names.
  combinedDependencies: true,
  enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
});

const importsOf = new Map(output.modules.map((module) => [module.source, module.dependencies.length]));
const unread = files.filter((file) => {
  const imports = importsOf.get(file);
  return imports === undefined || (imports === 0 && /^(import|export) [^;]*from '/m.test(readFileSync(file, 'utf8')));
});

for (const { from, to, rule, cycle } of output.summary.violations) {
  const path = cycle ? cycle.map((step) => step.name).join(' -> ') : to;
  const { comment } = ruleSet.forbidden.find(({ name }) => name === rule.name);
  console.error(`${from}${path === from ? '' : ` -> ${path}`}\n  ${rule.name}: ${comment}\n`);
}
for (const file of unread) console.error(`${file}\n  The import check could not read this file.\n`);

const mistakes = output.summary.violations.length + unread.length;
console.log(`Imports: ${files.length} files, ${mistakes === 0 ? 'every rule kept' : `${mistakes} to mend`}.`);
process.exitCode = mistakes === 0 ? 0 : 1;
