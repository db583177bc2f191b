/** The clock of a test. Nothing but `Date` is touched: timers, sockets and the event loop go on as they are. */
import { jest } from '@jest/globals';

/** From now on it is `now` (milliseconds); `runs`: and goes on from there, otherwise it stands. */
export function setClock(now: number, { runs }: { runs: boolean }): void {
  jest.useRealTimers();
  jest.useFakeTimers({
    now,
    advanceTimers: runs,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}
