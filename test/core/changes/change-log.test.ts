/** How old a copy may be that this process serves: at most a second behind the log of changes (security.md X7). */
import { afterEach, expect, jest, test } from '@jest/globals';
import { createChangeLog } from '../../../src/core/changes/change-log.ts';
import { createLocalChannel } from '../../../src/storage/local/channel.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

test('a look counts from its beginning, however long the database takes to answer', async () => {
  let now = 10_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const log = createChangeLog({
    channel: createLocalChannel(),
    changes: {
      // Read at once, and answered 900 ms later: what was written in between is not in it.
      async latest() {
        now += 900;
        return 0;
      },
      since: async () => [],
    },
  });
  await log.check();
  now = 10_999;
  expect(log.recent()).toBeUndefined();
  now = 11_000;
  const looked = log.recent();
  expect(looked).toBeInstanceOf(Promise);
  await looked;
  expect(log.recent()).toBeUndefined();
});
