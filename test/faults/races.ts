/** Everybody at once, over two servers on one Postgres (security.md X1, X2, X6, X7, X8). */
import { setTimeout as sleep } from 'node:timers/promises';
import { childAdminKey, startChild } from '../support/child-server.ts';
import { freePort } from '../support/free-port.ts';
import { counted, type Means, type Scenario, worst } from './scenario.ts';
import {
  anotherCode,
  ask,
  buildWorld,
  machineToken,
  type Reply,
  redeem,
  refresh,
  signIn,
  signOut,
  tokensOf,
  userinfo,
  type World,
} from './world.ts';

export const races: readonly Scenario[] = [
  {
    name: 'one-code',
    needs: ['postgres'],
    async run(means) {
      const [codes, tries] = means.short ? [6, 100] : [500, 200];
      const { world, nodes } = await twoNodes(means);
      const failures: string[] = [];
      const { agent } = await signIn(nodes[0], person(world, 0), world.reader);
      let refused = 0;
      for (let i = 0; i < codes; i += 1) {
        const grant = (await anotherCode(agent, world.reader)).grant();
        const replies = await together(tries, (n) => redeem(at(nodes, n), world.reader, grant));
        const won = replies.filter(({ status }) => status === 200);
        refused += replies.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant').length;
        if (won.length !== 1) failures.push(`${won.length} redemptions of one code succeeded`);
        for (const { body } of won) {
          // The others were replays: what the first one got has ended (RFC 6749, section 4.1.2).
          if ((await refresh(nodes[0], world.reader, String(body.refresh_token))).status === 200)
            failures.push('the refresh token of a replayed code works');
          if ((await userinfo(nodes[1], String(body.access_token))).status === 200)
            failures.push('the access token of a replayed code works');
        }
      }
      if (refused !== codes * (tries - 1))
        failures.push(`${codes * (tries - 1) - refused} losers got something else than invalid_grant`);
      return {
        figures: `${codes} codes × ${tries} redemptions over 2 nodes, ${refused} invalid_grant`,
        failures: counted(failures),
      };
    },
  },
  {
    name: 'one-refresh-token',
    needs: ['postgres'],
    async run(means) {
      const [times, tries] = means.short ? [6, 50] : [1000, 50];
      const { world, nodes } = await twoNodes(means);
      const strict = await startChild(world.place, { port: await freePort(), env: { REFRESH_REUSE_WINDOW: '0' } });
      means.after(() => strict.end());
      const failures: string[] = [];
      for (let i = 0; i < times; i += 1) {
        const family = await tokensOf(nodes[0], person(world, i), world.reader);
        const forgiving = await together(tries, (n) => refresh(at(nodes, n), world.reader, family.refresh));
        const successors = new Set(forgiving.map(({ body }) => body.refresh_token));
        if (forgiving.some(({ status }) => status !== 200) || successors.size !== 1)
          failures.push(`within the reuse window: statuses ${statuses(forgiving)}, ${successors.size} successors`);
        const next = String([...successors][0]);
        const once = await together(tries, () => refresh(strict, world.reader, next));
        if (
          once.filter(({ status }) => status === 200).length !== 1 ||
          once.some(({ status }) => status >= 500 || status === 0)
        )
          failures.push(`without a reuse window: statuses ${statuses(once)}`);
        const winner = once.find(({ status }) => status === 200);
        const after = await refresh(strict, world.reader, String(winner?.body.refresh_token));
        if (after.status === 200) failures.push('a replayed family goes on');
      }
      return {
        figures: `${times} tokens × ${tries} refreshes over 2 nodes: one successor each; as many without a reuse window: one success each`,
        failures: counted(failures),
      };
    },
  },
  {
    name: 'refresh-and-end',
    needs: ['postgres'],
    async run(means) {
      const times = means.short ? 24 : 5000;
      const { world, nodes } = await twoNodes(means, { people: 8, spare: Math.ceil(times / 3) });
      const failures: string[] = [];
      let raced = 0;
      await world.place.within(async ({ core, clients }) => {
        for (let i = 0; i < times; i += 1) {
          const kind = (['sign-out', 'client deleted', 'account disabled'] as const)[i % 3];
          const client = kind === 'client deleted' ? String(world.spare[Math.floor(i / 3)]) : world.reader;
          const owner = person(world, i);
          const family = await tokensOf(nodes[0], owner, client);
          const end = () => {
            if (kind === 'sign-out') return signOut(family.agent);
            if (kind === 'client deleted') return clients.remove(client);
            return core.accounts.disable(owner.subject);
          };
          const [replies] = await Promise.all([
            together(4, async (n) => {
              await sleep(Math.random() * 12);
              return refresh(at(nodes, n), client, family.refresh);
            }),
            end(),
          ]);
          raced += replies.filter(({ status }) => status === 200).length;
          if (replies.some(({ status }) => status >= 500 || status === 0))
            failures.push(`${kind}: statuses ${statuses(replies)}`);
          const access = [family.access, ...replies.map(({ body }) => body.access_token)].filter(
            (token) => token !== undefined,
          );
          const refreshes = [family.refresh, ...replies.map(({ body }) => body.refresh_token)].filter(
            (token) => token !== undefined,
          );
          for (const token of new Set(refreshes)) {
            const reply = await refresh(nodes[1], client, token);
            if (reply.status === 200) failures.push(`${kind}: a refresh token works afterwards`);
          }
          for (const token of access) {
            if ((await userinfo(nodes[1], token)).status === 200)
              failures.push(`${kind}: an access token works afterwards`);
          }
          if (kind === 'account disabled') await core.accounts.enable(owner.subject);
        }
      });
      return {
        figures: `${times} races, ${raced} refreshes were faster than the end, 0 usable tokens wanted`,
        failures: counted(failures),
      };
    },
  },
  {
    name: 'reload',
    needs: ['postgres', 'redis'],
    async run(means) {
      const { world, nodes } = await twoNodes(means, {}, redisEnv(means));
      const agents = await Promise.all(
        [0, 1, 2, 3].map(async (i) => (await signIn(nodes[0], person(world, i), world.reader)).agent),
      );
      const until = performance.now() + (means.short ? 3000 : 60_000);
      const failures: string[] = [];
      let answers = 0;
      let reloads = 0;
      const reload = async () => {
        while (performance.now() < until) {
          const reply = await ask(`${at(nodes, reloads).url}/internal/reload-clients`, {
            headers: { 'x-admin-key': childAdminKey },
            json: {},
          });
          if (reply.status !== 200) failures.push(`reload: ${reply.status} ${reply.text}`);
          reloads += 1;
          await sleep(100);
        }
      };
      const traffic = async (index: number) => {
        while (performance.now() < until) {
          const agent = agents[index % agents.length];
          if (!agent) return;
          const { answer } = await anotherCode(agent, world.reader);
          answers += 1;
          if (!answer.location?.includes('code='))
            failures.push(`authorize: ${answer.status} ${answer.location ?? answer.text.slice(0, 200)}`);
          const other = await machineToken(nodes[1], world);
          answers += 1;
          if (other.status !== 200) failures.push(`the other node: ${other.status} ${other.text}`);
        }
      };
      await Promise.all([reload(), ...Array.from({ length: 6 }, (_, index) => traffic(index))]);
      return { figures: `${reloads} reloads during ${answers} requests over 2 nodes`, failures: counted(failures) };
    },
  },
  {
    name: 'cold-client',
    needs: ['postgres'],
    async run(means) {
      const world = await buildWorld({ databaseUrl: await means.postgres?.database() });
      means.after(() => world.place.close());
      const server = await startChild(world.place);
      means.after(() => server.end());
      const before = await sqlLookUps(server);
      const replies = await together(500, () => machineToken(server, world));
      const lookUps = (await sqlLookUps(server)) - before;
      const failures = replies.some(({ status }) => status !== 200) ? [`statuses ${statuses(replies)}`] : [];
      if (lookUps < 1 || lookUps > 2) failures.push(`${lookUps} SQL look-ups of one client`);
      return {
        figures: `500 requests at once for a client that is in no cache: ${lookUps} SQL look-ups, slowest ${worst(replies.map(({ ms }) => ms))} ms`,
        failures,
      };
    },
  },
];

