/** The second half of a sign-in, for who has a second factor: a code or a passkey, looked at only after the first half was right. */
import type { Metrics } from '../../base/metrics.ts';
import type { EmailCodes, SentCode } from '../factors/email-codes.ts';
import type { Factors, SecondFactor, WrongCode } from '../factors/factors.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Amr } from '../kernel/amr.ts';
import type { Audit } from '../kernel/audit.ts';
import { type PasswordProof, proofOf } from '../kernel/password-proof.ts';
import type { Account } from '../stores/accounts.ts';
import type { FailedSignIns } from './failed-sign-ins.ts';
import type { Attempt, SignInAttempts, Throttled } from './sign-in-attempts.ts';

/** What a browser's authenticator signed, and what for (core/factors/passkeys). */
export interface PasskeyAnswer {
  readonly purpose: string;
  readonly assertion: string;
}

/** `passkey-used`: its answer has been here before. */
export type WrongSecond = WrongCode | 'passkey' | 'passkey-used';

export interface SecondFactorAsked {
  readonly outcome: 'second-factor';
  /** None where all are locked or used up. */
  readonly methods: readonly SecondFactor[];
  /** Why what was given did not do; undefined: nothing was given. */
  readonly wrong: WrongSecond | undefined;
  /** It, or another, did a moment ago: perhaps this very form, sent twice. */
  readonly lately?: boolean | undefined;
  readonly proof: PasswordProof;
  /** A code was sent, or should have been. */
  readonly mailed?: SentCode | undefined;
  /** They have none, and must add one before they can sign in here. */
  readonly enrol?: true | undefined;
  /** They have none any more, and a password that is too short without one. */
  readonly short?: true | undefined;
}

/** What was given for it. */
export interface SecondGiven {
  /**
   * Whichever it is: a code of an app or of a mail, or a recovery code. Left out or empty: none. `email-code`: none, and one is to be
   * mailed.
   */
  readonly otp?: string | undefined;
  readonly passkey?: PasskeyAnswer | undefined;
  readonly via: string;
}

type Proved = { readonly outcome: 'right'; readonly amr: readonly Amr[] };

export function createSecondStep(parts: {
  factors: Pick<Factors, 'methods' | 'use'>;
  passkeys: Pick<Passkeys, 'prove'>;
  emailCodes: Pick<EmailCodes, 'send'>;
  attempts: SignInAttempts;
  failures: Pick<FailedSignIns, 'failed'>;
  audit: Audit;
  metrics: Metrics;
}) {
  const { factors, passkeys, emailCodes, attempts, failures, audit, metrics } = parts;

  /** It was no failure, and no success either: the attempt is given back, and what was counted before is not forgotten. */
  const challenged = async ({ keys, person }: Attempt): Promise<void> => {
    await attempts.giveBack(keys);
    metrics.count('sign_ins_total', { outcome: 'second_factor' });
    audit.note('sign_in.challenged', person);
  };

  return {
    /** The password was right and is not enough here. */
    async noneYet(account: Account, attempt: Attempt, why: 'enrol' | 'short'): Promise<SecondFactorAsked> {
      await challenged(attempt);
      return { outcome: 'second-factor', methods: [], wrong: undefined, proof: proofOf(account), [why]: true };
    },

    /** What the account's second factor makes of an attempt that was right so far. */
    async prove(
      account: Account,
      { otp = '', passkey, via }: SecondGiven,
      attempt: Attempt,
      { elsewhere, session }: Pick<PasswordProof, 'elsewhere' | 'session'> = {},
    ): Promise<Proved | SecondFactorAsked | Throttled | 'none needed'> {
      if (!account.twoFactor) return 'none needed';
      const { subject } = account;
      const { keys, person } = attempt;
      const { required, methods } = await factors.methods(subject);
      if (!required) return 'none needed';
      const proof = { ...proofOf(account, elsewhere), session };
      const asked = { outcome: 'second-factor', methods, wrong: undefined, proof } as const;
      const first = session?.amr ?? elsewhere?.amr ?? ['pwd'];
      const typed = otp.trim();
      if (passkey !== undefined) {
        const proved = await passkeys.prove({ ...passkey, subject });
        if (proved.outcome === 'right') return { outcome: 'right', amr: together(first, proved.amr) };
        failures.failed(`passkey-${proved.why}`, person);
        return proved.why === 'replayed'
          ? { ...asked, wrong: 'passkey-used', lately: true }
          : { ...asked, wrong: 'passkey' };
      }
      if (typed === '' || typed === mailPlease) {
        await challenged(attempt);
        const mail = methods.includes('email-code') && (typed === mailPlease || wantsMail(methods, via));
        return mail ? { ...asked, mailed: await emailCodes.send(account, person) } : asked;
      }
      const used = await factors.use(subject, typed, person);
      switch (used.outcome) {
        case 'right':
          return { outcome: 'right', amr: together(first, ['otp']) };
        case 'throttled':
          // It was not looked at: a failure of nothing but the code's own limit.
          await attempts.giveBack(keys);
          return attempts.throttled(used.retryAfter, used.keys, person);
        case 'wrong':
          failures.failed(`${used.why}-code`, person);
          return { ...asked, methods: (await factors.methods(subject)).methods, wrong: used.why, lately: used.lately };
      }
    },
  };
}

/** Two different things proved: that is `mfa`. */
function together(first: readonly Amr[], second: readonly Amr[]): Amr[] {
  return [...new Set<Amr>([...first, ...second, 'mfa'])];
}

const mailPlease = 'email-code';

/** Whether the mail is the obvious way: an app has its code at hand, and where a page can ask for a passkey that comes first. */
function wantsMail(methods: readonly SecondFactor[], via: string): boolean {
  return !methods.includes('totp') && !(via === 'browser' && methods.includes('passkey'));
}
