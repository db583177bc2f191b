/**
 * An authenticator app (RFC 6238) as a second factor. At any moment three of a million codes are valid, so three limits
 * apply. core/factors counts each code before it is checked. The store counts consecutive wrong codes, on all nodes and
 * across restarts; after a hundred, no code is checked (NIST SP 800-63B, 3.2.2) until a recovery code is used. A code's
 * time step is used once, and with it all earlier ones.
 */
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../base/secrets.ts';
import type { CodeMethod, CodeMethodParts, OpenCodeMethod, Verified } from '../../core/factors/code-method.ts';
import { newFactor, storableName, wasLately } from '../../core/factors/factor-row.ts';
import { newRecoveryCodes } from '../../core/factors/recovery-codes.ts';
import { createCallerRecord } from '../../core/kernel/caller-record.ts';
import type { FactorRow } from '../../core/stores/factors.ts';
import { timeCodes } from './time-codes.ts';

const kind = 'totp';
const enrolmentSeconds = 900;
const appsMax = 5;
const failuresMax = 100;

export const totp: CodeMethod = {
  kind,
  name: 'authenticator app',
  amr: ['otp'],
  wire: { code: 'code' },
  guessable: true,
  read: timeCodes.read,
  open,
};

function open(parts: CodeMethodParts): OpenCodeMethod {
  const { store, accounts, recoveryCodes, audit, changes, secretKey, issuer } = parts;
  const sealKey = deriveKey(secretKey, 'factors');
  const written = createCallerRecord(audit);
  const secretOf = (row: FactorRow): string | undefined => unseal(sealKey, row.secret, sealContext(row));

  return {
    isOpen: (_subject, rows) => rows.some((row) => isApp(row) && !isLocked(row)),
    isLocked,

    async verify(subject, code) {
      const rows = await store.list(subject);
      const enrolled = rows.filter(isApp);
      const usable = enrolled.filter((row) => !isLocked(row));
      if (usable.length === 0) return { outcome: 'wrong', why: enrolled.length === 0 ? 'wrong' : 'locked' };
      const now = nowSeconds();
      let wrong: Verified = { outcome: 'wrong', why: 'wrong' };
      for (const row of usable) {
        const secret = secretOf(row);
        const step = secret === undefined ? undefined : timeCodes.stepOf(secret, code, now);
        if (step === undefined) continue;
        const unused = step > row.lastStep;
        if (unused && (await store.advance(row.id, step, now))) {
          await parts.forgive(subject, rows);
          return { outcome: 'right' };
        }
        // If the code was unused a moment ago, a concurrent request has used it.
        wrong = { outcome: 'wrong', why: 'used', ...(unused ? { lately: true } : wasLately(row)) };
      }
      await store.fail(subject, kind);
      return wrong;
    },

    enrolment: {
      async begin(subject, { name = '' } = {}) {
        const [account, rows] = [await accounts.bySubject(subject), await store.list(subject)];
        if (account === undefined) return { outcome: 'not-found' };
        if (rows.filter(isApp).length >= appsMax) return { outcome: 'too-many' };
        const secret = timeCodes.makeSecret();
        const bare = newFactor(subject, kind, { name: storableName(name), secret: '', state: 'pending' });
        const begun = await store.begin({ ...bare, secret: seal(sealKey, secret, sealContext(bare)) });
        if (!begun) return { outcome: 'not-found' };
        const uri = timeCodes.uri(secret, issuer, account.username);
        return { outcome: 'begun', factorId: bare.id, secret, uri };
      },

      async confirm(subject, factorId, typed, caller) {
        const now = nowSeconds();
        const row = (await store.list(subject)).find(({ id, state }) => id === factorId && state === 'pending');
        const secret = row && secretOf(row);
        if (secret === undefined || row === undefined || row.createdAt + enrolmentSeconds <= now)
          return { outcome: 'gone' };
        // Not throttled: this enrolment has shown the secret, so guessing gains nothing.
        const code = timeCodes.read(typed);
        const step = code === undefined ? undefined : timeCodes.stepOf(secret, code, now);
        if (step === undefined) return { outcome: 'wrong-code' };
        const { shown, rows } = newRecoveryCodes(recoveryCodes, subject);
        const activated = await store.activate({ subject, id: factorId, step, now, codes: rows });
        if (activated === undefined) return { outcome: 'gone' };
        await changes.changed();
        await written('factor.added', subject, caller, { kind });
        if (activated.codesStored) await written('recovery_codes.made', subject, caller);
        return { outcome: 'enrolled', recoveryCodes: activated.codesStored ? shown : [] };
      },
    },
  };
}

const isApp = (row: FactorRow): boolean => row.kind === kind && row.state === 'active';
const isLocked = ({ failures }: FactorRow): boolean => failures >= failuresMax;

/** Binds the secret to its account and row, so that a copied row cannot be opened. */
const sealContext = ({ id, subject }: Pick<FactorRow, 'id' | 'subject'>): string => `totp:${subject}:${id}`;
