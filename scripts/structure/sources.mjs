// The files of the project, their texts and syntax trees.
import { globSync, readFileSync } from 'node:fs';
import { parseSync } from '@swc/core';

export const filesOf = (...folders) =>
  globSync(folders.map((folder) => `${folder}/**/*.ts`))
    .map((file) => file.replaceAll('\\', '/'))
    // Ignores programs with their own package, which may not be installed.
    .filter((file) => !/\/node_modules\/|^test\/(clients|mcp)\/programs\//.test(file))
    .sort();

export const textOf = (file) => readFileSync(file, 'utf8');

export const treeOf = (file, text = textOf(file)) => parseSync(text, { syntax: 'typescript', target: 'esnext' });

/** Each node of a tree with its ancestors, outermost first. */
export function* nodesOf(node, around = []) {
  if (Array.isArray(node)) for (const child of node) yield* nodesOf(child, around);
  else if (node !== null && typeof node === 'object') {
    const inner = typeof node.type === 'string' ? [...around, node] : around;
    if (inner !== around) yield [node, around];
    for (const child of Object.values(node)) if (typeof child === 'object') yield* nodesOf(child, inner);
  }
}

/** Converts the parser's byte offsets, which start at 1, to characters and lines. */
export function places(text) {
  const bytes = Buffer.from(text);
  const before = ({ start }) => bytes.subarray(0, start - 1).toString();
  return { characterOf: (span) => before(span).length, lineOf: (span) => before(span).split('\n').length };
}
