/**
 * Every command in README.md and docs/ exists as it is written there, and is run or listed in documented/not-run.ts.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { mistakesIn } from './documented/mistakes.ts';
import { notCovered, notRun, runElsewhere, unusedEntries } from './documented/not-run.ts';
import { blocksOf, pages, shownIn } from './documented/shell.ts';

test.each(pages())('%s names commands, scripts, files and settings that exist', async (page) => {
  const mistakes = await Promise.all(shownIn(page).map(mistakesIn));
  expect(mistakes.flat()).toEqual([]);
});

test('the pages are read: README.md, the generated reference and the first flow have commands', () => {
  for (const page of ['README.md', 'docs/cli.md', 'docs/first-flow.md', 'docs/production.md']) {
    expect([page, shownIn(page).length]).not.toEqual([page, 0]);
  }
});

describe('every shell block', () => {
  test('names its language', () => {
    const unnamed = pages().filter((page) => blocksOf(page).some(({ language }) => language === ''));
    expect(unnamed).toEqual([]);
  });

  test.each(pages())('of %s is right for bash', (page) => {
    const shell = blocksOf(page).filter(({ language }) => language === 'sh');
    const wrong = spawnSync('bash', ['-n'], {
      input: shell.map(({ code }) => code).join('\n'),
      encoding: 'utf8',
    }).stderr;
    expect(wrong).toBe('');
  });

  test.each(pages())('of %s is run by a suite, or listed with the reason', (page) => {
    expect(notCovered(page)).toEqual([]);
  });

  test('the lists name what is still in the pages', () => {
    expect(unusedEntries()).toEqual([]);
    for (const [, reason] of [...notRun, ...runElsewhere]) expect(reason).toMatch(/\w{4}/);
  });

  test.each(['curl -s http://localhost:3000/healthz', 'npm run improve', 'sqlite3 x.db', 'ls | rm -r x'])(
    '`%s` in a new block is noticed',
    (line) => {
      expect(notCovered('docs/page.md', `\`\`\`sh\n${line}\n\`\`\``)).not.toEqual([]);
    },
  );
});

describe('what a page must not say', () => {
  test.each([
    ['a command that is not there', 'npm run cli -- clients improve bookshelf', 'improve'],
    ['an option that is not there', 'npm run cli -- clients list --colour', '--colour'],
    ['an argument too few', 'npm run -s cli -- clients show', 'missing required argument'],
    ['a choice that is none', 'node src/cli/main.ts clients register --second-factor maybe', 'is one of: none'],
    ['a program that is not there', 'npx gatehouse clients list', 'no package of this name'],
    ['a script that is not there', 'npm run improve', 'no script improve'],
    ['an option that a script has not', 'npm run faults -- --long', 'no option --long'],
    ['a file that is not there', 'docker compose -f deploy/podman.yaml up', 'no deploy/podman.yaml'],
    ['a script file that is not there', 'scripts/improve.sh start', 'no scripts/improve.sh'],
    ['a service that is not there', 'docker compose -f deploy/compose.yaml restart nginx', 'no service nginx'],
    ['a setting that is not there, in a container', 'docker run -e ISUER=https://id.example.com x', 'no setting ISUER'],
    ['a setting that is not there', 'ISSSUER=https://id.example.com npm start', 'no setting ISSSUER'],
  ])('%s', async (_what, line, mistake) => {
    const blocks = [`\`\`\`sh\n${line}\n\`\`\``, `    ${line}`];
    for (const block of blocks) {
      const found = await Promise.all(shownIn('page.md', block).map(mistakesIn));
      expect(found.flat().join()).toContain(mistake);
    }
  });

  test('between backticks too, where a command may be named in part', async () => {
    const found = (text: string) => Promise.all(shownIn('page.md', text).map(mistakesIn));
    expect((await found('Say `npm run cli -- clients show <id>`, `npm run cli -- …` or `npx node …`.')).flat()).toEqual(
      [],
    );
    expect((await found('Say `npm run cli -- clients improve`.')).flat()).toHaveLength(1);
  });
});
