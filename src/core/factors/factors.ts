/**
 * Second factors: one-time codes from an authenticator app (RFC 6238) or by e-mail (core/factors/email-codes), passkeys (core/factors/passkeys),
 * and recovery codes for the day they are lost. Who may enrol or remove one, and after which proof, is for the pages to ask; what a
 * code is worth at a sign-in is decided here, for every door alike.
 *
 * Six digits can be guessed, three of a million being good at any moment. Three bounds, each for what the others let through:
 * - a code counts before it is looked at, so that of parallel guesses no more than the limit are looked at in a window, and no
 *   success of the person's own gives a guesser a fresh start;
 * - the store counts wrong ones in a row, on all nodes and through restarts: after a hundred the app's codes are refused
 *   (NIST SP 800-63B, 3.2.2), until a recovery code has shown whose account it is;
 * - a code's time step is used once, and with it all earlier ones.
 * Only somebody who knows the password comes this far, so none of these can be used by a stranger to lock a person out.
 */
import { nowSeconds } from '../../base/clock.ts';
import { seal, unseal } from '../../base/secrets.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import { type Actor, createActorRecord } from '../kernel/actor.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { AccountStore } from '../stores/accounts.ts';
import type { FactorRow, FactorStore } from '../stores/factors.ts';
import type { PasskeyStore } from '../stores/passkeys.ts';
import type { Throttle, ThrottleKey } from '../stores/throttle.ts';
import type { EmailCodes } from './email-codes.ts';
import { newFactor, newRecoveryCodes, recoveryCodeHash } from './factor-row.ts';
import type { EmailCodeMethod, RecoveryCodeMethod, TotpMethod } from './one-time-codes.ts';

export type SecondFactor = FactorRow['kind'] | 'passkey';

/** What a person may see of a factor of theirs; core/factors/passkeys has passkeys. */
export interface Factor {
  readonly id: string;
  readonly kind: 'totp' | 'email-code';
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** Refused after too many wrong codes in a row; a recovery code ends it. */
  readonly locked: boolean;
}

export interface FactorList {
  readonly factors: readonly Factor[];
  readonly recoveryCodesLeft: number;
}

export interface TotpEnrolment {
  readonly outcome: 'begun';
  readonly factorId: string;
  /** Base32, for those who type it. Shown now and never again. */
  readonly secret: string;
  /** What the QR code holds. */
  readonly uri: string;
}

export type ConfirmOutcome =
  /** `recoveryCodes`: to be shown now and never again; none where the account has some left. */
  | { readonly outcome: 'enrolled'; readonly recoveryCodes: readonly string[] }
  | { readonly outcome: 'wrong-code' }
  /** Unknown, confirmed before, replaced by a newer enrolment, or begun too long ago. */
  | { readonly outcome: 'gone' };

export type UseOutcome =
  | { readonly outcome: 'right' }
  /**
   * `used`: it was right, once. `locked`: no code of the app is looked at. `over`: no code that was mailed is good any more. `lately`:
   * one was right a moment ago, so that this may be the same form sent twice.
   */
  | { readonly outcome: 'wrong'; readonly why: WrongCode; readonly lately?: boolean }
  /** `keys`: what is at its limit. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number; readonly keys: readonly ThrottleKey[] };

export type WrongCode = 'wrong' | 'used' | 'locked' | 'over';

/** All throw `Unavailable` where storage cannot answer. */
export interface Factors {
  list(subject: string): Promise<FactorList>;
  /** Nothing is asked for at a sign-in until the enrolment is confirmed. */
  beginTotp(
    subject: string,
    options?: { readonly name?: string },
  ): Promise<TotpEnrolment | { readonly outcome: 'not-found' | 'too-many' }>;
  /** With a current code, which shows that the app has the secret. */
  confirmTotp(subject: string, factorId: string, code: string, actor?: Actor): Promise<ConfirmOutcome>;
  /** False where the account has no such factor. With the last one the recovery codes go. */
  remove(subject: string, factorId: string, actor?: Actor): Promise<boolean>;
  /** For an admin whose person has lost everything. False where there was nothing. */
  removeAll(subject: string, actor?: Actor): Promise<boolean>;
  /** Ten new codes in place of all older ones, to be shown once; undefined where the account has no second factor. */
  regenerateRecoveryCodes(subject: string, actor?: Actor): Promise<readonly string[] | undefined>;
  /** The ways open to this account, the best first; `required` with none of them where all are locked or used up. */
  methods(subject: string): Promise<{ readonly required: boolean; readonly methods: readonly SecondFactor[] }>;
  /** Looks at what was typed at a sign-in, whichever kind of code it is, and uses it up. Only after the right password. */
  use(subject: string, typed: string, fields: AuditFields): Promise<UseOutcome>;
}

