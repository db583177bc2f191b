// The planted faults: a patch each in test/planted. A line of prose says what is wrong and for whom; `Suites:` names those
// that should notice. A patch is applied by its text, so its lines may have moved; where the text is gone it is refused.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const folder = 'test/planted';

/** All of them, in the order of their names. Throws where one cannot be read. */
export function readFaults(root) {
  const files = globSync(`${folder}/*.patch`, { cwd: root }).sort();
  return files.map((file) => readFault(basename(file, '.patch'), readFileSync(join(root, file), 'utf8')));
}

export function readFault(name, patch) {
  const [, sentence, suites, diff] = /^(\S.*)\nSuites: (\S.*)\n\n(--- a\/.*)$/s.exec(patch) ?? [];
  if (diff === undefined)
    throw new Error(`${folder}/${name}.patch needs a sentence, a line "Suites: …", an empty line, and a unified diff.`);
  return { name, sentence, suites: suites.split(' '), hunks: hunksOf(diff) };
}

/** Why this fault cannot be planted below `root`, as a sentence each. */
export function mistakesOf({ name, suites, hunks }, root) {
  const missing = suites.filter((suite) => !existsSync(join(root, suite)));
  return [
    ...missing.map((suite) => `${folder}/${name}.patch names the suite ${suite}, which is not there.`),
    ...hunks.flatMap(({ file, before }) => {
      const times = existsSync(join(root, file)) ? countOf(readFileSync(join(root, file), 'utf8'), before) : undefined;
      return times === 1 ? [] : [renew(name, file, times)];
    }),
  ];
}

/** The text of a file with the fault in it. Only for a fault without mistakes. */
export function planted(text, { before, after }) {
  return whole(text)
    .replace(whole(before), () => whole(after))
    .slice(1);
}

function renew(name, file, times) {
  const patch = `${folder}/${name}.patch`;
  if (times === undefined) return `${patch} changes ${file}, which is not there: write its new path into the patch.`;
  const what =
    times === 0 ? 'the lines that it changes are gone' : `the lines that it changes are there ${times} times`;
  return `${patch} does not apply to ${file}: ${what}. To renew it make the same mistake in that file, put the output of \`git diff -U0 ${file}\` (-U1 where its lines are not the only ones) in place of the old diff, and take the mistake back.`;
}

/** So that the first line begins behind a line break like the others. */
const whole = (text) => `\n${text}`;
/** Each line with a break of its own before and behind it: neighbours count as two. */
const apart = (text) => text.replaceAll(/^.*\n/gm, (line) => `\n${line}`);
const countOf = (text, lines) => apart(text).split(apart(lines)).length - 1;

/** The lines that each part of a unified diff changes, before and after, with those around them. */
function hunksOf(diff) {
  const hunks = [];
  let file = '';
  for (const line of diff.split('\n')) {
    const hunk = hunks.at(-1);
    if (line.startsWith('--- a/')) file = line.slice('--- a/'.length);
    else if (line.startsWith('@@ ')) hunks.push({ file, before: '', after: '' });
    else if (line.startsWith('+++ ') || hunk === undefined) continue;
    else {
      if (/^[ -]/.test(line)) hunk.before += `${line.slice(1)}\n`;
      if (/^[ +]/.test(line)) hunk.after += `${line.slice(1)}\n`;
    }
  }
  return hunks;
}
