/**
 * Recovery codes: for the day the phone is lost. Written down by hand and typed back, so the alphabet is Crockford's base32,
 * which leaves out the letters that are read as others, and takes them for what they look like.
 */
import { randomBytes } from 'node:crypto';
import type { RecoveryCodeMethod } from '../../core/factors/one-time-codes.ts';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** Five bits each. */
const letters = 16;

export const recoveryCode: RecoveryCodeMethod = {
  make: (count) => Array.from({ length: count }, () => (one().match(/.{4}/g) ?? []).join('-')),

  read(typed) {
    if (typed.length > 64) return undefined;
    const code = typed
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s\p{Pd}]/gu, '')
      .replaceAll('o', '0')
      .replace(/[il]/g, '1');
    return code.length === letters && Array.from(code).every((letter) => alphabet.includes(letter)) ? code : undefined;
  },
};

function one(): string {
  // 256 is a multiple of 32: every letter is as likely as every other.
  return Array.from(randomBytes(letters), (byte) => alphabet[byte & 31]).join('');
}
