/**
 * npm run bench:pages -- [--storage sqlite,postgres] [--goes 40]
 *
 * The server's processor time for each page of a person who has much (bench/seed-person.ts), in production. The pages
 * are found by their links, from the account's start page on. A page that costs 100 ms or more ends the run with exit
 * code 1. The requests of one browser follow each other, so a page's time is its own.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent, type Answer } from '../test/support/agent.ts';
import { authorizePath } from './browser.ts';
import { password, personName } from './clients.ts';
import { table } from './report.ts';
import {
  createHome,
  type Home,
  pinGenerator,
  type Server,
  startServer,
  startServices,
  stopServices,
} from './servers.ts';
import { startUpstream } from './upstream.ts';

const { values } = parseArgs({
  options: { storage: { type: 'string', default: 'sqlite,postgres' }, goes: { type: 'string', default: '40' } },
});
const goes = Number(values.goes);
const mostMs = 100;

interface Row {
  readonly page: string;
  readonly storage: string;
  /** Milliseconds of the server's processor time, and of the browser's wait. */
  readonly cpu: number;
  readonly wait: number;
  readonly bytes: number;
  readonly roundTrips: number;
}

/** Sign-up and lost passwords need mail. None is sent here. */
const everyPage = { SIGN_UP: 'open', SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'Bench <bench@example.org>' };
/** Pages that people see before they are signed in. */
const outside = ['/', '/sign-up', '/forgot', '/language'];

async function measure(server: Server): Promise<Row[]> {
  const person = { username: personName(0), password };
  const open = () => new Agent({ url: `http://localhost:${server.port}` });
  const stranger = open();
  const known = open();
  const authorize = authorizePath(server.seeded.web.id);
  const rows = [await measurePage(server, 'sign in', () => stranger.go(authorize))];
  for (const path of outside) rows.push(await measurePage(server, path, () => stranger.go(path)));
  await signIn(known, person);
  rows.push(await measurePage(server, 'consent', () => known.go(`${authorize}&prompt=consent`)));
  for (const path of await accountPages(known)) rows.push(await measurePage(server, path, () => known.go(path), path));
  return rows;
}

async function measurePage(server: Server, page: string, go: () => Promise<Answer>, path?: string): Promise<Row> {
  // The first requests load views and fill caches.
  for (let warm = 0; warm < 5; warm += 1) expectPage(await go(), page, path);
  const trips = (await server.roundTrips()) ?? 0;
  const began = { cpu: server.cpu(), at: performance.now() };
  let bytes = 0;
  for (let done = 0; done < goes; done += 1) bytes = expectPage(await go(), page, path);
  const cpu = ((server.cpu() - began.cpu) * 1000) / goes;
  const wait = (performance.now() - began.at) / goes;
  // Rounding removes the reads of the change log, two or three a second.
  const roundTrips = Math.round((((await server.roundTrips()) ?? trips) - trips) / goes);
  return { page, storage: server.kind, cpu, wait, bytes, roundTrips };
}

function expectPage(answer: Answer, page: string, path?: string): number {
  const there = answer.status === 200 && (path === undefined || new URL(answer.url).pathname === path);
  if (!there) throw new Error(`${page} answered ${answer.status} at ${answer.url}`);
  return Buffer.byteLength(answer.text);
}

async function signIn(agent: Agent, person: { username: string; password: string }): Promise<Answer> {
  const answer = await agent.submit(await agent.go('/account'), person);
  // An agent stops where a code is handed over.
  return answer.location === undefined ? answer : agent.go(answer.location);
}

/** The pages that the account's pages link to, in that order. */
async function accountPages(agent: Agent): Promise<string[]> {
  const found = new Set(['/account']);
  // A set goes on with what is added on the way.
  for (const path of found) {
    const { status, text } = await agent.go(path);
    if (status !== 200) throw new Error(`${path} is linked to and answered ${status}`);
    for (const [, link = ''] of text.matchAll(/href="(\/account[\w/-]*)"/g)) found.add(link);
  }
  return [...found];
}

function addHistory(home: Home): void {
  const { PATH, HOME } = process.env;
  execFileSync(process.execPath, ['bench/seed-person.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: { PATH, HOME, ...home.environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

pinGenerator();
const wanted = values.storage.split(',');
const services = wanted.includes('postgres') ? startServices() : undefined;
const upstream = await startUpstream();
const rows: Row[] = [];
try {
  for (const kind of ['sqlite', 'postgres'] as const) {
    if (!wanted.includes(kind) || (kind === 'postgres' && !services)) continue;
    const bare = await createHome(kind, 1, services, upstream);
    const home = { ...bare, environment: { ...bare.environment, ...everyPage } };
    addHistory(home);
    const server = await startServer(home);
    try {
      rows.push(...(await measure(server)));
    } finally {
      await server.stop();
      await home.remove();
    }
  }
} finally {
  upstream.stop();
  if (services) stopServices();
}

const one = (value: number): string => value.toFixed(1);
const storages = [...new Set(rows.map(({ storage }) => storage))];
const byPage = Object.values(Object.groupBy(rows, ({ page }) => page)).map((those = []) => [
  those[0]?.page ?? '',
  String(those[0]?.bytes),
  String(those[0]?.roundTrips),
  ...those.flatMap(({ cpu, wait }) => [one(cpu), one(wait)]),
]);
const perStorage = storages.flatMap((storage) => [`${storage}: CPU ms`, 'wait ms']);
console.log(table(['page', 'bytes', 'db trips', ...perStorage], byPage));
const slow = rows.filter(({ cpu }) => cpu >= mostMs);
for (const { page, storage, cpu } of slow)
  console.error(`${page} on ${storage}: ${one(cpu)} ms, ${mostMs} are too many`);
process.exit(slow.length > 0 || rows.length === 0 ? 1 : 0);
