/** Recovery codes: made with the first second factor of an account, shown once, stored as digests. */
import { digest } from '../../base/secrets.ts';
import type { FactorRow } from '../stores/factors.ts';
import { newFactor } from './factor-row.ts';

const recoveryCodes = 10;

/** The port that writes and reads the codes. Implemented in login/recovery-code. */
export interface RecoveryCodeFormat {
  /** Returns new codes, as shown to the user. Each has 80 random bits, so guesses need no throttle. */
  make(count: number): string[];
  /** Returns the canonical form, or undefined if the text cannot be such a code. */
  read(typed: string): string | undefined;
}

/** `shown`: the new codes, to show once. `rows`: the same codes, to store. */
export function newRecoveryCodes(format: RecoveryCodeFormat, subject: string): { shown: string[]; rows: FactorRow[] } {
  const shown = format.make(recoveryCodes);
  const rows = shown.map((code) =>
    newFactor(subject, 'recovery-code', {
      secret: recoveryCodeHash(subject, format.read(code) ?? ''),
      state: 'active',
      saved: false,
    }),
  );
  return { shown, rows };
}

/** Includes the subject, so that one guess against a copy of the database tests one account, not all of them. */
export function recoveryCodeHash(subject: string, code: string): string {
  return digest(`recovery-code:${subject}:${code}`);
}

export const codesLeft = (rows: readonly FactorRow[]): number =>
  rows.filter(({ kind, state }) => kind === 'recovery-code' && state === 'active').length;

/** Codes of an earlier version count as saved. So do codes of which one was used, because the user has the list. */
export const codesSaved = (rows: readonly FactorRow[]): boolean =>
  rows.every(({ kind, saved }) => kind !== 'recovery-code' || saved) ||
  rows.some(({ kind, state }) => kind === 'recovery-code' && state === 'used');
