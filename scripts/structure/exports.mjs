// Finds the exported names of src that no other file imports.
import { dirname, join } from 'node:path/posix';
import { filesOf, textOf, treeOf } from './sources.mjs';

/**
 * `files`: all files that may import. If a module is loaded on demand, all words of the loading file count as imported;
 * `import * as` imports every name.
 */
export function unusedExports(files = filesOf('src', 'dev', 'db', 'test', 'bench'), read = textOf) {
  const used = new Set();
  const exported = [];
  for (const file of files) {
    const text = read(file);
    const use = (from, name) => used.add(`${join(dirname(file), from)} ${name}`);
    for (const [, from] of text.matchAll(/\bimport\(\s*'(\.[^']+)'/g)) {
      for (const word of new Set(text.match(/\w+/g))) use(from, word);
    }
    for (const node of treeOf(file, text).body) {
      const from = node.source?.value;
      if (from?.startsWith('.')) for (const specifier of node.specifiers) use(from, nameOf(specifier));
      else if (file.startsWith('src/')) for (const name of exportedBy(node)) exported.push({ file, name });
    }
  }
  return exported
    .filter(({ file, name }) => !used.has(`${file} ${name}`) && !used.has(`${file} *`))
    .map(({ file, name }) => `${file} ${name}`);
}

function nameOf({ type, imported, orig, local }) {
  if (type === 'ImportNamespaceSpecifier') return '*';
  return type === 'ImportDefaultSpecifier' ? 'default' : (imported ?? orig ?? local).value;
}

function exportedBy({ type, declaration, specifiers = [] }) {
  if (type === 'ExportNamedDeclaration') return specifiers.map(({ exported, orig }) => (exported ?? orig).value);
  if (/^ExportDefault/.test(type)) return ['default'];
  if (type !== 'ExportDeclaration') return [];
  const { identifier, id, declarations = [] } = declaration;
  if (declarations.length === 0) return [(identifier ?? id).value];
  return declarations.flatMap((declared) => boundBy(declared.id));
}

/** The names that a pattern binds: `{ a, b: c }` and `[d]` bind a, c and d. */
function boundBy({ type, value, key, properties, elements, argument }) {
  if (type === 'Identifier') return [value];
  if (type === 'AssignmentPatternProperty') return [key.value];
  return [...(properties ?? elements ?? [argument ?? value])].filter(Boolean).flatMap(boundBy);
}
