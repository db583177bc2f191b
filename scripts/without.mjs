// Shared by the scripts that change a copy of the project: the copy, the checks in it, and its server.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** Deletes each of `names`, or those of the command line, in a copy, one at a time. `without` returns the failures. */
export async function deleteEach(what, names, without) {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    console.error(`Unknown ${what} "${unknown}". Known: ${names.join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const began = performance.now();
  let failed = 0;
  await inCopy(async (copy) => {
    // For the compiler's memory: then it reads again only what a deletion reaches.
    const whole = await typesOf(copy);
    if (whole !== '') throw new Error(whole);
    for (const name of asked.length > 0 ? asked : names) {
      const start = performance.now();
      const found = await without(copy, name).catch((error) => [String(error)]);
      restore(copy);
      const failures = found.filter(Boolean);
      console.log(`${failures.length === 0 ? 'PASS' : 'FAIL'}  without ${name.padEnd(18)} [${secondsSince(start)} s]`);
      for (const failure of failures) console.log(failure.replace(/^/gm, '        '));
      if (failures.length > 0) failed += 1;
    }
  });
  console.log(
    `${failed === 0 ? `Any ${what} can be deleted` : `${failed} cannot be deleted`}, ${secondsSince(began)} s`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

export function secondsSince(start) {
  return ((performance.now() - start) / 1000).toFixed(1);
}

/** Runs `work` in a temporary copy of the project. */
export async function inCopy(work) {
  const copy = mkdtempSync(join(tmpdir(), 'gatehouse-copy-'));
  try {
    copyProject(copy);
    return await work(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function copyProject(copy) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of listed
    .split('\0')
    .filter((path) => path !== '' && path !== 'node_modules' && existsSync(join(root, path)))) {
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  // Biome ignores what git ignores, and needs a git folder for that. The index keeps what is changed and deleted.
  execFileSync('git', ['init', '--quiet'], { cwd: copy });
  execFileSync('git', ['add', '--all'], { cwd: copy });
}

/** Brings back every file that was changed or deleted. */
function restore(copy) {
  execFileSync('git', ['checkout', '--quiet', '--', '.'], { cwd: copy });
}

export function removePaths(copy, paths) {
  for (const path of paths) rmSync(join(copy, path), { recursive: true, force: true });
}

/** Removes the import of `folder` from a list file, and the line with the imported name (`lineOf`). */
export function removeLine(copy, list, folder, lineOf) {
  const path = join(copy, list);
  const text = readFileSync(path, 'utf8');
  const [line, name] = new RegExp(`^import \\{ (\\w+) \\} from '\\./${folder}/.*\\n`, 'm').exec(text) ?? [];
  if (line === undefined) throw new Error(`${list} has no line for ${folder}`);
  writeFileSync(path, text.replace(line, '').replace(lineOf(name), ''));
}

/** Checks that must still pass, and a suite of the remaining code. `list`: the one file that has changed. */
export function checksOf(copy, list, suite) {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  return Promise.all([
    typesOf(copy),
    run(copy, 'style', ['node_modules/.bin/biome', 'check', '--error-on-warnings', list]),
    // The graph in docs/architecture.md shows the whole project, so it is rewritten.
    run(copy, 'imports', [process.execPath, 'scripts/check-imports.mjs', '--write', '--partial']),
    run(copy, 'settings.md', [process.execPath, 'src/config/reference.ts', '--check']),
    run(copy, 'cli.md', [process.execPath, 'src/cli/reference.ts', '--check']),
    run(copy, `the suite ${suite}`, [process.execPath, ...jest, suite]),
  ]);
}

/** Its memory lies in a folder that git ignores. */
function typesOf(copy) {
  const memory = ['--incremental', '--tsBuildInfoFile', 'coverage/types.tsbuildinfo'];
  return run(copy, 'types', ['node_modules/.bin/tsc', '--noEmit', ...memory]);
}

/** Resolves with the output if the program failed, otherwise with an empty string. */
function run(cwd, what, [program, ...words]) {
  return new Promise((resolve) => {
    // Without the caller's test services: these checks use SQLite only, and a missing service is no failure.
    const child = spawn(program, words, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    child.stderr.on('data', (chunk) => {
      printed += chunk;
    });
    child.once('error', (error) => resolve(`${what}: ${error.message}`));
    child.once('exit', (code) => resolve(code === 0 ? '' : `${what}:\n${printed.slice(-4000)}`));
  });
}

function environment() {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR && { TMPDIR }) };
}

/** Starts the server of this folder with an empty database while `work` runs. */
export async function askServer(folder, work) {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...environment(),
    HOST: '127.0.0.1',
    PORT: String(port),
    ISSUER: url,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
  };
  const child = spawn(process.execPath, ['src/main.ts'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  try {
    const until = performance.now() + 20_000;
    while (!(await isReady(url))) {
      if (child.exitCode !== null || performance.now() > until)
        throw new Error(`the server did not start:\n${printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return await work(url);
  } finally {
    child.kill();
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function isReady(url) {
  return fetch(`${url}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
