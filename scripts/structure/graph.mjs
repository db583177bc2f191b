// The import graph in docs/architecture.md, from the real imports. scripts/check-imports.mjs compares or writes it.
import { coreModuleOf, groupsOf, importsBetween, moduleOf } from './modules.mjs';

const begin = '<!-- Generated from the imports by `npm run check:fix`. -->';
const end = '<!-- End of the generated part. -->';

/** Returns the document with the graph of these imports in the marked part. */
export function withGraph(document, dependencies) {
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/architecture.md lacks the lines ${begin} and ${end}`);
  return `${before}${begin}\n\n${graphOf(dependencies)}\n\n${end}${after}`;
}

function graphOf(dependencies) {
  const core = importsBetween(dependencies, coreModuleOf);
  const all = importsBetween(dependencies, moduleOf);
  return `The modules of core:\n\n${table(core)}\n\nAll modules, with core as one:\n\n${table(all)}`;
}

/** A module follows the modules that it imports. Modules that import each other are adjacent. */
function table(graph) {
  const groups = groupsOf(graph);
  const order = new Map(groups.flat().map((module, index) => [module, index]));
  const rows = groups.flatMap((group) => group.sort().map((module) => [module, [...(graph.get(module) ?? [])]]));
  const width = Math.max(...rows.map(([module]) => module.length));
  const lines = rows.map(([module, imports]) => {
    const sorted = imports.sort((a, b) => order.get(a) - order.get(b));
    return `${module.padEnd(width)}  ${sorted.join(' ')}`.trimEnd();
  });
  return ['```text', ...lines, '```'].join('\n');
}
