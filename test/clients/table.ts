/** The results of the last run, results.json, and the table of docs/clients.md that shows them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Row, stepNames } from './client.ts';

const resultsFile = join(import.meta.dirname, 'results.json');
const pageFile = join(import.meta.dirname, '../../docs/clients.md');
const begin = '<!-- The last run of `npm run clients`; `npm run clients -- --write` writes it. -->\n';
const end = '<!-- end of the table -->';

export const committedRows = (): readonly Row[] => JSON.parse(readFileSync(resultsFile, 'utf8')) as Row[];

export function tableOf(rows: readonly Row[]): string {
  const notes: string[] = [];
  const cell = (text: string) => {
    if (text === 'yes') return text;
    if (text.startsWith('failed')) return '**failed**';
    if (!notes.includes(text)) notes.push(text);
    return `no ([${notes.indexOf(text) + 1}](#what-a-client-itself-cannot-do))`;
  };
  const lines = rows.map(
    (row) =>
      `| ${row.client} | ${row.version} | ${row.settings} | ${stepNames.map((name) => cell(row[name])).join(' | ')} |`,
  );
  const limits = notes.map((note, index) => `${index + 1}. It ${note}.`);
  return `${[
    `| client | version | settings of its own | ${stepNames.join(' | ')} |`,
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
    '### What a client itself cannot do',
    '',
    ...limits,
  ].join('\n')}\n`;
}

export function tableOnPage(): string {
  const page = readFileSync(pageFile, 'utf8');
  return page.slice(page.indexOf(begin) + begin.length, page.indexOf(end));
}

export function write(rows: readonly Row[]): void {
  writeFileSync(resultsFile, `${JSON.stringify(rows, null, 2)}\n`);
  const page = readFileSync(pageFile, 'utf8');
  writeFileSync(
    pageFile,
    page.slice(0, page.indexOf(begin) + begin.length) + tableOf(rows) + page.slice(page.indexOf(end)),
  );
}
