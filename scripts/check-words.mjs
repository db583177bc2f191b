// Plain English: words that hide who acts, comment lines wider than 120 columns, sentences of 25 words or more.
// `--count` prints a figure for each rule.
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Say who it is, and what happens first. */
export const unclearWords = ['whoever', 'somebody', 'nobody', 'anybody', 'meanwhile'];
const widestComment = 120;
const longestSentence = 24;

const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'docs'];

const code = ['src', 'views', 'public', 'db', 'dev', 'bench', 'scripts', 'deploy'];

/** The folders of `test` but those about pages in a browser, which are to follow. */
const tests = readdirSync(join(root, 'test'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['browser', 'pages', 'output'].includes(entry.name))
  .map(({ name }) => `test/${name}`);

const reads = {
  words: [...documents, ...code, ...tests],
  comments: [...code, ...tests],
  sentences: ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs'],
};

/** Names the words themselves: as a password, and as what is counted. */
const lists = ['src/core/passwords/common-passwords.ts', 'scripts/check-words.mjs', 'test/scripts/words.test.ts'];

const rules = {
  words: (text, file) => wordMistakes(file.startsWith('test/') ? proseOf(text) : text),
  comments: commentMistakes,
  sentences: sentenceMistakes,
};

if (import.meta.main) {
  const mistakes = Object.entries(rules).flatMap(([rule, mistakesIn]) =>
    filesOf(rule).flatMap((file) =>
      mistakesIn(read(file), file).map(({ line, says }) => ({ rule, text: `${file}:${line} ${says}` })),
    ),
  );
  if (process.argv.includes('--count')) {
    for (const rule of Object.keys(rules)) console.log(rule, mistakes.filter((one) => one.rule === rule).length);
  } else for (const { text } of mistakes) console.error(text);
  process.exitCode = mistakes.length === 0 ? 0 : 1;
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

function filesOf(rule) {
  return reads[rule]
    .flatMap((name) =>
      globSync(name.includes('.') ? name : `${name}/**/*.{md,ts,mjs,js,css,ejs,json,yaml}`, {
        cwd: root,
        exclude: (path) => /(^|[\\/])(node_modules|\.python|\.go)$/.test(path),
      }),
    )
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !lists.includes(file))
    .sort();
}

/** Of each line what people read: comments, and strings of several words. A single word is data, such as a name. */
export function proseOf(text) {
  return text.split('\n').map(proseOfLine).join('\n');
}

function proseOfLine(line) {
  const comment = /^\s*(?:\/\/|\/\*|\*).*|\s\/\/\s.*/.exec(line)?.[0] ?? '';
  const code = line.slice(0, line.length - comment.length);
  const strings = [...code.matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)].map(([, , content]) => content);
  return [...strings.filter((content) => /\p{L} \p{L}/u.test(content)), comment].join(' ');
}

export function wordMistakes(text) {
  const pattern = new RegExp(`\\b(?:${unclearWords.join('|')})\\b`, 'gi');
  return text.split('\n').flatMap((content, index) =>
    [...content.matchAll(pattern)].map(([word]) => ({
      line: index + 1,
      says: `says "${word}": name who or what it is.`,
    })),
  );
}

/** Lines that begin as a comment, or end with one. */
export function commentMistakes(text) {
  return text.split('\n').flatMap((content, index) => {
    const isComment = /^\s*(\/\/|\/\*|\*)|\s\/\/\s/.test(content);
    return isComment && content.length > widestComment
      ? [{ line: index + 1, says: `has a comment of ${content.length} columns: ${widestComment} are the most.` }]
      : [];
  });
}

export function sentenceMistakes(text) {
  return paragraphs(text).flatMap((words) =>
    sentences(words)
      .filter((sentence) => sentence.length > longestSentence)
      .map((sentence) => ({
        line: sentence[0].line,
        says: `has a sentence of ${sentence.length} words, ${longestSentence} are the most: ${sentence
          .slice(0, 6)
          .map(({ word }) => word)
          .join(' ')} …`,
      })),
  );
}

/** The words of each paragraph and list item with their lines. Code blocks, tables, headings and comments are left out. */
function paragraphs(text) {
  const found = [[]];
  let skipping;
  for (const [index, content] of text.split('\n').entries()) {
    const plain = content.trim();
    if (skipping === undefined && /^(```|<!--|<picture>)/.test(plain))
      skipping = /^```/.test(plain) ? /^```$/ : /-->|<\/picture>/;
    else if (skipping === undefined) {
      const isText = plain !== '' && !/^(\||#|!\[)/.test(plain) && !/^ {4}/.test(content);
      if (!isText || /^([-*]|\d+\.) /.test(plain)) found.push([]);
      if (isText) found.at(-1).push(...wordsOf(plain).map((word) => ({ word, line: index + 1 })));
      continue;
    }
    if (skipping.test(plain) && !(plain.startsWith('```') && plain !== '```')) skipping = undefined;
    found.push([]);
  }
  return found.filter((words) => words.length > 0);
}

/** Code between backticks is one word, a link is its text. */
function wordsOf(line) {
  return line
    .replace(/^([-*]|\d+\.) /, '')
    .replaceAll(/`[^`]*`/g, 'code')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
}

function sentences(words) {
  const found = [[]];
  for (const one of words) {
    found.at(-1).push(one);
    if (/[.!?]["')*_]*$/.test(one.word)) found.push([]);
  }
  return found.filter((sentence) => sentence.length > 0);
}
