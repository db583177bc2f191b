/**
 * One-time codes by e-mail, as a second step that a person switches on: weaker than an app or a passkey, since the
 * mailbox gives the code, and often the link to a new password too.
 *
 * A code is sent only after the right password, to a verified address, not twice within a minute, and no more often
 * than the mail limits allow. Those count codes apart from the links that any visitor can ask for, and count none that
 * was used rightly: the owner of the mailbox signs in as often as they like. A code lives ten minutes and works once;
 * the fifth wrong guess ends it. It is digits only, read in one window and typed in another. The stored hash is keyed:
 * eight digits would not withstand a search with a copy of the database. It is also of the address: with another one
 * the code is no good, even where it was stored a moment after the change.
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
import type { Account } from '../../core/stores/accounts.ts';
import type { FactorRow } from '../../core/stores/factors.ts';

const kind = 'email-code';
/** So many that it is told from an app's by its length. */
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
        // Before the new code takes the place of the one before, which stays good where no other may be sent.
        const may = await limits.mayMailCode(subject);
        if (!may.allowed) return { outcome: 'wait', to, retryAfter: may.retryAfter };
        const now = nowSeconds();
        const code = newCode();
        // Of many requests at once one gets further.
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

/** Enough for its owner to know which mailbox to open. */
function masked(email: string): string {
  const at = email.lastIndexOf('@');
  return `${Array.from(email.slice(0, at)).slice(0, 2).join('')}•••${email.slice(at)}`;
}