export interface FactorSettings {
  /** As the authenticator app shows it. */
  readonly issuer: string;
  /** Wrong codes of an account within the window. */
  readonly limit: number;
  readonly windowSeconds: number;
}

const enrolmentSeconds = 900;
const totpMax = 5;
const failuresMax = 100;
const nameMax = 64;

export function createFactors(parts: {
  store: FactorStore;
  passkeys: Pick<PasskeyStore, 'list'>;
  accounts: Pick<AccountStore, 'bySubject'>;
  totp: TotpMethod;
  recoveryCode: RecoveryCodeMethod;
  emailCode: Pick<EmailCodeMethod, 'read'>;
  emailCodes: Pick<EmailCodes, 'reaches' | 'use'>;
  throttle: Throttle;
  audit: Audit;
  /** Of this purpose alone (base/secrets `deriveKey`). */
  sealKey: Buffer;
  changes: Pick<ChangeLog, 'changed'>;
  settings: FactorSettings;
}): Factors {
  const {
    store,
    passkeys,
    accounts,
    totp,
    recoveryCode,
    emailCode,
    emailCodes,
    throttle,
    audit,
    sealKey,
    changes,
    settings,
  } = parts;

  const written = createActorRecord(audit);
  const secretOf = (row: FactorRow): string | undefined => unseal(sealKey, row.secret, sealContext(row));

  const forgive = async (subject: string, rows: readonly FactorRow[]): Promise<void> => {
    if (rows.some(({ failures }) => failures > 0)) await store.forgive(subject);
  };

  async function useRecoveryCode(subject: string, typed: string, fields: AuditFields): Promise<UseOutcome> {
    const code = recoveryCode.read(typed);
    if (code === undefined) return { outcome: 'wrong', why: 'wrong' };
    const hash = recoveryCodeHash(subject, code);
    const used = await store.useCode(subject, hash, nowSeconds());
    const rows = await store.list(subject);
    const spent = rows.find(({ secret }) => secret === hash);
    if (!used)
      return spent ? { outcome: 'wrong', why: 'used', ...wasLately(spent) } : { outcome: 'wrong', why: 'wrong' };
    await forgive(subject, rows);
    await audit.record('recovery_code.used', {
      ...fields,
      subject,
      detail: { ...fields.detail, left: codesLeft(rows) },
    });
    return { outcome: 'right' };
  }

  async function useTotp(subject: string, code: string): Promise<UseOutcome> {
    const rows = await store.list(subject);
    const enrolled = rows.filter(isTotp);
    const open = enrolled.filter((row) => !isLocked(row));
    if (open.length === 0) return { outcome: 'wrong', why: enrolled.length === 0 ? 'wrong' : 'locked' };
    const now = nowSeconds();
    let wrong: Wrong = { outcome: 'wrong', why: 'wrong' };
    for (const row of open) {
      const secret = secretOf(row);
      const step = secret === undefined ? undefined : totp.stepOf(secret, code, now);
      if (step === undefined) continue;
      const unused = step > row.lastStep;
      if (unused && (await store.advance(row.id, step, now))) {
        await forgive(subject, rows);
        return { outcome: 'right' };
      }
      // Where it was unused a moment ago, another request has been quicker.
      wrong = { outcome: 'wrong', why: 'used', ...(unused ? { lately: true } : wasLately(row)) };
    }
    await store.fail(subject);
    return wrong;
  }

  async function useEmailCode(subject: string, code: string): Promise<UseOutcome> {
    const used = await emailCodes.use(subject, code);
    if (used === 'right') return { outcome: 'right' };
    const row = used === 'over' ? (await store.list(subject)).find(isEmailCode) : undefined;
    return { outcome: 'wrong', why: used, ...(row && wasLately(row)) };
  }

  return {
    async list(subject) {
      const rows = await store.list(subject);
      const factors = rows.filter(isActive).map((row) => ({
        id: row.id,
        kind: row.kind,
        name: row.name,
        createdAt: row.createdAt,
        lastUsedAt: row.lastUsedAt,
        locked: isTotp(row) && isLocked(row),
      }));
      return { factors, recoveryCodesLeft: codesLeft(rows) };
    },

    async beginTotp(subject, { name = '' } = {}) {
      const [account, rows] = [await accounts.bySubject(subject), await store.list(subject)];
      if (account === undefined) return { outcome: 'not-found' };
      if (rows.filter(isTotp).length >= totpMax) return { outcome: 'too-many' };
      const secret = totp.makeSecret();
      const bare = newFactor(subject, 'totp', { name: storable(name), secret: '', state: 'pending' });
      const begun = await store.begin({ ...bare, secret: seal(sealKey, secret, sealContext(bare)) });
      if (!begun) return { outcome: 'not-found' };
      return {
        outcome: 'begun',
        factorId: bare.id,
        secret,
        uri: totp.uri(secret, settings.issuer, account.username),
      };
    },

    async confirmTotp(subject, factorId, typed, actor) {
      const now = nowSeconds();
      const row = (await store.list(subject)).find(({ id, state }) => id === factorId && state === 'pending');
      const secret = row && secretOf(row);
      if (secret === undefined || row === undefined || row.createdAt + enrolmentSeconds <= now)
        return { outcome: 'gone' };
      // Not throttled: whoever began this enrolment was shown the secret, so a guess would win nothing.
      const code = totp.read(typed);
      const step = code === undefined ? undefined : totp.stepOf(secret, code, now);
      if (step === undefined) return { outcome: 'wrong-code' };
      const { shown, rows } = newRecoveryCodes(recoveryCode, subject);
      const activated = await store.activate({ subject, id: factorId, step, now, codes: rows });
      if (activated === undefined) return { outcome: 'gone' };
      await changes.changed();
      await written('factor.added', subject, actor, { kind: 'totp' });
      if (activated.codesStored) await written('recovery_codes.made', subject, actor);
      return { outcome: 'enrolled', recoveryCodes: activated.codesStored ? shown : [] };
    },

    async remove(subject, factorId, actor) {
      const kind = (await store.list(subject)).find(({ id }) => id === factorId)?.kind;
      if (kind === undefined || !(await store.remove(subject, factorId, nowSeconds()))) return false;
      await changes.changed();
      await written('factor.removed', subject, actor, { kind });
      return true;
    },

    async removeAll(subject, actor) {
      if (!(await store.removeAll(subject, nowSeconds()))) return false;
      await changes.changed();
      await written('factor.removed', subject, actor, { kind: 'all' });
      return true;
    },

    async regenerateRecoveryCodes(subject, actor) {
      const { shown, rows } = newRecoveryCodes(recoveryCode, subject);
      if (!(await store.replaceCodes(subject, rows))) return undefined;
      await written('recovery_codes.made', subject, actor);
      return shown;
    },

    async methods(subject) {
      const [rows, keys] = await Promise.all([store.list(subject), passkeys.list(subject)]);
      const enrolled = rows.filter(isActive);
      // Alone, recovery codes are no second factor; the store keeps none without another.
      if (enrolled.length + keys.length === 0) return { required: false, methods: [] };
      const account = enrolled.some(isEmailCode) ? await accounts.bySubject(subject) : undefined;
      const methods: SecondFactor[] = [];
      if (keys.length > 0) methods.push('passkey');
      if (enrolled.some((row) => isTotp(row) && !isLocked(row))) methods.push('totp');
      if (account && emailCodes.reaches(account)) methods.push('email-code');
      if (codesLeft(rows) > 0) methods.push('recovery-code');
      return { required: true, methods };
    },

    async use(subject, typed, fields) {
      const [ofApp, mailed] = [totp.read(typed), emailCode.read(typed)];
      if (ofApp === undefined && mailed === undefined) return useRecoveryCode(subject, typed, fields);
      const key = `codes:${subject}`;
      const keys = [{ key, limit: settings.limit }];
      const counted = await throttle.attempt(keys, settings.windowSeconds);
      if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter, keys };
      try {
        const outcome = ofApp === undefined ? await useEmailCode(subject, mailed ?? '') : await useTotp(subject, ofApp);
        // Not cleared: the person's own success must not give a guesser a fresh start.
        if (outcome.outcome === 'right') await throttle.giveBack([key]);
        return outcome;
      } catch (error) {
        await throttle.giveBack([key]);
        throw error;
      }
    },
  };
}

