/** Events in the order of their time, on a clock that jumps from one to the next. Events of one moment run at once. */
type Work = () => Promise<void> | void;

export interface Timeline {
  /** `at`: milliseconds since the beginning. */
  plan(at: number, work: Work): void;
  /** Until no event is left or `stop` returns true. */
  run(stop: () => boolean): Promise<void>;
  now(): number;
}

/** `setClock` gets milliseconds since the beginning. */
export function createTimeline(setClock: (at: number) => void): Timeline {
  const events: { readonly at: number; readonly work: Work }[] = [];
  let now = 0;
  return {
    plan(at, work) {
      const whole = Math.round(at);
      let index = events.length;
      while (index > 0 && (events[index - 1]?.at ?? 0) > whole) index -= 1;
      events.splice(index, 0, { at: whole, work });
    },
    async run(stop) {
      while (events.length > 0 && !stop()) {
        now = events[0]?.at ?? now;
        setClock(now);
        const together = events.findIndex(({ at }) => at > now);
        const due = events.splice(0, together === -1 ? events.length : together);
        await Promise.all(due.map(({ work }) => work()));
      }
    },
    now: () => now,
  };
}
