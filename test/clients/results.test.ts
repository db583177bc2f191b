/** docs/clients.md shows the last run of `npm run clients`, and that run tried the versions that are pinned. */
import { expect, test } from '@jest/globals';
import { stepNames } from './client.ts';
import { clients } from './clients.ts';
import { committedRows, tableOf, tableOnPage } from './table.ts';

const rows = committedRows();

test('the table of docs/clients.md is the last result', () => {
  expect(tableOnPage()).toBe(tableOf(rows));
});

test('every client was tried, in the version and with the settings of today', () => {
  const today = clients.map(({ name, version, settings }) => ({ client: name, version, settings }));
  expect(rows.map(({ client, version, settings }) => ({ client, version, settings }))).toEqual(today);
});

test('each step works, or the client itself says in its source why not', () => {
  for (const row of rows) {
    for (const name of stepNames) {
      const step = clients.find((client) => client.name === row.client)?.steps[name];
      expect([row.client, name, row[name]]).toEqual([row.client, name, typeof step === 'object' ? step.limit : 'yes']);
      if (row[name] !== 'yes') expect(row[name]).toMatch(/`[\w@/.-]+:\d+`/);
    }
  }
});