export const together = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

export const statuses = (replies: readonly Reply[]): string => {
  const counts = new Map<number, number>();
  for (const { status } of replies) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${status}×${count}`).join(' ');
};

export type Nodes = readonly [{ readonly url: string }, { readonly url: string }];
export const at = (nodes: Nodes, index: number) => nodes[index % 2 === 0 ? 0 : 1];

export function person(world: World, index: number) {
  const found = world.people[index % world.people.length];
  if (!found) throw new Error('there is no such person');
  return found;
}

export const redisEnv = ({ redis }: Means): Record<string, string> => (redis ? { REDIS_URL: redis.url } : {});

export async function twoNodes(
  means: Means,
  size: { people?: number; spare?: number } = {},
  env: Record<string, string> = {},
) {
  const world = await buildWorld({ databaseUrl: await means.postgres?.database(), env }, size);
  means.after(() => world.place.close());
  const first = await startChild(world.place);
  means.after(() => first.end());
  const second = await startChild(world.place, { port: await freePort() });
  means.after(() => second.end());
  const nodes: Nodes = [first, second];
  return { world, nodes };
}

async function sqlLookUps(server: { readonly url: string }): Promise<number> {
  const { text } = await ask(`${server.url}/metrics`, { headers: { authorization: `Bearer ${childAdminKey}` } });
  return Number(/client_lookups_total\{from="sql"\} (\d+)/.exec(text)?.[1] ?? 0);
}
