/** Chance that can be had again: the same seed and number give the same choices (mulberry32). */
export interface Chance {
  /** 0 up to, but not including, `below`. */
  int(below: number): number;
  pick<T>(from: readonly T[]): T;
  /** True in `percent` of 100 cases. */
  percent(percent: number): boolean;
}

export function createChance(seed: number, number: number): Chance {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 4; i += 1) next();
  const int = (below: number) => Math.floor(next() * below);
  return {
    int,
    pick: (from) => from[int(from.length)] as (typeof from)[number],
    percent: (percent) => next() * 100 < percent,
  };
}
