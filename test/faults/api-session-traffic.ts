/**
 * Traffic at the doors of the API surfaces, with a memory like traffic.ts: what came in a whole 200 was promised. A
 * token that was handed out holds, an account that was made signs in, and a session that was ended stays ended.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Credentials,
  credentialsOf,
  type Door,
  doors,
  identity,
  securityService,
  spaceGuard,
  tinyoauth,
} from './doors.ts';
import type { Traffic, TrafficOptions } from './traffic.ts';
import type { Reply, World } from './world.ts';

interface Family {
  refresh: string;
  jwt: string;
  /** The last refresh got no answer: it may have happened. */
  cut: boolean;
}

interface Chain {
  readonly families: Family[];
  readonly tokens: { readonly door: Door; readonly token: string }[];
  readonly programs: { readonly access: string; readonly refresh: string }[];
}

const kept = 3;

/** Traffic of this kind, with a client token of its own. */
export async function openApiSessionTraffic(world: World, options: TrafficOptions): Promise<Traffic> {
  return createApiSessionTraffic(world, await issueClientToken(world), options);
}

export async function issueClientToken({ place, machine }: World): Promise<string> {
  return place.within(async ({ clients }) => {
    const issued = await clients.issueToken(machine.id, { label: 'traffic', lifetime: null });
    if (issued.outcome !== 'issued') throw new Error(`no client token: ${issued.outcome}`);
    return issued.value;
  });
}

