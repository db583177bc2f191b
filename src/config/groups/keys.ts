import { seconds, wholeNumber } from '../kinds.ts';
import { setting } from '../setting.ts';

export const keys = {
  JWKS_MAX_AGE: setting(seconds(10, 43_200), 3600, {
    sentence: 'How long clients may cache the published keys. A new key is published that long before it signs.',
    example: '600',
  }),
  KEY_ROTATION_DAYS: setting(wholeNumber(0, 3650, 'days'), 90, {
    sentence: 'How often the server rotates its signing keys. 0: only by command.',
    example: '30',
  }),
} as const;
