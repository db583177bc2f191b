/**
 * One-time codes by e-mail, as a second step that a person switches on: weaker than an app or a passkey (whoever has the mailbox has
 * the code, and often the link to a new password too), and better than none for whoever wants nothing else.
 *
 * A code is sent only after the right password, to a verified address, not twice within a minute, and no more often than the mail
 * limits allow, which for codes count apart from the links that anybody can ask for, and count none that was used rightly: whoever
 * has the mailbox signs in as often as they like. It lives ten minutes and works once; the fifth
 * wrong guess ends it. The stored hash is keyed: eight digits would not withstand a search by whoever has the database. It is also of
 * the address: a code is no good once the account has another one, even where it was stored a moment after the change.
 */
import { createHmac } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import { type Actor, createActorRecord } from '../kernel/actor.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { MailLimits } from '../mail/mail-limits.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { FactorStore } from '../stores/factors.ts';
import { newFactor, newRecoveryCodes } from './factor-row.ts';
import type { EmailCodeMethod, RecoveryCodeMethod } from './one-time-codes.ts';

export interface SentCode {
  /** `wait`: one was sent a moment ago, or too many were. `failed`: this server sends no mails, or there is no verified address. */
  readonly outcome: 'sent' | 'wait' | 'failed';
  /** The address with most of it left out. */
  readonly to: string;
  /** Seconds until another may be asked for. */
  readonly retryAfter: number;
}

export type SwitchOnOutcome =
  /** `recoveryCodes`: to be shown now and never again; none where the account has some left. */
  | { readonly outcome: 'added'; readonly recoveryCodes: readonly string[] }
  /** `no-address`: none that is verified. `no-mail`: this server sends none. */
  | { readonly outcome: 'on-already' | 'no-address' | 'no-mail' | 'not-found' };

/** All throw `Unavailable` where storage cannot answer. */
export interface EmailCodes {
  switchOn(subject: string, actor?: Actor): Promise<SwitchOnOutcome>;
  /** Whether a code could be sent to this account. */
  reaches(account: Account): boolean;
  /** Only after the right password. Does not wait for the mail to leave. */
  send(account: Account, fields: AuditFields): Promise<SentCode>;
  /** `over`: no code is out any more that could be right. */
  use(subject: string, code: string): Promise<'right' | 'wrong' | 'over'>;
  /** The code that is out, if one is, is good no more. */
  end(subject: string): Promise<void>;
}

const lifeSeconds = 600;
const pauseSeconds = 60;
const guessesMax = 5;

export function createEmailCodes(parts: {
  store: FactorStore;
  accounts: Pick<AccountStore, 'bySubject'>;
  method: EmailCodeMethod;
  recoveryCode: RecoveryCodeMethod;
  mails: Pick<Mails, 'work' | 'send'>;
  limits: Pick<MailLimits, 'mayMailCode' | 'giveBackCode'>;
  audit: Audit;
  changes: Pick<ChangeLog, 'changed'>;
  /** Of this purpose alone (base/secrets `deriveKey`). */
  hashKey: Buffer;
}): EmailCodes {
  const { store, accounts, method, mails, limits, audit } = parts;
  const written = createActorRecord(audit);
  const reaches = ({ email, verified }: Account): boolean => mails.work && email !== null && verified;
  const hashOf = ({ subject, emailKey }: Account, code: string): string =>
    createHmac('sha256', parts.hashKey).update(`${subject} ${emailKey} ${code}`).digest('base64url');

  return {
    reaches,

    async switchOn(subject, actor) {
      const account = await accounts.bySubject(subject);
      if (account === undefined) return { outcome: 'not-found' };
      if (!mails.work) return { outcome: 'no-mail' };
      if (!reaches(account)) return { outcome: 'no-address' };
      const codes = newRecoveryCodes(parts.recoveryCode, subject);
      const factor = newFactor(subject, 'email-code', { secret: '', state: 'active' });
      const done = await store.switchOn(factor, codes.rows, nowSeconds());
      if (done === undefined) return { outcome: 'not-found' };
      if (!done.added) return { outcome: 'on-already' };
      await parts.changes.changed();
      await written('factor.added', subject, actor, { kind: 'email-code' });
      if (done.codesStored) await written('recovery_codes.made', subject, actor);
      return { outcome: 'added', recoveryCodes: done.codesStored ? codes.shown : [] };
    },

    async send(account, fields) {
      const { subject, email } = account;
      const to = masked(email ?? '');
      if (!reaches(account) || email === null) return { outcome: 'failed', to, retryAfter: 0 };
      // Before the new code takes the place of the one before, which stays good where no other may be sent.
      const may = await limits.mayMailCode(subject);
      if (!may.allowed) return { outcome: 'wait', to, retryAfter: may.retryAfter };
      const now = nowSeconds();
      const code = method.make();
      // Of many requests at once one gets further.
      if (!(await store.putEmailCode(subject, hashOf(account, code), now, now - pauseSeconds))) {
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

    async use(subject, code) {
      const now = nowSeconds();
      const account = await accounts.bySubject(subject);
      if (account === undefined) return 'over';
      if (await store.useEmailCode(subject, hashOf(account, code), now, now - lifeSeconds)) {
        await limits.giveBackCode(subject);
        return 'right';
      }
      await store.failEmailCode(subject, guessesMax);
      const row = (await store.list(subject)).find(({ kind }) => kind === 'email-code');
      return row === undefined || (row.secret !== '' && row.lastStep > now - lifeSeconds) ? 'wrong' : 'over';
    },

    end: (subject) => store.failEmailCode(subject, 1),
  };
}

/** Enough to know which mailbox to open, for whoever owns it. */
function masked(email: string): string {
  const at = email.lastIndexOf('@');
  return `${Array.from(email.slice(0, at)).slice(0, 2).join('')}•••${email.slice(at)}`;
}
