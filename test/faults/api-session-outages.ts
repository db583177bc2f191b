/** The database or Redis away while first-party programs work (security.md K3, K4, K6). */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildServer, startChild, thrifty } from '../support/child-server.ts';
import { issueClientToken, openApiSessionTraffic } from './api-session-traffic.ts';
import { credentialsOf, doors, identity, securityService, signInAt, spaceGuard, tinyoauth } from './doors.ts';
import { person, redisEnv } from './races.ts';
import { counted, type Means, type Scenario, type Verdict, worst } from './scenario.ts';
import { buildWorld, type Reply, type World } from './world.ts';

export const apiSessionOutages: readonly Scenario[] = [
  { name: 'first-party-postgres', needs: ['postgres'], run: postgresAway },
  { name: 'first-party-redis', needs: ['postgres', 'redis'], run: redisAway },
];

interface Probe {
  readonly call: () => Promise<Reply>;
  /** Whether this 503 is worded as this surface words its refusals. */
  readonly words: (reply: Reply) => boolean;
}

async function probesFor(world: World, server: ChildServer): Promise<Record<string, Probe>> {
  const who = credentialsOf(person(world, 0));
  const begun = await signInAt(identity, server, who);
  const other = tinyoauth.tokenIn(await signInAt(tinyoauth, server, who));
  const clientToken = await issueClientToken(world);
  const program = spaceGuard.tokensIn(await spaceGuard.begin(server, clientToken));
  let last = identity.refreshTokenIn(begun);
  const fresh = () => credentialsOf({ username: `new-${randomUUID()}` });
  const logins = doors.map((door): [string, Probe] => [
    `login at ${door.name}`,
    { call: () => door.login(server, who), words: door.refuses },
  ]);
  return {
    ...Object.fromEntries(logins),
    'identity verify': { call: () => identity.verify(server, identity.tokenIn(begun)), words: identity.refuses },
    'identity register': { call: () => identity.register(server, fresh()), words: identity.refuses },
    'tinyoauth register': { call: () => tinyoauth.register(server, fresh()), words: tinyoauth.refuses },
    'identity refresh': {
      async call() {
        const reply = await identity.refresh(server, last);
        if (reply.status === 200) last = identity.refreshTokenIn(reply);
        return reply;
      },
      words: identity.refuses,
    },
    validateToken: {
      call: () => securityService.verify(server, 'x.y.z'),
      words: ({ status }) => status === 401,
    },
    gateway: { call: () => tinyoauth.verify(server, other), words: tinyoauth.refuses },
    'register-client': { call: () => spaceGuard.begin(server, clientToken), words: spaceGuard.refuses },
    'refresh-client': {
      call: () => spaceGuard.refresh(server, clientToken, program.jwtRefreshToken ?? ''),
      words: spaceGuard.refuses,
    },
  };
}

async function postgresAway(means: Means): Promise<Verdict> {
  const world = await buildWorld({
    databaseUrl: await means.postgres?.database(),
    // Longer than the outage: a client without an answer asks again when it is over.
    env: { REFRESH_REUSE_WINDOW: '60' },
  });
  means.after(() => world.place.close());
  means.after(() => means.postgres?.signal('SIGCONT'));
  const server = await startChild(world.place, { env: thrifty });
  means.after(() => server.end());
  const traffic = await openApiSessionTraffic(world, { workers: 6, mayBeAway: true });
  const probes = await probesFor(world, server);
  const failures: string[] = [];
  const away = new Map<string, number>();
  let answered = 0;
  let slowest = 0;
  let probing = true;

  const watching = Object.entries(probes).map(async ([name, { call, words }]) => {
    while (probing) {
      const reply = await call();
      slowest = Math.max(slowest, reply.ms);
      if (reply.status === 503) {
        away.set(name, (away.get(name) ?? 0) + 1);
        if (!reply.headers.has('retry-after')) failures.push(`${name}: 503 without Retry-After`);
        if (!words(reply)) failures.push(`${name}: 503 in another's words: ${reply.text}`);
      } else if (reply.status === 200 || (name === 'validateToken' && reply.status === 401)) answered += 1;
      else failures.push(`${name}: ${reply.status} ${reply.text.slice(0, 150)}`);
      if (reply.ms > 10_000) failures.push(`${name}: took ${Math.round(reply.ms)} ms`);
      await sleep(25);
    }
  });
  const troubles: readonly ((ms: number) => Promise<void>)[] = [
    async (ms) => {
      await means.postgres?.stopImmediately();
      await sleep(ms);
      await means.postgres?.start();
    },
    async (ms) => {
      means.postgres?.signal('SIGSTOP');
      await sleep(ms);
      means.postgres?.signal('SIGCONT');
    },
  ];
  const times = means.short ? 2 : 20;
  const recoveries: number[] = [];
  for (let time = 0; time < times; time += 1) {
    traffic.start();
    await sleep(300);
    await troubles[time % 2]?.(means.short ? 2500 + (time % 2) * 3500 : 5000 + (time % 5) * 5000);
    const back = performance.now();
    while ((await identity.login(server, credentialsOf(person(world, 1)))).status !== 200) {
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
  // What needs no database may have answered all the time; what writes cannot have.
  for (const name of ['login at identity', 'identity refresh', 'identity register', 'tinyoauth register'])
    if (!away.has(name)) failures.push(`${name}: no client noticed the outage`);
  const refused = [...away.values()].reduce((sum, count) => sum + count, 0);
  return {
    figures: `${times} outages, ${traffic.figures.acknowledged} acknowledged, ${answered} right answers and ${refused} × 503 to ${Object.keys(probes).length} kinds of probe, each in its own words; slowest ${Math.round(slowest)} ms, back in ${worst(recoveries)} ms at most`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}

async function redisAway(means: Means): Promise<Verdict> {
  const world = await buildWorld({ databaseUrl: await means.postgres?.database(), env: redisEnv(means) });
  means.after(() => world.place.close());
  means.after(() => means.redis?.signal('SIGCONT'));
  const server = await startChild(world.place);
  means.after(() => server.end());
  const traffic = await openApiSessionTraffic(world, { workers: 6 });
  traffic.start();
  await sleep(400);
  for (let time = 0; time < (means.short ? 1 : 20); time += 1) {
    await means.redis?.kill();
    await sleep(700);
    await means.redis?.start();
    await sleep(700);
    means.redis?.signal('SIGSTOP');
    await sleep(means.short ? 1500 : 10_000);
    means.redis?.signal('SIGCONT');
    await sleep(500);
  }
  await traffic.stop();
  const failures = await traffic.verify();
  const { acknowledged, cut, signIns, slowest } = traffic.figures;
  if (cut > 0) failures.push(`${cut} requests got no answer`);
  return {
    figures: `${acknowledged} requests (${signIns} sign-ins) while Redis was killed and hung, ${traffic.wrong.length + cut} failed, slowest ${Math.round(slowest)} ms`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}
