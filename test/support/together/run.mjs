// One after the other, the suites of a group: the modules that they share are loaded once.
import { afterAll, describe, jest, test } from '@jest/globals';

/** Each in a block of its own, so that its hooks run for its own tests only. */
export async function runTogether(paths) {
  const state = globalThis.jestState;
  for (const path of paths) {
    let block;
    describe(path, () => {
      block = state.currentDescribeBlock;
    });
    state.currentDescribeBlock = block;
    try {
      await import(`../../../${path}`);
      afterAll(() => jest.useRealTimers());
    } catch (error) {
      test('can be loaded', () => {
        throw error;
      });
    } finally {
      state.currentDescribeBlock = block.parent;
    }
  }
}
