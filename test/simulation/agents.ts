/**
 * Programs that share one stored refresh token, as instances of a coding agent on one machine do. Each knows nothing of
 * the others but the store. A request takes up to five seconds; one answer in twenty is lost, and its program tries
 * again within ten seconds. The clock is a fake one, the token endpoint is the real one.
 */
import { createRandom } from './random.ts';
import { createTimeline } from './timeline.ts';

export interface Answer {
  readonly status: number;
  readonly refreshToken?: string | undefined;
  /** Seconds. */
  readonly expiresIn?: number | undefined;
}

export interface Simulated {
  readonly seed: number;
  readonly hours: number;
  readonly processes: number;
  /**
   * Seconds. The age of a process's copy of the store. 0: it reads the store immediately before it sends, and refreshes
   * whenever it wakes. Otherwise it refreshes when the access token of its copy has expired.
   */
  readonly stale: number;
  /** The hour at which all processes refresh at once. */
  readonly burstAt?: number;
  /** The hour at which a thief uses a token two generations back. */
  readonly thiefAt?: number;
  /** A forced sign-in ends the run. */
  readonly untilForced?: true;
  readonly first: string;
  readonly refresh: (value: string) => Promise<Answer>;
  /** Milliseconds since the beginning. */
  readonly setClock: (at: number) => void;
}

export interface Result {
  /** Requests that reached the server. */
  readonly requests: number;
  readonly lost: number;
  /** Requests that got a replacement again. */
  readonly repeats: number;
  /** Every token of the family, in the order of generations. */
  readonly generations: readonly string[];
  /** Refused programs: each has to ask its person to sign in. */
  readonly forced: number;
  /** Seconds. The longest time after which a replaced token was used again. */
  readonly longest: number;
  readonly thief: Answer | undefined;
}

interface Copy {
  readonly value: string;
  /** Milliseconds. */
  readonly expiresAt: number;
  readonly at: number;
}

const second = 1000;
const hour = 3600 * second;
const longestRequest = 5 * second;
const longestRetry = 10 * second;
const leastGap = 10 * second;
const answersPerLoss = 20;

export async function simulate(simulated: Simulated): Promise<Result> {
  const { seed, hours, processes, stale, refresh } = simulated;
  const random = createRandom(seed);
  const timeline = createTimeline(simulated.setClock);
  /** What the store has held, the newest last. */
  const store: [Copy, ...Copy[]] = [{ value: simulated.first, expiresAt: 0, at: 0 }];
  /** What each process got in its own last answer. */
  const own: Copy[] = Array.from({ length: processes }, () => store[0]);
  const busy = new Set<number>();
  const generations = [simulated.first];
  /** When each token was replaced, in whole seconds as the server counts. */
  const replaced = new Map<string, number>();
  let [requests, answers, lost, losing, repeats, forced, longest] = [0, 0, 0, 0, 0, 0, 0];
  let thief: Answer | undefined;

  function isLost(): boolean {
    const at = answers % answersPerLoss;
    if (at === 0) losing = random.below(answersPerLoss);
    answers += 1;
    if (at !== losing) return false;
    lost += 1;
    return true;
  }

  /** What the server did with the token, as this side can tell. */
  function follow(value: string, answer: Answer): void {
    const now = Math.floor(timeline.now() / second);
    const { refreshToken } = answer;
    if (refreshToken === undefined) return;
    const before = replaced.get(value);
    if (before === undefined) {
      replaced.set(value, now);
      generations.push(refreshToken);
    } else {
      repeats += 1;
      longest = Math.max(longest, now - before);
    }
  }

  /** What was in the store, by the age of a copy, or what this process got since. No pause lies before the request. */
  function copyOf(process: number): Copy {
    const read = store.findLast(({ at }) => at <= timeline.now() - stale * second) ?? store[0];
    const mine = own[process] ?? read;
    return mine.at > read.at ? mine : read;
  }

  function send(process: number, onTheWay = random.between(0, longestRequest)): void {
    const { value } = copyOf(process);
    const back = random.between(0, longestRequest - onTheWay);
    timeline.plan(timeline.now() + onTheWay, async () => {
      requests += 1;
      const sent = refresh(value);
      // Drawn before the answer, since several may be under way.
      const [lose, pause] = [isLost(), random.between(0, longestRetry)];
      const answer = await sent;
      follow(value, answer);
      const arrives = timeline.now() + back;
      if (lose) timeline.plan(arrives + pause, () => send(process));
      else timeline.plan(arrives, () => take(process, value, answer));
    });
  }

  /** The store keeps the newer value: one that was made from the value in the store. */
  function take(process: number, from: string, { refreshToken, expiresIn = 0 }: Answer): void {
    busy.delete(process);
    if (refreshToken === undefined) {
      forced += 1;
      return;
    }
    const at = timeline.now();
    const copy = { value: refreshToken, expiresAt: at + expiresIn * second, at };
    own[process] = copy;
    if (store.at(-1)?.value === from) store.push(copy);
  }

  function wake(process: number, onTheWay?: number): void {
    if (stale > 0 && copyOf(process).expiresAt > timeline.now()) return;
    busy.add(process);
    send(process, onTheWay);
  }

  /** Any program that is not in the middle of a request. */
  function wakeAny(): void {
    const idle = own.map((_, process) => process).filter((process) => !busy.has(process));
    const process = idle[random.below(idle.length)];
    if (process !== undefined) wake(process);
  }

  const burst = (simulated.burstAt ?? -1) * hour;
  for (let at = leastGap; at < hours * hour; at += gap()) {
    // Around the burst, all are idle before, and the next refresh begins ten seconds later.
    if (burst > 0 && at > burst - 6 * leastGap && at < burst + leastGap) at = burst + leastGap;
    timeline.plan(at, wakeAny);
  }
  function gap(): number {
    // With a stale copy, some programs sleep almost as long as their copy is old.
    const longestGap = stale > 0 ? Math.max(2 * leastGap, (stale * second) / 2) : 250 * second;
    return random.below(3) === 0 ? leastGap : random.between(leastGap, longestGap);
  }
  if (burst > 0) {
    timeline.plan(burst, () => {
      for (let process = 0; process < processes; process += 1) wake(process, second);
    });
  }

  if (simulated.thiefAt !== undefined) {
    timeline.plan(simulated.thiefAt * hour, async () => {
      const stolen = generations.at(-3);
      if (stolen !== undefined) thief = await refresh(stolen);
    });
  }

  await timeline.run(() => simulated.untilForced === true && forced > 0);
  return { requests, lost, repeats, generations, forced, longest, thief };
}
