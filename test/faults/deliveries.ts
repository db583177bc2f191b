/** Back-channel logout while servers die and applications misbehave (security.md K13; issue 12: kill -9 loses none). */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSession } from '../storage/rows.ts';
import { type ChildServer, startChild, thrifty } from '../support/child-server.ts';
import { type Receiver, reachable, startReceiver } from '../support/receiver.ts';
import { password } from '../support/server.ts';
import { counted, type Means, type Scenario, type Verdict, worst } from './scenario.ts';
import { ask, buildWorld, type World } from './world.ts';

export const deliveryTroubles: readonly Scenario[] = [
  { name: 'kill-deliveries-sqlite', waits: true, run: (means) => killed(means, undefined) },
  {
    name: 'kill-deliveries-postgres',
    waits: true,
    needs: ['postgres'],
    run: async (means) => killed(means, await means.postgres?.database()),
  },
  { name: 'hanging-applications', run: hanging },
];

const perPerson = 20;
const far = 4_000_000_000;

/** `people` with sessions that the applications at `paths` are in: `perPerson` each, with a sid of its own per path. */
async function worldWith(
  receiver: Receiver,
  databaseUrl: string | undefined,
  people: number,
  paths: readonly string[],
) {
  const world = await buildWorld({ databaseUrl, env: reachable }, { people });
  const sids = await world.place.within(async ({ core, clients }) => {
    const ids: string[] = [];
    for (const path of paths) {
      const metadata = { redirect_uris: ['https://app.example.com/cb'], backchannel_logout_uri: receiver.at(path) };
      const made = await clients.register({ client_name: path, ...metadata }, { origin: 'admin', owner: null });
      if (made.outcome !== 'registered') throw new Error(made.description);
      ids.push(made.client.id);
    }
    const all: string[] = [];
    for (const { subject } of world.people) {
      const sessions = Array.from({ length: perPerson }, (_, n) => {
        const uid = `${subject}.${n}`;
        const path = n % paths.length;
        all.push(uid);
        const client = ids[path] ?? '';
        return buildSession({ uid, subject, grants: { [client]: uid }, sids: { [client]: uid }, expiresAt: far });
      });
      await core.stores.engine.commit({ sessions });
    }
    return all;
  });
  return { world, sids };
}

/** Ends all sessions of the person by a call of their own program. */
async function endAll({ url }: Pick<ChildServer, 'url'>, { username }: World['people'][number]) {
  return ask(`${url}/v1/password/change`, {
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    json: { new_password: password, kill_sessions: true },
  });
}

const sidsAt = (receiver: Receiver, paths: readonly string[]) =>
  paths.flatMap((path) => receiver.claims(path)).map(({ sid }) => String(sid));

async function killed(means: Means, databaseUrl: string | undefined): Promise<Verdict> {
  const people = means.short ? 50 : 500;
  const paths = ['/one', '/two', '/three', '/four'];
  const receiver = await startReceiver();
  means.after(() => receiver.close());
  // Slow enough that every kill finds messages on their way.
  for (const path of paths)
    receiver.answer(path, (_req, res) => void setTimeout(() => res.writeHead(200).end(), 10 * Math.random()));
  const { world, sids } = await worldWith(receiver, databaseUrl, people, paths);
  means.after(() => world.place.close());
  const waiting = [...world.people];
  const perLife = Math.ceil(waiting.length / (means.short ? 6 : 60));
  let kills = 0;
  let cut = 0;
  while (waiting.length > 0) {
    const server = await startChild(world.place);
    means.after(() => server.end());
    let left = perLife;
    // Killed in the middle: further requests and messages are under way.
    const person = async (): Promise<void> => {
      const one = waiting.shift();
      if (one === undefined || left <= 0) return void (one && waiting.push(one));
      const { status } = await endAll(server, one);
      if (status === 200) {
        left -= 1;
        if (left === 0) await server.end('SIGKILL');
      } else if (status === 0) {
        // Cut off: the person, who does not know, does it once more.
        cut += 1;
        waiting.push(one);
      } else throw new Error(`a person's request was answered with ${status}`);
      return person();
    };
    await Promise.all(Array.from({ length: 4 }, person));
    await server.end('SIGKILL');
    kills += 1;
  }
  const server = await startChild(world.place);
  means.after(() => server.end());
  const missing = () => sids.length - new Set(sidsAt(receiver, paths)).size;
  // The claims of those that were killed lapse after 15 seconds.
  for (let waited = 0; missing() > 0 && waited < 75_000; waited += 100) await sleep(100);
  await sleep(500);
  const got = sidsAt(receiver, paths);
  const failures = missing() > 0 ? [`${missing()} of ${sids.length} sessions ended and no application was told`] : [];
  const left = await world.place.within(({ core }) => core.stores.deliveries.list({ state: 'failed' }, 1000));
  if (left.length > 0) failures.push(`${left.length} deliveries were given up: ${left[0]?.lastOutcome}`);
  await server.end('SIGTERM');
  return {
    figures: `${kills} kills during ${sids.length} deliveries, ${cut} requests cut off, none lost, ${got.length - new Set(got).size} came twice`,
    failures,
  };
}

async function hanging(means: Means): Promise<Verdict> {
  const people = means.short ? 50 : 200;
  const paths = ['/hangs', '/floods', '/resets', '/works'];
  const receiver = await startReceiver();
  means.after(() => receiver.close());
  receiver.answer('/hangs', () => {});
  receiver.answer('/floods', (_req, res) => {
    res.writeHead(200);
    const more = () => {
      while (!res.destroyed && res.write(Buffer.alloc(65_536, 'x')));
    };
    res.on('drain', more);
    more();
  });
  receiver.answer('/resets', (req) => void req.socket.resetAndDestroy());
  const { world, sids } = await worldWith(receiver, undefined, people, paths);
  means.after(() => world.place.close());
  const server = await startChild(world.place, { env: thrifty });
  means.after(() => server.end());
  // The first calls load what a request needs.
  for (const person of world.people.slice(0, 5)) await endAll(server, person);
  await sleep(500);
  const before = { rss: server.rss(), descriptors: descriptors(server) };
  const failures: string[] = [];
  const times: number[] = [];
  let mostDescriptors = 0;
  for (const person of world.people.slice(5)) {
    const { status, ms } = await endAll(server, person);
    if (status !== 200) failures.push(`a person's request was answered with ${status}`);
    times.push(ms);
    mostDescriptors = Math.max(mostDescriptors, descriptors(server));
  }
  const works = Math.floor(sids.length / paths.length);
  const reached = () => new Set(sidsAt(receiver, ['/works'])).size;
  for (let waited = 0; reached() < works && waited < 30_000; waited += 100) await sleep(100);
  if (reached() < works) failures.push(`the application that works was told of ${reached()} of ${works}`);
  times.sort((a, b) => a - b);
  const p99 = worst(times.slice(0, Math.ceil(times.length * 0.99)));
  if (p99 > 1_000) failures.push(`a person waited ${p99} ms`);
  if (mostDescriptors > before.descriptors + 24) failures.push(`${mostDescriptors} file descriptors`);
  const grown = Math.round(server.rss() - before.rss);
  if (grown > 64) failures.push(`memory grew by ${grown} MB`);
  await server.end('SIGTERM');
  return {
    figures: `${sids.length} sessions ended, p99 ${p99} ms, ${mostDescriptors} descriptors (before: ${before.descriptors}), memory +${grown} MB`,
    failures: counted(failures),
  };
}

function descriptors({ pid }: ChildServer): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
