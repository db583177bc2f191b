/** Rows of second factors, as they are when they are new. */
import { nowSeconds } from '../../base/clock.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import type { FactorRow } from '../stores/factors.ts';
import type { RecoveryCodeMethod } from './one-time-codes.ts';

const recoveryCodes = 10;

export function newFactor(
  subject: string,
  kind: FactorRow['kind'],
  given: { name?: string; secret: string; state: FactorRow['state'] },
): FactorRow {
  return {
    id: randomToken(16),
    subject,
    kind,
    name: '',
    lastStep: 0,
    failures: 0,
    createdAt: nowSeconds(),
    lastUsedAt: null,
    ...given,
  };
}

/** Fresh recovery codes: as they are shown, once, and as they are stored. */
export function newRecoveryCodes(method: RecoveryCodeMethod, subject: string): { shown: string[]; rows: FactorRow[] } {
  const shown = method.make(recoveryCodes);
  const rows = shown.map((code) =>
    newFactor(subject, 'recovery-code', {
      secret: recoveryCodeHash(subject, method.read(code) ?? ''),
      state: 'active',
    }),
  );
  return { shown, rows };
}

/** With the subject in it, so that whoever has the database tries each guess against one account, not against all at once. */
export function recoveryCodeHash(subject: string, code: string): string {
  return digest(`recovery-code:${subject}:${code}`);
}
