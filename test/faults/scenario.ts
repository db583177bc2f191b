/** What a scenario is given, and what it says at its end. */

import type { TestRedis } from '../support/redis-server.ts';
import type { OwnPostgres } from '../support/services.ts';

export interface Means {
  readonly short: boolean;
  readonly postgres: OwnPostgres | undefined;
  readonly redis: TestRedis | undefined;
  /** Runs when the scenario is over, last first. */
  after(undo: () => unknown): void;
}

export interface Verdict {
  /** One line of figures. */
  readonly figures: string;
  /** Empty: passed. */
  readonly failures: readonly string[];
}

export interface Scenario {
  readonly name: string;
  readonly needs?: readonly ('postgres' | 'redis')[];
  /** It mostly waits for limits of the server, and measures nothing shorter: those run side by side. */
  readonly waits?: boolean;
  run(means: Means): Promise<Verdict>;
}

export const worst = (values: readonly number[]): number => Math.round(Math.max(0, ...values));

export const median = (values: readonly number[]): number =>
  Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);

/** The same complaint once, with how often it came. */
export function counted(complaints: readonly string[]): string[] {
  const times = new Map<string, number>();
  for (const complaint of complaints) {
    const key = complaint.replace(/[A-Za-z0-9_-]{20,}/g, '…');
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  return [...times].map(([complaint, count]) => (count === 1 ? complaint : `${complaint} (×${count})`));
}