function createApiSessionTraffic(world: World, clientToken: string, options: TrafficOptions): Traffic {
  const server = world.place;
  let running = false;
  let work: Promise<unknown> = Promise.resolve();
  const wrong: string[] = [];
  const figures = { acknowledged: 0, cut: 0, away: 0, slowest: 0, signIns: 0 };
  const chains: Chain[] = Array.from({ length: options.workers }, () => ({ families: [], tokens: [], programs: [] }));
  let made: Credentials[] = [];
  let ended: Family[] = [];

  /** Whether it was acknowledged. */
  function note(what: string, reply: Reply, refuses: (reply: Reply) => boolean): boolean {
    figures.slowest = Math.max(figures.slowest, reply.ms);
    if (reply.status === 200) figures.acknowledged += 1;
    else if (reply.status === 0) figures.cut += 1;
    else if (reply.status === 503 && options.mayBeAway && reply.headers.has('retry-after') && refuses(reply))
      figures.away += 1;
    else wrong.push(`${what}: ${reply.status} ${reply.text.slice(0, 200)}`);
    return reply.status === 200;
  }

  function keep<T>(list: T[], one: T): void {
    list.push(one);
    if (list.length > kept) list.shift();
  }

  async function begin(chain: Chain, who: Credentials, door: Door): Promise<void> {
    const reply = await door.login(server, who);
    if (!note(`login at ${door.name}`, reply, door.refuses)) return;
    if (door.tokenIn(reply).length < 20) wrong.push(`login at ${door.name}: ${reply.text}`);
    figures.signIns += 1;
    if (door.name !== 'identity') return keep(chain.tokens, { door, token: door.tokenIn(reply) });
    keep(chain.families, { refresh: identity.refreshTokenIn(reply), jwt: identity.tokenIn(reply), cut: false });
  }

  async function refresh(family: Family): Promise<void> {
    const reply = await identity.refresh(server, family.refresh);
    const acknowledged = note('refresh', reply, identity.refuses);
    family.cut = !acknowledged;
    if (!acknowledged) return;
    family.refresh = identity.refreshTokenIn(reply);
    family.jwt = identity.tokenIn(reply);
  }

  async function register(): Promise<void> {
    const who = credentialsOf({ username: `new-${randomUUID()}` });
    const door = made.length % 2 === 0 ? identity : tinyoauth;
    if (note(`register at ${door.name}`, await door.register(server, who), door.refuses)) made.push(who);
  }

  async function end({ families }: Chain): Promise<void> {
    const family = families.shift();
    if (family === undefined || family.cut) return;
    if (note('logout', await identity.logout(server, family.refresh), identity.refuses)) ended.push(family);
  }

  async function program({ programs }: Chain): Promise<void> {
    const reply = await spaceGuard.begin(server, clientToken);
    if (!note('register-client', reply, spaceGuard.refuses)) return;
    const { jwtAccessToken = '', jwtRefreshToken = '' } = spaceGuard.tokensIn(reply);
    keep(programs, { access: jwtAccessToken, refresh: jwtRefreshToken });
  }

  /** What is acknowledged is looked at while it is in use, too. */
  async function look({ families, tokens, programs }: Chain, round: number): Promise<void> {
    const family = families[round % kept];
    const other = tokens[round % kept];
    const own = programs[round % kept];
    if (family) note('verify', await identity.verify(server, family.jwt), identity.refuses);
    if (other) note(`verify at ${other.door.name}`, await other.door.verify(server, other.token), other.door.refuses);
    if (own) note('pair at the gateway', await spaceGuard.verify(server, clientToken, own.access), spaceGuard.refuses);
  }

  async function worker(index: number, chain: Chain): Promise<void> {
    for (let round = index; running; round += 1) {
      const before = figures.cut;
      const family = chain.families[round % kept];
      const person = world.people[(index + round * options.workers) % world.people.length];
      if (person && (!family || round % 8 === 0)) await begin(chain, credentialsOf(person), identity);
      else if (person && round % 8 === 2)
        await begin(chain, credentialsOf(person), round % 16 === 2 ? tinyoauth : securityService);
      else if (round % 16 === 5) await register();
      else if (round % 16 === 7) await end(chain);
      else if (round % 16 === 11) await program(chain);
      else if (round % 4 === 3) await look(chain, round);
      else if (family) await refresh(family);
      // Where no server answers, asking at once again would only take the processor from the one that comes back.
      if (figures.cut > before) await sleep(10);
    }
  }

  async function verifyFamily(family: Family, lost: string[]): Promise<void> {
    const { refresh: last, jwt, cut } = family;
    if ((await identity.verify(server, jwt)).status !== 200) lost.push('an acknowledged JWT does not hold');
    const reply = await identity.refresh(server, last);
    if (reply.status !== 200) {
      lost.push(
        `an acknowledged refresh token is refused${cut ? ' (the request after it was cut off)' : ''}: ${reply.text}`,
      );
      return;
    }
    const successor = identity.refreshTokenIn(reply);
    // Within the reuse window the same token leads to the same successor: there is one family.
    if (identity.refreshTokenIn(await identity.refresh(server, last)) !== successor)
      lost.push('two families from one token');
    Object.assign(family, { refresh: successor, jwt: identity.tokenIn(reply), cut: false });
  }

  return {
    wrong,
    figures,
    start() {
      running = true;
      work = Promise.all(chains.map((chain, index) => worker(index, chain)));
    },
    async stop() {
      running = false;
      await work;
    },

    async verify() {
      const lost: string[] = [];
      await Promise.all(
        chains.map(async ({ families, tokens, programs }) => {
          for (const family of families) await verifyFamily(family, lost);
          for (const { door, token } of tokens)
            if ((await door.verify(server, token)).status !== 200)
              lost.push(`an acknowledged token of ${door.name} does not hold`);
          for (const { access, refresh: long } of programs) {
            if ((await spaceGuard.verify(server, clientToken, access)).status !== 200)
              lost.push('an acknowledged pair does not hold');
            if ((await spaceGuard.refresh(server, clientToken, long)).status !== 200)
              lost.push('an acknowledged refresh token of a program is refused');
          }
        }),
      );
      for (const who of made.slice(-5))
        for (const door of doors) {
          const reply = await door.login(server, who);
          if (reply.status !== 200 || door.tokenIn(reply).length < 20)
            lost.push(`an acknowledged account does not sign in at ${door.name}: ${reply.status} ${reply.text}`);
        }
      for (const { refresh: last, jwt } of ended.slice(-10)) {
        if ((await identity.refresh(server, last)).status === 200) lost.push('an ended session is refreshed');
        if ((await identity.verify(server, jwt)).status === 200) lost.push('a JWT of an ended session holds');
      }
      made = [];
      ended = [];
      return lost;
    },
  };
}
