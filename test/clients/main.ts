/**
 * npm run clients -- [--short] [--only openid-client,Authlib] [--write]
 *
 * Tries client software that people already run against a real server, each set up as its own documentation says, with
 * a real browser, and prints the table of docs/clients.md. `--short`: those in Node alone. `--write` keeps the result;
 * without it a result other than the kept one fails. What a client needs is installed into ignored folders of
 * test/clients.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { commandLine } from '../cli/command-line.ts';
import { createPlace, startChild } from '../support/child-server.ts';
import { launchChromium } from '../support/chromium.ts';
import { type Client, languages, type Row, stepNames } from './client.ts';
import { clients } from './clients.ts';
import { install } from './install.ts';
import { ada, adasEmail, adasName } from './person.ts';
import { folder } from './pins.ts';
import { runClient, type World } from './run-client.ts';
import { committedRows, tableOf, write } from './table.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
});
const wanted = values.only === '' ? clients.map(({ name }) => name) : values.only.split(',');
const unknown = wanted.find((name) => !clients.some((client) => client.name === name));
if (unknown !== undefined) {
  console.error(`There is no client ${unknown}. There are: ${clients.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

const began = performance.now();
const chosen = clients.filter(({ name }) => wanted.includes(name));
const runnable: Client[] = [];
for (const language of languages) {
  const ours = chosen.filter((client) => client.language === language);
  if (ours.length === 0) continue;
  const missing = values.short && language !== 'node' ? '--short runs those in Node alone' : install(language);
  if (missing === undefined) runnable.push(...ours);
  else for (const { name } of ours) console.log(`${name}: not run: ${missing}`);
}
if (runnable.length === 0) process.exit(0);
execFileSync(process.execPath, ['../../node_modules/typescript/bin/tsc', '-p', '.'], { cwd: folder, stdio: 'inherit' });

const rows = await tryAll(runnable);
const failed = rows.filter((row) => stepNames.some((name) => row[name].startsWith('failed')));
const committed = committedRows();
const kept = clients.flatMap(({ name }) => [...rows, ...committed].find((row) => row.client === name) ?? []);
if (values.write && failed.length === 0) write(kept);
const other = values.write
  ? []
  : rows.filter((row) => JSON.stringify(committed.find(({ client }) => client === row.client)) !== JSON.stringify(row));

console.log(`\n${tableOf(rows)}`);
for (const { client } of other) {
  console.log(`${client}: docs/clients.md says otherwise. If this is how it is now: npm run clients -- --write`);
}
const seconds = Math.round((performance.now() - began) / 1000);
console.log(`${rows.length - failed.length} clients work, ${failed.length} do not, ${seconds} s`);
process.exit(failed.length + other.length === 0 ? 0 : 1);

async function tryAll(all: readonly Client[]): Promise<Row[]> {
  const place = await createPlace();
  const server = await startChild(place);
  const browser = await launchChromium();
  try {
    const cli = commandLine(place.env);
    const person = ['accounts', 'create', ada.username, '--first-name', adasName.first, '--last-name', adasName.last];
    const made = await cli.fed(ada.password, ...person, '--email', adasEmail, '--verified', '--password-stdin');
    if (made.code !== 0) throw new Error(made.err);
    const world: World = { issuer: server.url, cli, browser };
    const results: Row[] = [];
    for (const client of all) {
      const row = await runClient(client, world);
      results.push(row);
      console.log(`${client.name} ${client.version}`);
      for (const name of stepNames) console.log(`    ${name.padEnd(9)} ${row[name]}`);
    }
    return results;
  } finally {
    await browser.close();
    await server.end('SIGTERM');
    place.close();
  }
}
