/**
 * The second half of a sign-in, for accounts with a second factor: a code or a passkey, looked at only after the first
 * half was right.
 */
import type { SentCode, WrongCode } from '../factors/code-method.ts';
import type { Factors, SecondFactor } from '../factors/factors.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Amr } from '../kernel/amr.ts';
import { type PasswordProof, proofOf } from '../kernel/password-proof.ts';
import type { Account } from '../stores/accounts.ts';
import type { Attempt, Throttled } from './sign-in-attempts.ts';

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
   * A code of any kind. Left out or empty: none. The name of a kind that is sent: none, and one is to be sent.
   */
  readonly otp?: string | undefined;
  readonly passkey?: PasskeyAnswer | undefined;
  readonly via: string;
}

/** `amr`: of both halves. `none-needed`: the account has no second factor. */
type SecondStepResult =
  | { readonly outcome: 'right'; readonly amr: readonly Amr[] }
  | { readonly outcome: 'none-needed' }
  | SecondFactorAsked
  | Throttled;

export function createSecondStep(parts: {
  factors: Pick<Factors, 'methods' | 'use' | 'challenge'>;
  passkeys: Pick<Passkeys, 'prove'>;
}) {
  const { factors, passkeys } = parts;

  /** `attempt`: right so far. Ends it, unless the second factor is right or none is needed. */
  return async (
    account: Account,
    { otp = '', passkey, via }: SecondGiven,
    attempt: Attempt,
    { elsewhere, session }: Pick<PasswordProof, 'elsewhere' | 'session'> = {},
  ): Promise<SecondStepResult> => {
    const { subject } = account;
    // 1. What the account has.
    if (!account.twoFactor) return { outcome: 'none-needed' };
    const { required, methods } = await factors.methods(subject);
    if (!required) return { outcome: 'none-needed' };
    const proof = { ...proofOf(account, elsewhere), session };
    const asked = { outcome: 'second-factor', methods, wrong: undefined, proof } as const;
    const first = session?.amr ?? elsewhere?.amr ?? ['pwd'];

    // 2. A passkey.
    if (passkey !== undefined) {
      const proved = await passkeys.prove({ ...passkey, subject });
      if (proved.outcome === 'right') return { outcome: 'right', amr: together(first, proved.amr) };
      attempt.failed(`passkey-${proved.why}`);
      if (proved.why === 'replayed') return { ...asked, wrong: 'passkey-used', lately: true };
      return { ...asked, wrong: 'passkey' };
    }

    // 3. Nothing yet: it is asked for. A code is sent where its kind was typed, or where that is the best way here.
    const typed = otp.trim();
    if (typed === '' || factors.challenge(typed)) {
      await attempt.challenged();
      const best = methods.find((method) => method !== 'passkey' || via === 'browser');
      const wanted = typed === '' ? best : methods.find((method) => method === typed);
      const challenge = factors.challenge(wanted);
      return challenge ? { ...asked, mailed: await challenge.send(account, attempt.person) } : asked;
    }

    // 4. A code.
    const used = await factors.use(subject, typed, attempt.person);
    if (used.outcome === 'right') return { outcome: 'right', amr: together(first, used.amr) };
    // It was not looked at: a failure of nothing but the code's own limit.
    if (used.outcome === 'throttled') return attempt.codesThrottled(used.retryAfter, used.keys);
    attempt.failed(`${used.why}-code`);
    return { ...asked, methods: (await factors.methods(subject)).methods, wrong: used.why, lately: used.lately };
  };
}

/** There is no second factor, and the password alone is not enough here. */
export function notEnough(account: Account, why: 'enrol' | 'short'): SecondFactorAsked {
  return { outcome: 'second-factor', methods: [], wrong: undefined, proof: proofOf(account), [why]: true };
}

/** Two different things proved: that is `mfa`. */
function together(first: readonly Amr[], second: readonly Amr[]): Amr[] {
  return [...new Set<Amr>([...first, ...second, 'mfa'])];
}
