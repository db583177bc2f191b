/** What the most frequent tasks ask of a person does not grow, and docs/pages.md says how much it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeWith } from '../../support/describe-with.ts';
import { onStage, type Stage } from '../../support/stage.ts';
import type { Effort } from './hands.ts';
import { before, mostUnchanged, now, type TaskName, tasks } from './tasks.ts';

const suite = describeWith('Chromium');
const names = Object.keys(tasks) as TaskName[];
const sum = ({ presses, fields }: Effort) => presses + fields;

suite('the effort of', () => {
  let stage: Stage;
  onStage((opened) => {
    stage = opened;
  });

  test.each(names)('%s', async (name) => {
    // Less is good news: lower the figures in tasks.ts and in docs/pages.md.
    expect({ name, ...(await tasks[name](stage)) }).toEqual({ name, ...now[name] });
  });
});

test('no task asks for more than before', () => {
  expect(names.filter((name) => sum(now[name]) > sum(before[name]))).toEqual([]);
  expect(names.filter((name) => sum(now[name]) === sum(before[name])).length).toBeLessThanOrEqual(mostUnchanged);
});

test('docs/pages.md has these figures', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/pages.md'), 'utf8');
  const cells = ({ presses, fields, pages }: Effort) => [presses, fields, pages].join(' | ');
  for (const name of names) expect(page).toContain(`| ${name} | ${cells(before[name])} | ${cells(now[name])} |`);
});
