/**
 * One-time codes by e-mail, a second step that a person turns on. Weaker than an app or a passkey, because access to
 * the mailbox is enough, and often resets the password too.
 *
 * A code is sent only after the right password, to a confirmed address, at most once a minute and within limits of its
 * own; used codes are given back, so that the owner can always sign in. It lives ten minutes and works once; the fifth
 * wrong guess ends it. The stored hash is keyed, because eight digits would not withstand a search with a copy of the
 * database, and includes the address, so that a code ends when the address changes.
 */
import { createHmac, randomInt } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey } from '../../base/secrets.ts';
import {
  type CodeMethod,
  type CodeMethodParts,
  digitsTyped,
  type OpenCodeMethod,
} from '../../core/factors/code-method.ts';
import { newFactor, wasLately } from '../../core/factors/factor-row.ts';
import { newRecoveryCodes } from '../../core/factors/recovery-codes.ts';
import { createCallerRecord } from '../../core/kernel/caller-record.ts';
import { factsOf } from '../../core/mail/letter-facts.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { FactorRow } from '../../core/stores/factors.ts';

const kind = 'email-code';
/** The length differs from an app's codes, so that the two can be told apart. */
const digits = 8;
const lifeSeconds = 600;
const pauseSeconds = 60;
const guessesMax = 5;

export const emailCode: CodeMethod = {
  kind,
  name: 'codes by e-mail',
  amr: ['otp'],
  wire: { code: 'email_code', send: 'mail' },
  guessable: true,

  read(typed) {
    if (typed.length > 32) return undefined;
    const code = digitsTyped(typed);
    return /^[0-9]{8}$/.test(code) ? code : undefined;
  },

  open,
};

function open(parts: CodeMethodParts): OpenCodeMethod {
  const { store, accounts, recoveryCodes, mails, limits, audit, changes } = parts;
  const written = createCallerRecord(audit);
  const hashKey = deriveKey(parts.secretKey, 'email-codes');
  const reaches = ({ email, verified }: Account): boolean => mails.work && email !== null && verified;
  const hashOf = ({ subject, emailKey }: Account, code: string): string =>
    createHmac('sha256', hashKey).update(`${subject} ${emailKey} ${code}`).digest('base64url');

  return {
    async isOpen(subject, rows) {
      const account = rows.some(isOwn) ? await accounts.bySubject(subject) : undefined;
      return account !== undefined && reaches(account);
    },

    async verify(subject, code) {
      const now = nowSeconds();
      const account = await accounts.bySubject(subject);
      if (account === undefined) return { outcome: 'wrong', why: 'over' };
      if (await store.useSentCode(subject, kind, hashOf(account, code), now, now - lifeSeconds)) {
        await limits.giveBackCode(subject);
        return { outcome: 'right' };
      }
      await store.failSentCode(subject, kind, guessesMax);
      const row = (await store.list(subject)).find(isOwn);
      const isOut = row === undefined || (row.secret !== '' && row.lastStep > now - lifeSeconds);
      return isOut ? { outcome: 'wrong', why: 'wrong' } : { outcome: 'wrong', why: 'over', ...wasLately(row) };
    },

    challenge: {
      async send(account, fields) {
        const { subject, email } = account;
        const to = masked(email ?? '');
        if (!reaches(account) || email === null) return { outcome: 'failed', to, retryAfter: 0 };
        // Checked before the new code replaces the old one, which stays valid if no new one may be sent.
        const may = await limits.mayMailCode(subject);
        if (!may.allowed) return { outcome: 'wait', to, retryAfter: may.retryAfter };
        const now = nowSeconds();
        const code = newCode();
        // Of concurrent requests only one continues.
        if (!(await store.putSentCode(subject, kind, hashOf(account, code), now, now - pauseSeconds))) {
          await limits.giveBackCode(subject);
          return { outcome: 'wait', to, retryAfter: pauseSeconds };
        }
        await audit.record('email_code.sent', { ...fields, subject });
        mails.send({
          kind: 'sign-in-code',
          to: email,
          locale: account.locale ?? 'en',
          subject,
          seconds: lifeSeconds,
          values: { code: `${code.slice(0, 4)} ${code.slice(4)}` },
          facts: factsOf(account, fields.caller, now),
        });
        return { outcome: 'sent', to, retryAfter: pauseSeconds };
      },

      end: (subject) => store.failSentCode(subject, kind, 1),
    },

    switchOn: {
      fits: reaches,

      async on(subject, caller) {
        const account = await accounts.bySubject(subject);
        if (account === undefined) return { outcome: 'not-found' };
        if (!mails.work) return { outcome: 'no-mail' };
        if (!reaches(account)) return { outcome: 'no-address' };
        const codes = newRecoveryCodes(recoveryCodes, subject);
        const factor = newFactor(subject, kind, { secret: '', state: 'active' });
        const done = await store.switchOn(factor, codes.rows, nowSeconds());
        if (done === undefined) return { outcome: 'not-found' };
        if (!done.added) return { outcome: 'on-already' };
        await changes.changed();
        await written('factor.added', subject, caller, { kind });
        if (done.codesStored) await written('recovery_codes.made', subject, caller);
        return { outcome: 'added', recoveryCodes: done.codesStored ? codes.shown : [] };
      },
    },
  };
}

export const newCode = (): string => String(randomInt(10 ** digits)).padStart(digits, '0');

const isOwn = (row: FactorRow): boolean => row.kind === kind;

/** Enough for the owner to recognise the mailbox. */
function masked(email: string): string {
  const at = email.lastIndexOf('@');
  return `${Array.from(email.slice(0, at)).slice(0, 2).join('')}•••${email.slice(at)}`;
}
