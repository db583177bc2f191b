import { seconds, wholeNumber } from '../kinds.ts';
import { DAY, setting } from '../setting.ts';

export const throttle = {
  THROTTLE_ACCOUNT_LIMIT: setting(wholeNumber(1, 100), 10, {
    sentence: 'Failed sign-ins for one account within the window, after which it has to wait.',
    example: '5',
  }),
  THROTTLE_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 100, {
    sentence:
      'Failed sign-ins from one address within the window, after which it has to wait; the same of wrong admin keys, and of wrong credentials of one client, each counted by itself.',
    example: '300',
  }),
  THROTTLE_WINDOW: setting(seconds(1, DAY), 900, {
    sentence: 'How long a failed sign-in, a wrong admin key or a wrong credential of a client counts.',
    example: '600',
  }),
} as const;
