/**
 * That the password was right a moment ago. Good for one account, for five minutes, and only as long as that password is the
 * account's. Whoever holds it needs the second factor only, so it never leaves the server.
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest, sameSecret } from '../../base/secrets.ts';
import type { Account } from '../stores/accounts.ts';
import type { ProvedBefore, ProvedElsewhere } from './amr.ts';

export interface PasswordProof {
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly at: number;
  /** SHA-256 of the stored hash, which is salted: another password, another value. */
  readonly password: string;
  /** Not the password was right: another provider has proved the person. */
  readonly elsewhere?: ProvedElsewhere | undefined;
  /** Neither: a session of theirs stands, and is to be made surer. */
  readonly session?: ProvedBefore | undefined;
}

/** How long one is good, in seconds. */
export const proofSeconds = 300;

/** Changes with the account's password, and tells nothing of it. */
export function passwordMark({ passwordHash }: Pick<Account, 'passwordHash'>): string {
  return digest(passwordHash ?? '');
}

export function proofOf(account: Account, elsewhere?: ProvedElsewhere): PasswordProof {
  return { subject: account.subject, at: nowSeconds(), password: passwordMark(account), elsewhere };
}

/** Of a session that is live at this moment. */
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
