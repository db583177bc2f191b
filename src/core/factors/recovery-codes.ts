/** Recovery codes: made with the first second factor of an account, shown once, stored as digests. */
import { digest } from '../../base/secrets.ts';
import type { FactorRow } from '../stores/factors.ts';
import { newFactor } from './factor-row.ts';

const recoveryCodes = 10;

/** How they are written. Implemented in login/recovery-code. */
export interface RecoveryCodeFormat {
  /**
   * Fresh codes, as they are shown. Each holds 80 random bits, too many to guess, so nothing has to slow guessing down.
   */
  make(count: number): string[];
  /** The one form of what was typed; undefined where it cannot be such a code. */
  read(typed: string): string | undefined;
}

/** Fresh ones: as they are shown, once, and as they are stored. */
export function newRecoveryCodes(format: RecoveryCodeFormat, subject: string): { shown: string[]; rows: FactorRow[] } {
  const shown = format.make(recoveryCodes);
  const rows = shown.map((code) =>
    newFactor(subject, 'recovery-code', {
      secret: recoveryCodeHash(subject, format.read(code) ?? ''),
      state: 'active',
    }),
  );
  return { shown, rows };
}

/**
 * With the subject in it, so that a guess made with a copy of the database is good against one account, not against all
 * at once.
 */
export function recoveryCodeHash(subject: string, code: string): string {
  return digest(`recovery-code:${subject}:${code}`);
}

export const codesLeft = (rows: readonly FactorRow[]): number =>
  rows.filter(({ kind, state }) => kind === 'recovery-code' && state === 'active').length;
