/** S9: what is in DATA_DIR is for the user of the server alone, by which way it was made, and with whatever umask. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { commandLine } from '../cli/command-line.ts';
import { createPlace, startChild } from '../support/child-server.ts';
import { failedStart } from '../support/program.ts';

const folders: string[] = [];
const umask = process.umask();
afterEach(() => {
  process.umask(umask);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-private-'));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

/** Of the folder and of everything in it. */
function modesIn(folder: string): Record<string, string> {
  const inside = readdirSync(folder).map((name) => [name, modeOf(join(folder, name))] as const);
  return { '.': modeOf(folder), ...Object.fromEntries(inside) };
}

const database = { 'gatehouse.sqlite': '600', 'gatehouse.sqlite-wal': '600', 'gatehouse.sqlite-shm': '600' };

/** The modes while it runs. */
async function modesOfServer(dataDir: string, env: Record<string, string> = {}): Promise<Record<string, string>> {
  const place = await createPlace({ dataDir, env });
  const server = await startChild(place);
  try {
    return modesIn(dataDir);
  } finally {
    await server.end('SIGTERM');
  }
}

describe('a server', () => {
  test.each([0o000, 0o022, 0o077])('on a fresh folder, with both keys set and the umask %i', async (mask) => {
    process.umask(mask);
    const dataDir = join(freshFolder(), 'new', 'data');
    expect(await modesOfServer(dataDir)).toEqual({ '.': '700', ...database });
    expect(modeOf(join(dataDir, '..'))).toBe('700');
  });

  test('that makes its keys itself', async () => {
    process.umask(0);
    const dataDir = freshFolder(0o777);
    const made = { '.': '700', ...database, 'secret.key': '600', 'admin-key.sha256': '600' };
    expect(await modesOfServer(dataDir, { SECRET_KEY: '', ADMIN_KEY: '' })).toEqual(made);
  });

  test('on a folder and files that were open to others', async () => {
    process.umask(0);
    const dataDir = freshFolder();
    // Killed, so that the files beside the database stay.
    const place = await createPlace({ dataDir });
    await (await startChild(place)).end('SIGKILL');
    // As an installation has them that once made its keys itself.
    for (const name of ['secret.key', 'admin-key.sha256']) writeFileSync(join(dataDir, name), 'of before');
    chmodSync(dataDir, 0o755);
    for (const name of readdirSync(dataDir)) chmodSync(join(dataDir, name), 0o644);
    expect(existsSync(join(dataDir, 'gatehouse.sqlite-wal'))).toBe(true);
    const made = { '.': '700', ...database, 'secret.key': '600', 'admin-key.sha256': '600' };
    expect(await modesOfServer(dataDir)).toEqual(made);
  });
});

describe('the command line', () => {
  const keys = {
    SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef',
    ADMIN_KEY: 'an-admin-key-for-tests-0123456789',
  };

  test.each([
    ['migrate', 'up'],
    ['accounts', 'list'],
    ['keys', 'list'],
  ])('%s %s on a fresh folder', async (...words) => {
    process.umask(0);
    const dataDir = join(freshFolder(), 'data');
    await commandLine(
      { DATA_DIR: dataDir, ...keys },
      { fresh: true, own: true },
    )(...words.filter((word) => word !== undefined));
    const found = Object.entries(modesIn(dataDir));
    expect(found.map(([name]) => name)).toContain('gatehouse.sqlite');
    for (const [name, mode] of found) expect([name, mode]).toEqual([name, name === '.' ? '700' : '600']);
  });
});

describe('a folder that cannot be kept from others', () => {
  /** As root: an ordinary user in a folder of root's. Otherwise: this user in one. */
  function othersFolder(): { dataDir: string; uid: number | undefined } {
    if (process.getuid?.() !== 0) return { dataDir: '/usr', uid: undefined };
    const dataDir = join(freshFolder(), 'data');
    mkdirSync(dataDir, { mode: 0o777 });
    chmodSync(dataDir, 0o777);
    // A command asks for the database first.
    writeFileSync(join(dataDir, 'gatehouse.sqlite'), '');
    return { dataDir, uid: 65_534 };
  }

  test.each([
    ['the server', ['src/main.ts']],
    ['a command', ['src/cli/main.ts', 'accounts', 'list']],
    ['a command without the core', ['src/cli/main.ts', 'migrate', 'up']],
  ])('is another user’s: %s says so and ends', async (_name, words) => {
    const { dataDir, uid } = othersFolder();
    const { code, out, err } = await failedStart({ DATA_DIR: dataDir }, { uid, words });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('DATA_DIR');
    expect(err).toContain(
      `${dataDir} is open to other users, and its mode cannot be set to 700: it belongs to user 0, and this process runs as user`,
    );
    expect(err).not.toMatch(/^\s+at |Internal error/m);
  });

  test('is one that all users share: it stays as it is', async () => {
    const shared = freshFolder(0o1777);
    const { code, err } = await failedStart({ DATA_DIR: shared });
    expect(code).toBe(1);
    expect(err).toContain(`${shared} is a folder that other users share.`);
    expect(err).toContain(`DATA_DIR=${shared}/gatehouse`);
    expect(modeOf(shared)).toBe('1777');
  });

  test('is below a file: no stack either', async () => {
    const file = join(freshFolder(), 'file');
    writeFileSync(file, '');
    const { code, err } = await failedStart({ DATA_DIR: join(file, 'data') });
    expect(code).toBe(1);
    expect(err).toContain('DATA_DIR');
    expect(err).not.toMatch(/^\s+at /m);
  });
});
