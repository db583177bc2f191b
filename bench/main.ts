/**
 * npm run bench -- [--only refresh,introspect] [--storage sqlite,postgres] [--rounds 3] [--seconds 4] [--json]
 *
 * Compares this server with the bare engine in one run, with production settings. Each server is a process on core 1,
 * the load generator runs on core 0, and the servers take turns in every round. docs/performance.md explains the
 * figures. A wrong response ends the run, because errors are fast and would distort the result.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { countRoundTrips, measure, type Sample } from './measure.ts';
import { type Operation, type OperationName, operationNames, operations, type Seat, takeSeat } from './operations.ts';
import { beyondTheHash, type Result, resultTable, type Start, startTable } from './report.ts';
import {
  createHome,
  type Home,
  type Kind,
  pinGenerator,
  pinned,
  type Server,
  startServer,
  startServices,
  stopServices,
} from './servers.ts';
import { startUpstream } from './upstream.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: operationNames.join(',') },
    storage: { type: 'string', default: 'sqlite,postgres' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
    starts: { type: 'string', default: '5' },
    /** Options for the Node of the servers, for example `--node=--cpu-prof`. */
    node: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const only = chosen(values.only, operationNames);
const storages = chosen(values.storage, ['sqlite', 'postgres'] as const);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

pinGenerator();
if (!pinned) say('not pinned (this needs two cores and taskset): load generator and servers share the cores');
const services = storages.includes('postgres') ? startServices() : undefined;
if (storages.includes('postgres') && !services)
  say('Postgres and Redis: skipped, because one of them is not installed');

const kinds: Kind[] = ['bare', ...storages.filter((kind) => kind === 'sqlite' || services !== undefined)];
const homes: Home[] = [];
const upstream = await startUpstream();
const servers: Server[] = [];
try {
  for (const kind of kinds) homes.push(await createHome(kind, connections, services, upstream));
  const starts: Start[] = [];
  for (const home of homes) starts.push(await measureStart(home, Number(values.starts)));

  const seats = new Map<Server, Seat[]>();
  for (const home of homes) {
    const server = await startServer(home, values.node);
    servers.push(server);
    const taken: Seat[] = [];
    for (let index = 0; index < connections; index += 1) taken.push(await takeSeat(server, index));
    seats.set(server, taken);
  }
  const results: Result[] = [];
  for (const name of only) results.push(...(await compare(name, seats)));

  const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}`;
  const run = { node: process.version, machine, pinned, connections, rounds, seconds };
  if (values.json) process.stdout.write(`${JSON.stringify({ ...run, starts, results }, null, 2)}\n`);
  else {
    console.log(
      `Node ${process.version}, ${machine}; ${connections} connections; medians of ${rounds} rounds of ${seconds} s`,
    );
    console.log(`\n${startTable(starts)}\n\n${resultTable(results)}`);
    for (const line of beyondTheHash(results)) console.log(`\n${line}`);
    console.log(
      "\nbusy: use of the server's core. If it is well below 100 %, the other core (load, Postgres) is the bottleneck.",
    );
  }
} catch (error) {
  say(`no result: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  for (const home of homes) await home.remove();
  upstream.stop();
  if (services) stopServices();
}
process.exit();

async function compare(name: OperationName, seats: ReadonlyMap<Server, readonly Seat[]>): Promise<Result[]> {
  const operation: Operation = operations[name];
  const samples = new Map<Server, Sample[]>();
  const those = [...seats].filter(([server]) => !(operation.oursAlone && server.kind === 'bare'));
  for (const [server, taken] of those) {
    await measure(operation, taken, Math.min(2, seconds));
    samples.set(server, []);
  }
  for (let round = 0; round < rounds; round += 1) {
    say(`${name}: round ${round + 1} of ${rounds}`);
    for (const [server, taken] of those) samples.get(server)?.push(await measure(operation, taken, seconds));
  }
  const results: Result[] = [];
  for (const [server, taken] of those) {
    const roundTrips = await countRoundTrips(operation, server, taken[0] as Seat);
    results.push({
      operation: name,
      kind: server.kind,
      samples: samples.get(server) ?? [],
      roundTrips,
      rss: server.rss(),
    });
  }
  return results;
}

async function measureStart(home: Home, times: number): Promise<Start> {
  const startMs: number[] = [];
  let idleRss = 0;
  // The first start fills the compile cache and is not counted.
  for (let time = 0; time <= times; time += 1) {
    const server = await startServer(home);
    if (time > 0) startMs.push(server.startMs);
    if (time === times) {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      idleRss = server.rss();
    }
    await server.stop();
  }
  return { kind: home.kind, startMs, idleRss };
}

function chosen<Name extends string>(list: string, names: readonly Name[]): Name[] {
  return list.split(',').map((word) => {
    const name = names.find((candidate) => candidate === word);
    if (name === undefined) throw new Error(`unknown name "${word}". Known names: ${names.join(', ')}`);
    return name;
  });
}
