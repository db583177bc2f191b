/** Every command in README.md and docs/ exists as it is written there. Which of them also run is in documented-runs.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { mistakesIn } from './documented/mistakes.ts';
import { pages, shownIn } from './documented/shell.ts';

test.each(pages())('%s names commands, scripts, files and settings that exist', async (page) => {
  const mistakes = await Promise.all(shownIn(page).map(mistakesIn));
  expect(mistakes.flat()).toEqual([]);
});

test('the pages are read: README.md, the generated reference and the first flow have commands', () => {
  for (const page of ['README.md', 'docs/cli.md', 'docs/first-flow.md', 'docs/production.md']) {
    expect([page, shownIn(page).length]).not.toEqual([page, 0]);
  }
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
