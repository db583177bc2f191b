// Suites in groups, each of which runs in one module graph: what they all import is loaded, and compiled, once for a
// group.
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
/** Suites of one group at most. Small enough for the groups to end at about the same time. */
const size = 18;
/** Suites of these folders take long. */
const sizes = { browser: 5, cli: 8, storage: 8 };

/** Every suite but those with a command of their own. */
export const allSuites = () =>
  globSync('test/**/*.test.ts', { cwd: root, exclude: ['test/clients/node_modules', 'test/faults', 'test/hostile'] });

/**
 * Writes a file for each group: the suites of one folder of `test`, a part of them, or those of all small folders.
 * Gives their patterns for jest.
 */
export function writeGroups(name, suites) {
  const folder = join(root, 'test/output', name);
  mkdirSync(folder, { recursive: true });
  const groups = groupsOf(suites);
  // Another run may be reading them: what is right stays.
  for (const file of readdirSync(folder)) if (!groups.has(file)) rmSync(join(folder, file));
  for (const [file, text] of groups) {
    const path = join(folder, file);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  }
  return [`<rootDir>/test/output/${name}/*.test.mjs`];
}

function groupsOf(suites) {
  const folderOf = (path) => path.split('/')[1];
  const folders = Map.groupBy(suites.toSorted(), folderOf);
  const small = (folder) => folders.get(folder).length < size / 2;
  const groups = new Map();
  for (const [name, all] of Map.groupBy(suites.toSorted(), (path) =>
    small(folderOf(path)) ? 'small' : folderOf(path),
  )) {
    const parts = Math.ceil(all.length / (sizes[name] ?? size));
    for (let part = 0; part < parts; part += 1)
      groups.set(`${name}-${part + 1}.test.mjs`, runnerOf(all.filter((_, at) => at % parts === part)));
  }
  return groups;
}

const runnerOf = (suites) => `import { runTogether } from '../../support/together/run.mjs';

await runTogether([
${suites.map((path) => `  '${path}',\n`).join('')}]);
`;
