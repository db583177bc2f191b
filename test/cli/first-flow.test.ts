/** docs/first-flow.md, copied whole: its blocks run as one script beside a real server, while a person signs in. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { type ChildServer, createPlace, type Place, startChild } from '../support/child-server.ts';
import { freePort } from '../support/free-port.ts';
import { programsAreThere } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/first-flow.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);

const canRun = programsAreThere('docs/first-flow.md as a script', ['bash', 'curl', 'openssl']);

let place: Place;
let server: ChildServer;
let script: ChildProcess | undefined;
beforeAll(async () => {
  if (!canRun) return;
  place = await createPlace();
  server = await startChild(place);
});
afterAll(async () => {
  script?.kill('SIGKILL');
  await server?.end('SIGTERM');
  place?.close();
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
  const port = await freePort();
  // Unassigned variables, failed commands and failed parts of them end it.
  const text = ['set -euo pipefail', ...blocks]
    .join('\n')
    .replaceAll('http://localhost:3000', place.url)
    .replaceAll('http://localhost:8080', `http://localhost:${port}`);
  const child = spawn('bash', ['-c', text], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  script = child;
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const agent = new Agent(server);
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
      if (!line.startsWith(`${place.url}/oauth/authorize?`)) continue;
      const password = /The password of ada is (\S+)/.exec(out)?.[1] ?? '';
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
  const logout = out.split('\n').find((line) => line.startsWith(`${place.url}/oauth/logout?`)) ?? '';
  const asked = await agent.go(logout);
  const done = asked.location === undefined ? await agent.confirmLogout(asked) : asked;
  expect(done.location).toContain(`http://localhost:${port}/callback`);
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
