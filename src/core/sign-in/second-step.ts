/**
 * The second half of a sign-in, for accounts with a second factor: a code or a passkey. It is checked only after the
 * first half was right.
 */
import type { SentCode, WrongCode } from '../factors/code-method.ts';
import type { Factors, SecondFactor } from '../factors/factors.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Amr } from '../kernel/amr.ts';
import { type PasswordProof, proofOf } from '../kernel/password-proof.ts';
import type { Account } from '../stores/accounts.ts';
import type { Attempt, Throttled } from './sign-in-attempts.ts';

/** What the browser's authenticator signed, and for which purpose (core/factors/passkeys). */
export interface PasskeyAnswer {
  readonly purpose: string;
  readonly assertion: string;
}

/** `passkey-used`: this assertion was used before. */
export type WrongSecond = WrongCode | 'passkey' | 'passkey-used';

export interface SecondFactorAsked {
  readonly outcome: 'second-factor';
  /** Empty if all are locked or used up. */
  readonly methods: readonly SecondFactor[];
  /** Why the given factor was refused; undefined if none was given. */
  readonly wrong: WrongSecond | undefined;
  /** This or another factor was accepted moments ago: perhaps the form was sent twice. */
  readonly lately?: boolean | undefined;
  readonly proof: PasswordProof;
  /** Whether a code was mailed. */
  readonly mailed?: SentCode | undefined;
  /** The account has no second factor and must add one before it can sign in here. */
  readonly enrol?: true | undefined;
  /** The account has lost its second factor, and its password is too short without one. */
  readonly short?: true | undefined;
}

/** The second factor in a request. */
export interface SecondGiven {
  /** A code of any kind. Missing or empty: none. The name of a kind that is sent: send a code. */
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

  /** `attempt`: the first half was right. Ends the attempt, unless the second factor is right or none is needed. */
  return async (
    account: Account,
    { otp = '', passkey, via }: SecondGiven,
    attempt: Attempt,
    { elsewhere, session }: Pick<PasswordProof, 'elsewhere' | 'session'> = {},
  ): Promise<SecondStepResult> => {
    const { subject } = account;
    // 1. The factors of the account.
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

    // 3. Nothing given: ask for it. Send a code if its kind was typed, or if it is the best method here.
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
    // The limit of codes was reached before this code was checked, so nothing counts as a failed sign-in.
    if (used.outcome === 'throttled') return attempt.codesThrottled(used.retryAfter, used.keys);
    attempt.failed(`${used.why}-code`);
    return { ...asked, methods: (await factors.methods(subject)).methods, wrong: used.why, lately: used.lately };
  };
}

/** The account has no second factor, and its password alone is not enough here. */
export function notEnough(account: Account, why: 'enrol' | 'short'): SecondFactorAsked {
  return { outcome: 'second-factor', methods: [], wrong: undefined, proof: proofOf(account), [why]: true };
}

/** Two different proofs make `mfa`. */
function together(first: readonly Amr[], second: readonly Amr[]): Amr[] {
  return [...new Set<Amr>([...first, ...second, 'mfa'])];
}
