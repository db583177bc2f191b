// Whether every path that a page of docs/ names, between backticks or in a block of text, exists below the root or src.
// docs/decisions is history, and keeps the names of its time.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const foldersOf = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
/** `deploy` is left out: an operator adds files there. */
const folders = new Set([
  'src',
  'test',
  'bench',
  'db',
  'dev',
  'docs',
  'scripts',
  'views',
  'public',
  ...foldersOf('src'),
]);

if (import.meta.main) {
  const mistakes = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...globSync('docs/{*,surfaces/*}.md', { cwd: root }).sort(),
  ].flatMap((page) =>
    missingPaths(readFileSync(join(root, page), 'utf8')).map(
      ({ path, line }) => `${page}:${line} names ${path}, which is not there.`,
    ),
  );
  for (const mistake of mistakes) console.error(mistake);
  process.exitCode = mistakes.length === 0 ? 0 : 1;
}

export function missingPaths(text) {
  return named(text).filter(
    ({ path }) => isPath(path) && !['', 'src'].some((base) => existsSync(join(root, base, path))),
  );
}

/** Words between backticks and, in blocks of ```text, all words. */
function named(text) {
  let block;
  return text.split('\n').flatMap((content, index) => {
    const fence = /^```(\w*)/.exec(content);
    if (fence) block = block === undefined ? fence[1] : undefined;
    const words =
      block === undefined
        ? [...content.matchAll(/`([^`\s]+)`/g)].map(([, word]) => word)
        : block === 'text'
          ? content.split(/\s+/)
          : [];
    return words.map((path) => ({ path, line: index + 1 }));
  });
}

function isPath(word) {
  return /^\w[\w./-]*$/.test(word) && word.includes('/') && folders.has(word.split('/', 1)[0]);
}
