/**
 * Mixed traffic with a memory. Each virtual client is one chain of requests, and remembers every token that came in a
 * whole 200: what was acknowledged. A request that was cut off may or may not have happened; what was acknowledged
 * before it must work.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../support/agent.ts';
import { childAdminKey } from '../support/child-server.ts';
import {
  anotherCode,
  ask,
  introspect,
  machineToken,
  type Reply,
  redeem,
  refresh,
  signIn,
  userinfo,
  type World,
} from './world.ts';

interface Family {
  readonly agent: Agent;
  refresh: string;
  access: string;
  /** The last refresh got no answer: it may have happened. */
  cut: boolean;
}

export interface TrafficOptions {
  readonly workers: number;
  /** 503 with Retry-After is an answer like another. */
  readonly mayBeAway?: boolean;
}

/** Virtual clients that can be started and stopped, and know what they were promised. */
export interface Traffic {
  /** What no fault excuses. */
  readonly wrong: string[];
  readonly figures: { acknowledged: number; cut: number; away: number; slowest: number; signIns: number };
  start(): void;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
  /** Whether everything acknowledged is still so. Returns what is not. */
  verify(): Promise<string[]>;
}

const familiesOf = 3;

export function createTraffic(world: World, options: TrafficOptions): Traffic {
  const server = world.place;
  let running = false;
  let work: Promise<unknown> = Promise.resolve();
  const families: Family[] = [];
  const opaque: string[] = [];
  const registered: string[] = [];
  const wrong: string[] = [];
  const figures = { acknowledged: 0, cut: 0, away: 0, slowest: 0, signIns: 0 };

  /** Whether it was acknowledged. */
  function note(what: string, reply: Reply): boolean {
    figures.slowest = Math.max(figures.slowest, reply.ms);
    if (reply.status === 200) figures.acknowledged += 1;
    else if (reply.status === 0) figures.cut += 1;
    else if (reply.status === 503 && options.mayBeAway && reply.headers.has('retry-after')) figures.away += 1;
    else wrong.push(`${what}: ${reply.status} ${reply.text.slice(0, 200)}`);
    return reply.status === 200;
  }

  async function begin(own: Family[], index: number): Promise<void> {
    const person = world.people[index % world.people.length];
    if (!person) return;
    let signedIn: Awaited<ReturnType<typeof signIn>>;
    try {
      signedIn = await signIn(server, person, world.reader);
    } catch (error) {
      // A login is several pages: one that was cut off is begun again by the person.
      if (/no code in (?!503)/.test(String(error)))
        wrong.push(
          `login: ${String(error)
            .replace(/<[^>]*>|\s+/g, ' ')
            .slice(0, 300)}`,
        );
      else if (String(error).includes('no code in 503')) figures.away += 1;
      else figures.cut += 1;
      return;
    }
    figures.signIns += 1;
    const reply = await redeem(server, world.reader, signedIn.grant);
    if (!note('code', reply)) return;
    const family = {
      agent: signedIn.agent,
      refresh: String(reply.body.refresh_token),
      access: String(reply.body.access_token),
      cut: false,
    };
    own.push(family);
    families.push(family);
    if (own.length > familiesOf) families.splice(families.indexOf(own.shift() as Family), 1);
  }

  async function turn(family: Family): Promise<void> {
    const reply = await refresh(server, world.reader, family.refresh);
    const acknowledged = note('refresh', reply);
    family.cut = !acknowledged;
    if (!acknowledged) return;
    family.refresh = String(reply.body.refresh_token);
    family.access = String(reply.body.access_token);
  }

  async function worker(index: number, own: Family[]): Promise<void> {
    for (let round = index; running; round += 1) {
      const family = own[round % familiesOf];
      if (!family || round % 8 === 0) await begin(own, index + round * options.workers);
      else if (round % 8 === 3) {
        const reply = await machineToken(server, world, false);
        if (note('client_credentials', reply)) opaque.push(String(reply.body.access_token));
      } else if (round % 16 === 5) await register();
      else await turn(family);
      // Where no server answers, asking at once again would only take the processor from the one that comes back.
      if (family?.cut) await sleep(10);
    }
  }

  async function register(): Promise<void> {
    const response = await ask(`${server.url}/clients/register`, {
      headers: { 'x-admin-key': childAdminKey, 'content-type': 'application/json' },
      json: { app_name: 'App', contact_email: 'a@example.org', redirect_url: 'https://app.example.com/cb' },
    });
    if (note('register', response)) registered.push(String(response.body.client_id));
  }

  const owned = Array.from({ length: options.workers }, (): Family[] => []);

  return {
    wrong,
    figures,
    start() {
      running = true;
      work = Promise.all(owned.map((own, index) => worker(index, own)));
    },
    async stop() {
      running = false;
      await work;
    },

    async verify(): Promise<string[]> {
      const lost: string[] = [];
      await Promise.all(
        families.map(async (family, index) => {
          const { access, refresh: last, cut } = family;
          if ((await userinfo(server, access)).status !== 200) lost.push('an acknowledged access token is not known');
          const reply = await refresh(server, world.reader, last);
          if (reply.status !== 200) {
            lost.push(
              `an acknowledged refresh token is refused${cut ? ' (the request after it was cut off)' : ''}: ${reply.text}`,
            );
            return;
          }
          if (cut || index % 3 === 0) {
            // Within the reuse window the same token leads to the same successor: there is one family.
            const again = await refresh(server, world.reader, last);
            if (again.body.refresh_token !== reply.body.refresh_token)
              lost.push(`two families from one token: ${again.text}`);
          }
          family.refresh = String(reply.body.refresh_token);
          family.access = String(reply.body.access_token);
          family.cut = false;
          if (index % 4 === 0) {
            const { answer } = await anotherCode(family.agent, world.reader);
            if (!answer.location?.includes('code='))
              lost.push(`a session or consent is gone: ${answer.status} ${answer.location}`);
          }
        }),
      );
      for (const token of opaque.splice(0).slice(-10)) {
        const reply = await introspect(server, world, token);
        if (reply.body.active !== true) lost.push(`an acknowledged client token is not known: ${reply.text}`);
      }
      for (const id of registered.splice(0).slice(-5)) {
        const page = await ask(
          `${server.url}/oauth/authorize?client_id=${id}&response_type=code&scope=user&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`,
        );
        if (page.status !== 303) lost.push(`an acknowledged client is not known: ${page.status}`);
      }
      return lost;
    },
  };
}
