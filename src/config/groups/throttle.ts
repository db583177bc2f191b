import { seconds, wholeNumber } from '../kinds.ts';
import { DAY, setting } from '../setting.ts';

export const throttle = {
  THROTTLE_ACCOUNT_LIMIT: setting(wholeNumber(1, 100), 10, {
    sentence: 'The number of failed sign-ins to one account within the window, after which further attempts must wait.',
    example: '5',
  }),
  THROTTLE_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 100, {
    sentence:
      'The number of failed sign-ins from one address within the window, after which further attempts must wait. Wrong admin keys, wrong codes of devices, and wrong credentials of each client are counted separately against the same limit.',
    example: '300',
  }),
  THROTTLE_WINDOW: setting(seconds(1, DAY), 900, {
    sentence: 'How long a failed sign-in, a wrong admin key or a wrong credential of a client counts.',
    example: '600',
  }),
} as const;
