// Checks that each path in docs/, in backticks or in a text block, exists below the root or src, and that each link
// into docs/ leads to a page and a heading. Skips docs/decisions, which keeps the names of its time.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '..');
const foldersOf = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
/** Without `deploy`, where operators add files. */
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
  const pages = globSync(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/{*,surfaces/*}.md'], { cwd: root });
  const mistakes = pages.flatMap((page) =>
    missingPaths(read(page)).map(({ path, line }) => `${page}:${line} names ${path}, which does not exist.`),
  );
  const links = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).flatMap((page) =>
    brokenLinks(page, read(page)).map(({ link, line }) => `${page}:${line} links to ${link}, which is not there.`),
  );
  mistakes.push(...links);
  for (const mistake of mistakes) console.error(mistake);
  process.exitCode = mistakes.length === 0 ? 0 : 1;
}

function read(page) {
  return readFileSync(join(root, page), 'utf8');
}

/** Links of a page into docs/, with the heading after `#`. */
export function brokenLinks(page, text) {
  return withoutBlocks(text).flatMap((content, index) =>
    [...content.matchAll(/\]\(([^)\s]+)\)/g)]
      .filter(([, link]) => !leads(page, link))
      .map(([, link]) => ({ link, line: index + 1 })),
  );
}

function leads(page, link) {
  if (/^[a-z]+:/.test(link)) return true;
  const [path, heading] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!target.startsWith('docs')) return true;
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || headings(read(target)).includes(heading);
}

/** As GitHub names them. */
function headings(text) {
  return withoutBlocks(text)
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
        .replaceAll(' ', '-'),
    );
}

/** The lines, with those of fenced blocks empty. */
function withoutBlocks(text) {
  let inside = false;
  return text.split('\n').map((line) => {
    const fence = line.startsWith('```');
    if (fence) inside = !inside;
    return inside || fence ? '' : line;
  });
}

export function missingPaths(text) {
  return named(text).filter(
    ({ path }) => isPath(path) && !['', 'src'].some((base) => existsSync(join(root, base, path))),
  );
}

/** The words in backticks and, in blocks of ```text, all words. */
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
