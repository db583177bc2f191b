/**
 * Proof that the password was right moments ago. Valid for one account, for five minutes, until the password changes.
 * With it a sign-in needs only the second factor, so it never leaves the server.
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest, sameSecret } from '../../base/secrets.ts';
import type { Account } from '../stores/accounts.ts';
import type { ProvedBefore, ProvedElsewhere } from './amr.ts';

export interface PasswordProof {
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly at: number;
  /** SHA-256 of the stored hash, which is salted, so it changes with the password. */
  readonly password: string;
  /** Set if another provider authenticated the user instead of the password. */
  readonly elsewhere?: ProvedElsewhere | undefined;
  /** Set if a live session of the user stands in for the password, for step-up. */
  readonly session?: ProvedBefore | undefined;
}

/** The lifetime in seconds. */
export const proofSeconds = 300;

/** Changes with the password and reveals nothing about it. */
export function passwordMark({ passwordHash }: Pick<Account, 'passwordHash'>): string {
  return digest(passwordHash ?? '');
}

export function proofOf(account: Account, elsewhere?: ProvedElsewhere): PasswordProof {
  return { subject: account.subject, at: nowSeconds(), password: passwordMark(account), elsewhere };
}

/** The session must be live. */
export function sessionProof(account: Account, session: ProvedBefore): PasswordProof {
  return { ...proofOf(account), session };
}

export function holds(
  { at, password, elsewhere, session }: PasswordProof,
  { passwordHash, disabledAt }: Account,
): boolean {
  const now = nowSeconds();
  const current =
    (passwordHash !== null || (elsewhere ?? session) !== undefined) && sameSecret(digest(passwordHash ?? ''), password);
  return current && disabledAt === null && at <= now && now < at + proofSeconds;
}
