/**
 * npm run hostile -- [--short] [--count 15000] [--seed 7] [--from 0] [--storage sqlite,postgres] [--only 'token, code']
 *                    [--verbose] [--watch]
 *
 * Throws a stranger's requests at a real server in a process of its own: right requests in which one to three things
 * are wrong, and now and then what is no HTTP at all (docs/testing.md). The server must answer each with something
 * below 500, within a second, without saying anything about its inside, and go on. What a request looked like follows
 * from the seed and its number alone: `--from N --count 1` throws it again.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { App } from '../../src/app.ts';
import { ask, buildWorld, machineToken } from '../faults/world.ts';
import { enrol } from '../support/authenticator.ts';
import { type ChildServer, childAdminKey, startChild, thrifty } from '../support/child-server.ts';
import { goodCalls } from '../support/good-calls.ts';
import { adminKey } from '../support/server.ts';
import { ownPostgres } from '../support/services.ts';
import { createChecks } from './checks.ts';
import { formTargets } from './forms.ts';
import { framing } from './framing.ts';
import { type Cast, keepCalls, makeGood } from './good.ts';
import { createChance } from './random.ts';
import { type Hostile, hostileRequest, shown } from './request.ts';
import { routesOf, routeTargets, rowsFor } from './routes.ts';
import { type Good, targets as ownTargets, type Target } from './targets.ts';
import { openUpstream, type Upstream } from './upstream.ts';
import { throwAt, Wire } from './wire.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    count: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    storage: { type: 'string', default: 'sqlite,postgres' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const from = Number(values.from);
const storages = values.storage.split(',');
const count = Number(values.count ?? (values.short ? 15_000 : 1_000_000));
const slowMs = 1000;
const slowTimes = 8;
const lanes = 12;
const renewEvery = 300;
const failuresMax = 20;

const postgres = storages.includes('postgres') ? await ownPostgres() : undefined;
if (storages.includes('postgres') && !postgres) console.log('skip  postgres: this machine has none');
const places = storages.filter((storage) => storage === 'sqlite' || postgres !== undefined);
let failed = 0;
const began = performance.now();
try {
  for (const storage of places) failed += await attack(storage, Math.ceil(count / places.length));
} finally {
  await postgres?.close();
}
console.log(
  `seed ${seed}, ${Math.round((performance.now() - began) / 1000)} s: ${failed === 0 ? 'PASS' : `FAIL, ${failed} complaints`}`,
);
process.exit(failed === 0 ? 0 : 1);

async function attack(storage: string, requests: number): Promise<number> {
  // The settings of the two differ: development has the playground and explains refusals, production does neither.
  const production: Record<string, string> =
    storage === 'postgres' ? { NODE_ENV: 'production', SURFACES: 'all', SIGN_UP: 'open' } : {};
  const databaseUrl = storage === 'postgres' ? await postgres?.database() : undefined;
  const upstream = await openUpstream();
  const env = {
    LOG_LEVEL: 'error',
    ADMIN_KEY: `${childAdminKey},${adminKey}`,
    GATEWAY_ROUTES: upstream.routesFile,
    // Half a dozen forms make a hash, and what is thrown is not to wait for those.
    ...{ PASSWORD_HASH_MEMORY: '8192', PASSWORD_HASH_TIME: '1' },
    ...thrifty,
    ...{ REGISTRATION: 'open', REGISTRATION_ADDRESS_LIMIT: '100000', REGISTRATION_LIMIT: '1000000' },
    DYNAMIC_CLIENT_MAX: '1000000',
    MCP: 'true',
    ...production,
  };
  const world = await buildWorld({ databaseUrl, env }, { people: 3 });
  try {
    return await world.place.within(async (app) => {
      const client = await app.clients.register(
        { client_name: 'Web', redirect_uris: ['https://app.example.com/cb'], require_pkce: false },
        { origin: 'admin', owner: null },
      );
      if (client.outcome !== 'registered') throw new Error('the client was refused');
      const token = await app.clients.issueToken(client.client.id, { label: 'hostile', lifetime: null });
      if (token.outcome !== 'issued') throw new Error('the client token was refused');
      await enrol(app.core.factors, world.people[2]?.subject ?? '');
      const [file = ''] = readdirSync(join(import.meta.dirname, '../../public')).filter((name) =>
        name.endsWith('.css'),
      );
      const cast: Cast = {
        world,
        client: { id: client.client.id, secret: client.secret ?? '' },
        file: `/public/${file}`,
        clientToken: token.value,
        calls: keepCalls(),
      };
      const server = await startChild(world.place);
      try {
        return await throwAll({ storage, app, cast, server, upstream }, requests);
      } finally {
        await server.end('SIGKILL');
      }
    });
  } finally {
    world.place.close();
    upstream.close();
  }
}

interface Battle {
  readonly storage: string;
  readonly app: App;
  readonly cast: Cast;
  readonly server: ChildServer;
  readonly upstream: Upstream;
}

async function throwAll({ storage, app, cast, server, upstream }: Battle, requests: number): Promise<number> {
  const routes = routesOf(app);
  const rows = new Set(Object.keys(goodCalls({ url: server.url, app, core: app.core })));
  let good = await makeGood(app, cast, server);
  cast.calls.need(rowsFor(routes, rows, ownTargets, good));
  good = await makeGood(app, cast, server);
  const targets: Readonly<Record<string, Target>> = {
    ...ownTargets,
    ...routeTargets(routes, ownTargets, good),
    ...formTargets(app, routes, ownTargets, good),
  };
  const targetNames = Object.keys(targets);
  const complaint = createChecks(routes);
  const discovery = (await ask(`${server.url}/.well-known/openid-configuration`)).text;
  const complaints: string[] = [];
  const statuses = new Map<number, number>();
  const began = performance.now();
  const until = from + requests;
  let next = from;
  let renewed = from;
  let slowest = 0;
  let slowOnce = 0;
  let thrown = 0;
  let admissible = 0;
  let welcome = 0;
  let baseline = 0;

  const complain = (number: number, what: string, why: string, bytes?: Buffer) => {
    if (complaints.length >= failuresMax) return;
    complaints.push(why);
    console.log(`FAIL  #${number} on ${storage}: ${what}\n        ${why}`);
    if (bytes) console.log(`        ${shownBytes(bytes)}`);
    console.log(
      `        again: npm run hostile -- --seed ${seed} --storage ${storage} --from ${number} --count 1 --verbose`,
    );
  };

  async function one(number: number, wire: Wire): Promise<void> {
    const chance = createChance(seed, number);
    if (values.only === undefined && chance.percent(4)) return throwRaw(number, good);
    const name = values.only ?? targetNames[number % targetNames.length] ?? '';
    const target = targets[name];
    if (!target) throw new Error(`there is no target ${name}; there are: ${targetNames.join(' · ')}`);
    const hostile = hostileRequest(name, target, chance, good, !values.short);
    const received = await judged(number, hostile, wire);
    if (target.headers) admissible += 1;
    if (hostile.admissible) welcome += 1;
    statuses.set(received.status, (statuses.get(received.status) ?? 0) + 1);
    if (values.verbose)
      console.log(
        `${described(hostile)}\n${shownBytes(hostile.bytes)}\n-> ${received.status} ${received.body.slice(0, 500)}`,
      );
  }

  async function judged(number: number, hostile: Hostile, wire: Wire) {
    const received = await wire.send(hostile.bytes, hostile.isHead);
    const why = complaint(received, hostile);
    if (why !== undefined) complain(number, described(hostile), why, hostile.bytes);
    slowest = Math.max(slowest, received.ms);
    if (received.ms > slowMs && received.status !== -1) {
      // This machine has others to serve as well: slow is what is slow each time.
      const times = [received.ms];
      while (times.length < slowTimes && Math.min(...times) > slowMs)
        times.push((await wire.send(hostile.bytes, hostile.isHead)).ms);
      slowOnce += 1;
      if (values.watch) console.log(`${number}: ${Math.round(received.ms)} ms once: ${described(hostile)}`);
      if (Math.min(...times) > slowMs)
        complain(number, described(hostile), `${times.map(Math.round).join(', ')} ms`, hostile.bytes);
    }
    return received;
  }

  async function throwRaw(number: number, good: Good): Promise<void> {
    const { name, parts, cut } = framing(number, createChance(seed + 1, number), good);
    const answer = await throwAt(server.port, parts, { cut });
    thrown += 1;
    const bad = /HTTP\/1\.[01] 5\d\d[^\r]*/.exec(answer)?.[0];
    if (bad !== undefined) complain(number, `raw: ${name}`, bad, Buffer.concat([...parts]));
    if (answer.includes('node_modules') || /\bat \//.test(answer))
      complain(number, `raw: ${name}`, 'it tells of its inside', Buffer.concat([...parts]));
  }

  async function renew(): Promise<void> {
    try {
      good = await makeGood(app, cast, server);
      const [health, again, machine] = await Promise.all([
        ask(`${server.url}/healthz`),
        ask(`${server.url}/.well-known/openid-configuration`),
        machineToken(server, cast.world),
      ]);
      if (health.text !== '{"status":"alive"}')
        complain(next, 'after these', `/healthz says ${health.status} ${health.text}`);
      if (again.text !== discovery) complain(next, 'after these', 'discovery has changed');
      if (machine.status !== 200)
        complain(next, 'after these', `a right token request gets ${machine.status} ${machine.text}`);
    } catch (error) {
      complain(next, 'after these', `a right sign-in fails: ${error instanceof Error ? error.message : error}`);
    }
  }

  async function lane(): Promise<void> {
    const wire = new Wire(server.port);
    while (next < until && server.running() && complaints.length < failuresMax) {
      const number = next;
      next += 1;
      if (number - renewed >= renewEvery) {
        renewed = number;
        await renew();
        if (values.watch) console.log(`${number}: ${Math.round(server.rss())} MB`);
        if (baseline === 0 && number - from >= Math.min(20_000, requests / 2)) baseline = server.rss();
      }
      await one(number, wire);
    }
    wire.close();
  }

  await Promise.all(Array.from({ length: lanes }, lane));
  await sleep(500);
  if (!server.running()) complain(next, 'about these', `the server has crashed: ${server.printed().slice(-2000)}`);
  const grown = baseline === 0 ? 0 : Math.round(server.rss() - baseline);
  // A short run measures from where threads may still hash for the first time, and keep what that takes.
  const mostGrown = requests < 40_000 ? 200 : 100;
  if (grown > mostGrown) complain(next, 'all of them', `memory grew by ${grown} MB`);
  const failures = server.printed().match(/a request failed[^\n]*/g) ?? [];
  if (failures.length > 0) complain(next, 'some of them', `the log says: ${server.printed().slice(-1500)}`);
  for (const why of upstream.complaints) complain(next, 'the gateway', why);
  const table = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, times]) => `${status === 0 ? 'closed' : status}×${times}`);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${complaints.length === 0 ? 'PASS' : 'FAIL'}  ${storage}: ${next - from} requests (${Math.round((next - from) / seconds)}/s), ${thrown} of them raw; ` +
      `slowest ${Math.round(slowest)} ms${slowOnce === 0 ? '' : ` (${slowOnce} over a second, not each time)`}; memory ${grown < 0 ? '' : '+'}${grown} MB\n` +
      `      ${targetNames.length} targets, of which ${routes.length} are routes of APIs; right credentials with ${Math.round((100 * welcome) / Math.max(1, admissible))} % of ${admissible}; ${upstream.reached()} got through the gateway\n` +
      `      ${table.join(' ')}`,
  );
  return complaints.length;
}

function described({ name, changes }: Hostile): string {
  return `${name}: ${changes.join('; ')}`;
}

function shownBytes(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return shown(text).length <= 64
    ? shown(text)
    : JSON.stringify(text.length > 900 ? `${text.slice(0, 900)}… (${text.length} bytes)` : text);
}
