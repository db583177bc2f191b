// The modules of src, their imports, and the rules that are not about a single import.
import { dirname } from 'node:path';

export const largestFolder = 24;

/** Folders of src with the number of their own files, largest first. */
export function folderSizes(files) {
  const sizes = new Map();
  for (const file of files) if (file.startsWith('src/')) add(sizes, dirname(file), 1);
  return [...sizes].sort(([, a], [, b]) => b - a);
}

/** Each module (named by `moduleOf`; undefined: none) with the modules that it imports, types included. */
export function importsBetween(dependencies, moduleOf) {
  const graph = new Map();
  for (const [from, targets] of dependencies) {
    const module = moduleOf(from);
    if (module === undefined) continue;
    const imported = graph.get(module) ?? new Set();
    graph.set(module, imported);
    for (const target of targets.map(moduleOf)) if (target !== undefined && target !== module) imported.add(target);
  }
  return graph;
}

/** `core/accounts/…` belongs to the module accounts. */
export const coreModuleOf = (file) => /^src\/core\/([^/]+)\//.exec(file)?.[1];

/** The first folder; in `api`, `login`, `pages` and `storage` also the second. */
export const moduleOf = (file) =>
  /^src\/((?:api|login|pages|storage)\/[^/]+|[^/]+)\//.exec(file)?.[1] ?? /^src\/([^/]+\.ts)$/.exec(file)?.[1];

/** Tarjan's strongly connected components: modules that reach each other, each group after those that it imports. */
export function groupsOf(graph) {
  const groups = [];
  const seen = new Map();
  const stack = [];
  const visit = (module) => {
    const index = seen.size;
    const entry = { low: index, index, open: true };
    seen.set(module, entry);
    stack.push(module);
    for (const next of [...(graph.get(module) ?? [])].sort()) {
      const known = seen.get(next);
      if (known === undefined) entry.low = Math.min(entry.low, visit(next).low);
      else if (known.open) entry.low = Math.min(entry.low, known.index);
    }
    if (entry.low === index) {
      const group = stack.splice(stack.indexOf(module));
      for (const member of group) seen.get(member).open = false;
      groups.push(group);
    }
    return entry;
  };
  for (const module of [...graph.keys()].sort()) if (!seen.has(module)) visit(module);
  return groups;
}

export const cyclesOf = (graph) => groupsOf(graph).filter((group) => group.length > 1);

/** The violations as text. */
export function structureMistakes(files, dependencies) {
  return [
    ...folderSizes(files)
      .filter(([, size]) => size > largestFolder)
      .map(
        ([folder, size]) =>
          `${folder} has ${size} files\n  A folder has at most ${largestFolder}: move related files into a subfolder.`,
      ),
    ...cyclesOf(importsBetween(dependencies, coreModuleOf)).map(
      (group) =>
        `core: ${group.sort().join(', ')} import each other\n  The modules of core have no cycle: pass one as an argument, or move the shared part into core/kernel.`,
    ),
  ];
}

function add(counts, key, by) {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
