/** Codes that are sent by e-mail: read in one window and typed in another, so digits only. */
import { randomInt } from 'node:crypto';
import { digitsTyped, type EmailCodeMethod } from '../../core/factors/one-time-codes.ts';

const digits = 8;

export const emailCode: EmailCodeMethod = {
  make: () => String(randomInt(10 ** digits)).padStart(digits, '0'),

  read(typed) {
    if (typed.length > 32) return undefined;
    const code = digitsTyped(typed);
    return /^[0-9]{8}$/.test(code) ? code : undefined;
  },
};
