/** docs/first-flow.md, pasted whole into bash in a clone: it starts the server, and a person signs in. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { freePort } from '../support/free-port.ts';
import { programsAreThere } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/first-flow.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);

const canRun = programsAreThere(['bash', 'curl', 'openssl']);

let clone: string;
let script: ChildProcess | undefined;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const here = ['.git', 'data', 'coverage', 'gatehouse.log'];
  for (const name of readdirSync(root)) if (!here.includes(name)) symlinkSync(join(root, name), join(clone, name));
});
afterAll(() => {
  // The server that the page starts is in the script's process group.
  if (script?.pid) process.kill(-script.pid, 'SIGKILL');
  rmSync(clone, { recursive: true, force: true });
});

/** As the person: signs in where asked to, allows, and is sent to the application, which is the script. */
async function follow(agent: Agent, address: string, password: string): Promise<void> {
  let at = await agent.go(address);
  for (let pages = 0; pages < 4 && at.location === undefined; pages += 1) {
    const isLogin = at.text.includes('name="password"');
    at = await agent.submit(at, isLogin ? { username: 'ada', password } : { answer: 'allow' });
  }
  await (await fetch(at.location ?? '')).text();
}

(canRun ? test : test.skip)('every variable is assigned before it is used, and every command works', async () => {
  const [serverPort, port] = [await freePort(), await freePort()];
  const url = `http://localhost:${serverPort}`;
  // The clone has its packages. Unassigned variables, failed commands and failed parts of them end it, as does a `!`
  // that an interactive bash would take for a reference to its history.
  const text = ['set -euo pipefail -o history -o histexpand', ...blocks]
    .join('\n')
    .replace(/^npm ci\n/m, '')
    .replaceAll('http://localhost:3000', url)
    .replaceAll('http://localhost:8080', `http://localhost:${port}`);
  // A paste: what a command reads from standard input is missing from the script.
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('bash', ['--norc'], {
    cwd: clone,
    detached: true,
    env: { PATH, HOME, ISSUER: url, PORT: String(serverPort), PASSWORD_HASH_MEMORY: '8192' },
    stdio: 'pipe',
  });
  script = child;
  child.stdin.end(text);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const agent = new Agent({ url });
  let [out, err, read] = ['', '', 0];
  let walking = Promise.resolve();
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    err += more;
  });
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    out += more;
    for (let end = out.indexOf('\n', read); end >= 0; end = out.indexOf('\n', read)) {
      const line = out.slice(read, end);
      read = end + 1;
      if (!line.startsWith(`${url}/oauth/authorize?`)) continue;
      const password = /sign in as ada with the password (\S+)/.exec(out)?.[1] ?? '';
      walking = walking.then(() => untilOpen(port)).then(() => follow(agent, line, password));
    }
  });
  const code = await ended;
  await walking;
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('"preferred_username":"ada"');
  expect(out).toMatch(/"username":\s*"ada"/);
  expect(out).toContain('"scope":"books:read"');
  expect(out.match(/"access_token"/g)).toHaveLength(3);

  // The last address of the page signs out.
  const logout = out.split('\n').find((line) => line.startsWith(`${url}/oauth/logout?`)) ?? '';
  const asked = await agent.go(logout);
  const done = asked.location === undefined ? await agent.confirmLogout(asked) : asked;
  expect(done.location).toContain(`http://localhost:${port}/callback`);
});

test('the page begins in a clone: with its packages and a server', () => {
  expect(blocks[0]).toMatch(/^npm ci\nnpm start /);
});

test('the page speaks of no variable that its blocks do not assign', () => {
  const text = blocks.join('\n');
  const used = new Set([...page.matchAll(/\$\{?([A-Z][A-Z_]+)/g)].map(([, name = '']) => name));
  const assigned = new Set([...text.matchAll(/^\s*([A-Z][A-Z_]+)=/gm)].map(([, name = '']) => name));
  expect([...used].filter((name) => !assigned.has(name))).toEqual([]);
  expect(blocks.length).toBeGreaterThan(8);
});

/** The small server of the page listens; the child's own end ends the waiting. */
async function untilOpen(port: number): Promise<void> {
  while (script?.exitCode === null) {
    const open = await fetch(`http://localhost:${port}/`).then(
      (answer) => answer.status === 404,
      () => false,
    );
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