type Wrong = Extract<UseOutcome, { outcome: 'wrong' }>;

/** What lies between two arrivals of one form, and between the clocks of two nodes, in seconds. */
const latelySeconds = 10;
const wasLately = ({ lastUsedAt }: FactorRow): { readonly lately?: true } =>
  lastUsedAt !== null && lastUsedAt > nowSeconds() - latelySeconds ? { lately: true } : {};

type Enrolled = FactorRow & { readonly kind: Factor['kind'] };
const isActive = (row: FactorRow): row is Enrolled => row.kind !== 'recovery-code' && row.state === 'active';
const isTotp = (row: FactorRow): boolean => row.kind === 'totp' && row.state === 'active';
const isEmailCode = ({ kind }: FactorRow): boolean => kind === 'email-code';
const isLocked = ({ failures }: FactorRow): boolean => failures >= failuresMax;
const codesLeft = (rows: readonly FactorRow[]): number =>
  rows.filter(({ kind, state }) => kind === 'recovery-code' && state === 'active').length;

/** Whose it is and which: a row that is copied to another account does not open. */
const sealContext = ({ id, subject }: Pick<FactorRow, 'id' | 'subject'>): string => `totp:${subject}:${id}`;

const storable = (name: string): string => name.slice(0, nameMax).toWellFormed().replaceAll('\0', '\uFFFD');
