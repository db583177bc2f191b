/** The figures for operators: how long replaced tokens must be forgiven, by how long programs keep a stale copy. */
import type { TestServer } from '../support/server.ts';
import { type ReuseRule, runFamily } from './family.ts';

export const seed = 12;
export const day = { seed, hours: 24, processes: 5 } as const;
/** Each program reads the store just before it sends; all five refresh at once at noon. */
export const sharedStore = { ...day, stale: 0, burstAt: 12 } as const;
/** A thief has copied the store, and comes two generations later. */
export const robbery = { ...day, hours: 4, stale: 0, thiefAt: 3, untilForced: true } as const;
export const staleMinutes = [1, 5, 15] as const;

/** The longest window that a client can have; beyond it is only `until-used`. */
const longestWindow = 900;
const untilUsed: ReuseRule = { refresh_reuse: 'until-used' };

export interface Figure {
  readonly minutes: number;
  /** Seconds. The smallest window without a forced sign-in. */
  readonly window: number;
  readonly rule: string;
}

/** Measured without a limit, then proved: this window forces no sign-in, and one second less forces one. */
export async function figureFor(server: TestServer, minutes: number, setClock: (now: number) => void): Promise<Figure> {
  const plan = { ...day, stale: minutes * 60, untilForced: true } as const;
  const free = await runFamily(server, untilUsed, plan, setClock);
  if (free.forced > 0) throw new Error(`${minutes} minutes: a sign-in is forced whatever the window is`);
  const window = free.longest + 1;
  const short = Math.min(window - 1, longestWindow);
  const tooShort = await runFamily(server, windowOf(short), plan, setClock);
  if (tooShort.forced === 0) throw new Error(`${minutes} minutes: no sign-in is forced within ${short} seconds`);
  if (window > longestWindow) return { minutes, window, rule: 'until-used' };
  const enough = await runFamily(server, windowOf(window), plan, setClock);
  if (enough.forced > 0) throw new Error(`${minutes} minutes: a sign-in is forced within ${window} seconds`);
  return { minutes, window, rule: 'window' };
}

const windowOf = (seconds: number): ReuseRule => ({ refresh_reuse: 'window', refresh_reuse_seconds: seconds });

/** A row of the table in docs/refresh-tokens.md. */
export function rowOf({ minutes, window, rule }: Figure): string {
  const kept = minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return `| ${kept} | ${window} s | \`${rule}\` |`;
}
