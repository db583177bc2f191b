/** The database or Redis goes away, hangs or talks rubbish, and comes back (security.md K3, K4, K6). */
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, thrifty } from '../support/child-server.ts';
import { freePort } from '../support/free-port.ts';
import { person, redisEnv } from './races.ts';
import { counted, type Means, type Scenario, type Verdict, worst } from './scenario.ts';
import { createTraffic } from './traffic.ts';
import { ask, buildWorld, introspect, machineToken, type Reply, request, signIn, tokensOf } from './world.ts';

export const outages: readonly Scenario[] = [
  {
    name: 'postgres-stopped',
    needs: ['postgres'],
    run: (means) => {
      const downs = means.short ? [2500] : Array.from({ length: 20 }, (_, time) => (time % 5 === 4 ? 30_000 : 5000));
      return postgresAway(means, downs, async (ms) => {
        await means.postgres?.stopImmediately();
        await sleep(ms);
        await means.postgres?.start();
      });
    },
  },
  {
    name: 'postgres-hung',
    needs: ['postgres'],
    run: (means) =>
      postgresAway(means, means.short ? [7000] : [30_000, 10_000, 30_000], async (ms) => {
        means.postgres?.signal('SIGSTOP');
        await sleep(ms);
        means.postgres?.signal('SIGCONT');
      }),
  },
  { name: 'redis-killed', needs: ['postgres', 'redis'], run: (means) => redisTrouble(means, killRedis) },
  { name: 'redis-hung', needs: ['postgres', 'redis'], run: (means) => redisTrouble(means, hangRedis) },
  { name: 'redis-poisoned', needs: ['postgres', 'redis'], run: (means) => redisTrouble(means, poisonRedis) },
];

/** Answers that need no database. */
const always = ['/.well-known/openid-configuration', '/oauth/jwks', '/healthz'] as const;

