/**
 * Recovery codes, for a lost device. People write them down and type them back, so the alphabet is Crockford's base32,
 * which avoids ambiguous letters and accepts their look-alikes.
 */
import { randomBytes } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import type { CodeMethod } from '../../core/factors/code-method.ts';
import { wasLately } from '../../core/factors/factor-row.ts';
import { codesLeft, type RecoveryCodeFormat, recoveryCodeHash } from '../../core/factors/recovery-codes.ts';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** Five bits each. */
const letters = 16;

export const recoveryCodeFormat: RecoveryCodeFormat = {
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

export const recoveryCode: CodeMethod = {
  kind: 'recovery-code',
  name: 'recovery codes',
  // A recovery code is also a one-time password.
  amr: ['otp'],
  wire: { code: 'recovery_code' },
  guessable: false,
  read: recoveryCodeFormat.read,

  open({ store, audit, forgive }) {
    return {
      isOpen: (_subject, rows) => codesLeft(rows) > 0,

      async verify(subject, code, fields) {
        const hash = recoveryCodeHash(subject, code);
        const used = await store.useCode(subject, hash, nowSeconds());
        const rows = await store.list(subject);
        const spent = rows.find(({ secret }) => secret === hash);
        if (!used)
          return spent ? { outcome: 'wrong', why: 'used', ...wasLately(spent) } : { outcome: 'wrong', why: 'wrong' };
        await forgive(subject, rows);
        await audit.record('recovery_code.used', {
          ...fields,
          subject,
          detail: { ...fields.detail, left: codesLeft(rows) },
        });
        return { outcome: 'right' };
      },
    };
  },
};

function one(): string {
  // 256 is a multiple of 32, so every letter is equally likely.
  return Array.from(randomBytes(letters), (byte) => alphabet[byte & 31]).join('');
}
