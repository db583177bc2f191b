// Whether an API surface can be deleted: its folder, its line in surfaces.ts, and the test and the page that are about it alone.
//
//   node scripts/without-surface.mjs               each of them in turn
//   node scripts/without-surface.mjs identity      only without this one
//
// Each time in a copy of the project: types, style, import rules and generated documents must be as right as before, the server
// must start and answer at every address of the other surfaces and with 404 at those that are gone, and another surface's
// golden suite must pass (each has its turn). It takes a minute.
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const shared = ['kit', 'reference'];
const names = readdirSync(join(root, 'src/api'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !shared.includes(entry.name))
  .map(({ name }) => name);
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no surface ${unknown}; there are ${names.join(', ')}.`);
  process.exit(2);
}

const began = performance.now();
const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);
const { paths, tags } = await askServer(root, async (url) => (await fetch(`${url}/openapi.json`)).json());
let failed = 0;
for (const name of asked.length > 0 ? asked : names) {
  const start = performance.now();
  const failures = await without(name);
  console.log(`${failures.length === 0 ? 'PASS' : 'FAIL'}  without ${name.padEnd(18)} [${seconds(start)} s]`);
  for (const failure of failures) console.log(failure.replace(/^/gm, '        '));
  if (failures.length > 0) failed += 1;
}
console.log(`${failed === 0 ? 'Any surface can be deleted' : `${failed} cannot be deleted`}, ${seconds(began)} s`);
process.exitCode = failed === 0 ? 0 : 1;

async function without(name) {
  const copy = mkdtempSync(join(tmpdir(), 'gatehouse-without-'));
  try {
    copyProject(copy);
    remove(copy, name);
    const next = names[(names.indexOf(name) + 1) % names.length];
    const jest = [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ];
    const checks = await Promise.all([
      run(copy, 'types', ['node_modules/.bin/tsc', '--noEmit']),
      run(copy, 'style', ['node_modules/.bin/biome', 'check', '--error-on-warnings']),
      // Its page has the graph of all that there is.
      run(copy, 'imports', [process.execPath, 'scripts/check-imports.mjs', '--write']),
      run(copy, 'settings.md', [process.execPath, 'src/config/reference.ts', '--check']),
      run(copy, 'cli.md', [process.execPath, 'src/cli/reference.ts', '--check']),
      run(copy, `the suite of ${next}`, [process.execPath, ...jest, `test/api/${next}.test.ts`]),
    ]);
    return [...checks, ...(await askServer(copy, (url) => addresses(url, name)))].filter(Boolean);
  } catch (error) {
    return [String(error)];
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
  // Biome leaves out what git leaves out, and asks for the place where git keeps that list.
  execFileSync('git', ['init', '--quiet'], { cwd: copy });
}

function remove(copy, name) {
  const own = [`src/api/${name}`, `test/api/${name}.test.ts`, `docs/surfaces/${name}.md`];
  for (const path of own) rmSync(join(copy, path), { recursive: true, force: true });
  const list = join(copy, 'src/api/surfaces.ts');
  const text = readFileSync(list, 'utf8');
  const factory = new RegExp(`^import \\{ (\\w+) \\} from '\\./${name}/.*\\n`, 'm');
  const [line, opener] = factory.exec(text) ?? [];
  if (line === undefined) throw new Error(`surfaces.ts has no line for ${name}`);
  writeFileSync(list, text.replace(line, '').replace(new RegExp(`^  \\S+: ${opener},\\n`, 'm'), ''));
}

/** What it printed, where it failed. */
function run(cwd, what, [program, ...words]) {
  return new Promise((resolve) => {
    // Not the services of the caller's tests: this is about SQLite, and what it lacks is no failure here.
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

/** Starts the server of this folder over an empty database for as long as `work` takes. */
async function askServer(folder, work) {
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

/** Every operation of the whole project's OpenAPI document, asked for with nothing in it: is it there or not? */
async function addresses(url, removed) {
  const failures = [];
  const titleOf = tags.find(({ externalDocs }) => externalDocs.url.endsWith(`/${removed}`))?.name;
  let gone = 0;
  for (const [path, row] of Object.entries(paths)) {
    for (const [method, { tags: of }] of Object.entries(row)) {
      const body = method === 'get' ? {} : { body: '{}', headers: { 'content-type': 'application/json' } };
      const { status } = await fetch(url + path.replaceAll(/\{\w+\}/g, 'x'), {
        method: method.toUpperCase(),
        redirect: 'manual',
        ...body,
      });
      const wasRemoved = of.includes(titleOf);
      if (wasRemoved) gone += 1;
      if (wasRemoved !== (status === 404) || status >= 500)
        failures.push(`${method.toUpperCase()} ${path} answers ${status}`);
    }
  }
  if (gone === 0) failures.push(`the document names nothing of ${removed}`);
  return failures;
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
