/** Numbers that follow from a seed (mulberry32): a run with the same seed is the same run. */
export interface Random {
  /** At least `from`, less than `to`. */
  between(from: number, to: number): number;
  /** A whole number of at least 0, less than `count`. */
  below(count: number): number;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { between: (from, to) => from + next() * (to - from), below: (count) => Math.floor(next() * count) };
}
