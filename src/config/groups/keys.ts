import { seconds, wholeNumber } from '../kinds.ts';
import { setting } from '../setting.ts';

export const keys = {
  JWKS_MAX_AGE: setting(seconds(10, 43_200), 3600, {
    sentence: 'How long others may keep the published keys; a new key is published that long before it signs.',
    example: '600',
  }),
  KEY_ROTATION_DAYS: setting(wholeNumber(0, 3650, 'days'), 90, {
    sentence: 'How often signing keys are replaced by themselves; 0: only by command.',
    example: '30',
  }),
} as const;