async function postgresAway(
  means: Means,
  downs: readonly number[],
  outage: (ms: number) => Promise<void>,
): Promise<Verdict> {
  const world = await buildWorld({
    databaseUrl: await means.postgres?.database(),
    // Longer than the outage: a client without an answer asks again when it is over.
    env: { REFRESH_REUSE_WINDOW: '60' },
  });
  means.after(() => world.place.close());
  const server = await startChild(world.place, { env: thrifty });
  means.after(() => server.end());
  const traffic = createTraffic(world, { workers: 8, mayBeAway: true });
  const failures: string[] = [];
  const recoveries: number[] = [];
  const times: number[] = [];
  let away = 0;
  let answered = 0;
  const { agent } = await signIn(server, person(world, 0), world.reader);
  const held = await tokensOf(server, person(world, 1), world.reader);
  // What a server takes once it has done everything for a while.
  traffic.start();
  await sleep(1000);
  await traffic.stop();
  const rss = server.rss();

  const probes: Readonly<Record<string, () => Promise<Reply>>> = {
    ...Object.fromEntries(always.map((path) => [path, () => ask(server.url + path)])),
    client_credentials: () => machineToken(server, world),
    introspect: () => introspect(server, world, held.access),
    authorize: () => {
      const { parameters } = request(world.reader, { prompt: 'none', response_type: 'code' });
      const cookie = [...agent.cookies.values()]
        .filter(({ path }) => path === '/')
        .map(({ name, value }) => `${name}=${value}`);
      return ask(`${server.url}/oauth/authorize?${new URLSearchParams(parameters)}`, {
        headers: { cookie: cookie.join('; ') },
      });
    },
    page: () =>
      ask(
        `${server.url}/oauth/authorize?${new URLSearchParams(request(world.reader, { response_type: 'code' }).parameters)}`,
        {
          headers: { accept: 'text/html' },
        },
      ),
  };
  let probing = true;
  const probe = async (name: string, call: () => Promise<Reply>) => {
    while (probing) {
      const reply = await call();
      times.push(reply.ms);
      if (reply.status === 503 && !name.startsWith('/')) {
        away += 1;
        if (!reply.headers.has('retry-after')) failures.push(`${name}: 503 without Retry-After`);
      } else if (reply.status === 200 || reply.status === 303) answered += 1;
      else failures.push(`${name}: ${reply.status} ${reply.text.slice(0, 150)}`);
      if (reply.ms > 10_000) failures.push(`${name}: took ${Math.round(reply.ms)} ms`);
      if (name === 'authorize' && reply.status === 303 && /error=/.test(reply.headers.get('location') ?? ''))
        failures.push(`${name}: ${reply.headers.get('location')}`);
      await sleep(25);
    }
  };

  const watching = Object.entries(probes).map(([name, call]) => probe(name, call));
  for (const ms of downs) {
    traffic.start();
    await sleep(400);
    await outage(ms);
    const back = performance.now();
    while (
      (await ask(`${server.url}/readyz`)).status !== 200 ||
      (await introspect(server, world, held.access)).status !== 200
    ) {
      if (performance.now() - back > 20_000) throw new Error('it does not come back');
      await sleep(20);
    }
    recoveries.push(performance.now() - back);
    await sleep(300);
    await traffic.stop();
    failures.push(...(await traffic.verify()));
  }
  probing = false;
  await Promise.all(watching);
  if (!server.running()) failures.push(`the server has ended: ${server.printed().slice(-500)}`);
  if (worst(recoveries) > 3000) failures.push(`back after ${worst(recoveries)} ms`);
  if (away === 0) failures.push('no client noticed the outage: the scenario did not do its work');
  const grown = Math.round(server.rss() - rss);
  if (grown > 100) failures.push(`memory grew by ${grown} MB`);
  const slow = times.filter((ms) => ms > 2000).length;
  return {
    figures:
      `${downs.length} outages, ${traffic.figures.acknowledged} acknowledged, ${answered} right answers and ${away} × 503 to probes ` +
      `(slowest ${worst(times)} ms, ${((100 * slow) / times.length).toFixed(1)} % over 2 s), back in ${worst(recoveries)} ms at most, memory +${Math.max(0, grown)} MB`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}

type Trouble = (means: Means, whileAway: () => Promise<void>) => Promise<string[]>;

const killRedis: Trouble = async ({ short, redis }, whileAway) => {
  for (let time = 0; time < (short ? 2 : 20); time += 1) {
    await redis?.kill();
    await sleep(700);
    if (time === 0) await whileAway();
    await redis?.start();
    await sleep(700);
  }
  return [];
};

const hangRedis: Trouble = async ({ short, redis }, whileAway) => {
  redis?.signal('SIGSTOP');
  await sleep(short ? 1500 : 30_000);
  await whileAway();
  redis?.signal('SIGCONT');
  await sleep(500);
  return [];
};

const poisonRedis: Trouble = async ({ short, redis }, whileAway) => {
  if (!redis) return [];
  const { client } = redis;
  let poisoned = 0;
  for (let round = 0; round < (short ? 12 : 200); round += 1) {
    if (round % 4 === 3) await client.flushall();
    for (const key of await client.keys('*')) {
      poisoned += 1;
      // At one stroke: the server goes on writing to the same keys.
      const stroke = client.multi().del(key);
      if (round % 3 === 0) stroke.sadd(key, 'a', 'b');
      else if (round % 3 === 1) stroke.set(key, '{"__proto__": {"x": 1}, "version": "9"}\u0000');
      else stroke.hset(key, { generation: '-1', appliedSeq: 'NaN', token: '', '9': 'rubbish', version: '1e999' });
      await stroke.exec();
    }
    await sleep(120);
  }
  await whileAway();
  return poisoned === 0 ? ['there was nothing in Redis to poison'] : [];
};

async function redisTrouble(means: Means, trouble: Trouble): Promise<Verdict> {
  await means.redis?.client.flushall();
  const world = await buildWorld({ databaseUrl: await means.postgres?.database(), env: redisEnv(means) }, { spare: 2 });
  means.after(() => world.place.close());
  means.after(() => means.redis?.signal('SIGCONT'));
  const server = await startChild(world.place);
  means.after(() => server.end());
  const failures: string[] = [];
  const [doomed = ''] = world.spare;
  await tokensOf(server, person(world, 0), doomed);
  const traffic = createTraffic(world, { workers: 8 });
  traffic.start();
  await sleep(400);
  failures.push(
    ...(await trouble(means, async () => {
      // As the command line does it on a machine that does not reach Redis either.
      await world.place.within(({ clients }) => clients.remove(doomed));
    })),
  );
  const fresh = await startChild(world.place, { port: await freePort() });
  means.after(() => fresh.end());
  await sleep(1000);
  for (const node of [server, fresh]) {
    const { parameters } = request(doomed, { response_type: 'code' });
    const reply = await ask(`${node.url}/oauth/authorize?${new URLSearchParams(parameters)}`);
    if (reply.status !== 400) failures.push(`a client that was deleted in the outage is still known: ${reply.status}`);
  }
  await traffic.stop();
  failures.push(...(await traffic.verify()));
  const { acknowledged, cut, slowest, signIns } = traffic.figures;
  if (cut > 0) failures.push(`${cut} requests got no answer`);
  if (!server.running()) failures.push(`the server has ended: ${server.printed().slice(-500)}`);
  return {
    figures: `${acknowledged} requests (${signIns} sign-ins), ${traffic.wrong.length + cut} failed, slowest ${Math.round(slowest)} ms; a client deleted in that time is refused`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}
