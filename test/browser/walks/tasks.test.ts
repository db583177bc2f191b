/** What the most frequent tasks ask of a person does not grow, and docs/pages.md says how much it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { closeVisitors, launchChromium } from '../../support/chromium.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startServer } from '../../support/server.ts';
import type { Effort } from './hands.ts';
import { before, mostUnchanged, now, type Stage, type TaskName, tasks } from './tasks.ts';

const suite = describeWith('Chromium');
const names = Object.keys(tasks) as TaskName[];
const sum = ({ presses, fields }: Effort) => presses + fields;

suite('the effort of', () => {
  let stage: Stage;
  beforeAll(async () => {
    const [browser, server] = await Promise.all([launchChromium(), startServer()]);
    stage = { browser, server };
  });
  afterEach(() => closeVisitors(stage.browser));
  afterAll(async () => {
    await stage.browser.close();
    await stage.server.close();
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
