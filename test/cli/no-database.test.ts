/** Commands never make a database: where there is none they say where they looked, and how to name another. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { everyCommand } from '../../src/cli/commands.ts';
import { describePostgres, freshPostgres } from '../support/databases.ts';
import { type Answer, commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const words: Readonly<Record<string, string[]>> = {
  'clients register': ['web', '--name', 'A', '--redirect-uri', 'https://a.example.com/cb'],
  'clients list': [],
  'accounts create': ['ada', '--no-password'],
  'apis list': [],
  'keys list': [],
  'setup link': [],
  'audit list': [],
  'audit export': [],
  why: [],
  'migrate status': [],
  'migrate down': ['--yes'],
};

function expectNoDatabase({ code, out, err }: Answer, where: string): void {
  expect([code, out]).toEqual([1, '']);
  const { error, message } = JSON.parse(err);
  expect(error).toBe('no_database');
  expect(message).toContain(where);
  for (const name of ['Nothing was created', 'DATA_DIR', 'DATABASE_URL', 'npm start', 'migrate up'])
    expect(message).toContain(name);
}

describe('SQLite', () => {
  test.each(Object.entries(words))('%s in a folder that is not there', async (name, options) => {
    expect(everyCommand().map((one) => one.name)).toContain(name);
    const dataDir = join(folder, 'nowhere');
    const cli = commandLine({ DATA_DIR: dataDir }, { own: true });
    expectNoDatabase(await cli(...name.split(' '), ...options, '--json'), join(dataDir, 'gatehouse.sqlite'));
    expect(existsSync(dataDir)).toBe(false);
  });

  test('in a folder without a database, and over an empty file: nothing is made, no key either', async () => {
    const dataDir = mkdtempSync(join(folder, 'empty-'));
    expectNoDatabase(await commandLine({ DATA_DIR: dataDir }, { own: true })('clients', 'list', '--json'), dataDir);
    expect(readdirSync(dataDir)).toEqual([]);
    writeFileSync(join(dataDir, 'gatehouse.sqlite'), '');
    const keys = { SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef' };
    expectNoDatabase(
      await commandLine({ DATA_DIR: dataDir, ...keys }, { own: true })('clients', 'list', '--json'),
      'is empty',
    );
    expect(readdirSync(dataDir).filter((name) => !name.startsWith('gatehouse.sqlite'))).toEqual([]);
  });

  test('in words: without DATA_DIR it says which folder that means', async () => {
    // Only where this project itself has no data can the default be asked for.
    if (existsSync('data/gatehouse.sqlite')) return;
    const { code, out, err } = await commandLine({}, { own: true })('clients', 'list');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`DATA_DIR is not set, so the command looked in ./data of ${process.cwd()}`);
    expect(existsSync('data')).toBe(false);
  });

  test('migrate up makes it, and commands work then', async () => {
    const cli = commandLine({ DATA_DIR: join(folder, 'made') }, { own: true });
    expect((await cli('migrate', 'up')).code).toBe(0);
    expect(await cli.json('clients', 'list')).toEqual([]);
  });
});

describePostgres('Postgres', () => {
  test('an empty database stays empty, with MIGRATE=true too', async () => {
    const database = await freshPostgres();
    try {
      const env = { DATABASE_URL: database.url, SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef' };
      for (const more of [{}, { MIGRATE: 'true' }]) {
        const cli = commandLine({ ...env, ...more, DATA_DIR: join(folder, 'unused') }, { own: true });
        expectNoDatabase(await cli('clients', 'list', '--json'), `"${new URL(database.url).pathname.slice(1)}"`);
        expect(await cli.json('migrate', 'status')).toMatchObject({ applied: [] });
      }
      const cli = commandLine({ ...env, DATA_DIR: join(folder, 'unused') }, { own: true });
      expect((await cli('migrate', 'up')).code).toBe(0);
      expect(await cli.json('clients', 'list')).toEqual([]);
    } finally {
      await database.drop();
    }
  });
});
