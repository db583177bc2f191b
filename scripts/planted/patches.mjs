// The planted faults: one patch each in test/planted. A sentence says what is wrong and for whom; `Suites:` names the
// suites that should detect it. Patches match by text, so lines may move; a patch whose text is gone is refused.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const folder = 'test/planted';

/** All faults, sorted by name. Throws if one is unreadable. */
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

/** The reasons why this fault cannot be planted below `root`, one sentence each. */
export function mistakesOf({ name, suites, hunks }, root) {
  const missing = suites.filter((suite) => !existsSync(join(root, suite)));
  return [
    ...missing.map((suite) => `${folder}/${name}.patch names the suite ${suite}, which does not exist.`),
    ...hunks.flatMap(({ file, before }) => {
      const times = existsSync(join(root, file)) ? countOf(readFileSync(join(root, file), 'utf8'), before) : undefined;
      return times === 1 ? [] : [renew(name, file, times)];
    }),
  ];
}

/** The text of a file with the fault. Only for a fault without mistakes. */
export function planted(text, { before, after }) {
  return whole(text)
    .replace(whole(before), () => whole(after))
    .slice(1);
}

function renew(name, file, times) {
  const patch = `${folder}/${name}.patch`;
  if (times === undefined) return `${patch} changes ${file}, which does not exist: write its new path into the patch.`;
  const what = times === 0 ? 'the lines to change are gone' : `the lines to change occur ${times} times`;
  return `${patch} does not apply to ${file}: ${what}. To renew it, make the same mistake in that file, replace the old diff with the output of \`git diff -U0 ${file}\` (-U1 if its lines are not unique), and revert the mistake.`;
}

/** Gives the first line a line break in front, like every other line. */
const whole = (text) => `\n${text}`;
/** Gives each line its own breaks before and after it, so that neighbours count as two. */
const apart = (text) => text.replaceAll(/^.*\n/gm, (line) => `\n${line}`);
const countOf = (text, lines) => apart(text).split(apart(lines)).length - 1;

/** The lines before and after each hunk of a unified diff, with their context. */
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
