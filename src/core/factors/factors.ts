/**
 * Second factors: codes (each kind a login method, code-method.ts), passkeys (passkeys.ts), and recovery codes for
 * users who have lost them. The pages decide who may enrol or remove a factor; every entry point checks codes here.
 *
 * A guessable code counts before it is checked, so that parallel guesses stay within the limit of a window. A success
 * of the user does not reset the count. Codes are checked only after the right password, so others cannot lock an
 * account.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Amr } from '../kernel/amr.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { FactorRow, FactorStore } from '../stores/factors.ts';
import type { Throttle, ThrottleKey } from '../stores/volatile/throttle.ts';
import type {
  BegunEnrolment,
  Challenge,
  CodeMethod,
  CodeMethodParts,
  ConfirmOutcome,
  OpenCodeMethod,
  SwitchOnOutcome,
  Verified,
} from './code-method.ts';
import { withFactorLetters } from './factor-letters.ts';
import { storableName } from './factor-row.ts';
import type { Passkeys } from './passkeys.ts';
import {
  codesLeft,
  codesSaved,
  newRecoveryCodes,
  type RecoveryCodeFormat,
  recoveryCodeHash,
} from './recovery-codes.ts';

/** `passkey`, or the `kind` of a code method. */
export type SecondFactor = string;

/** What a user sees of their factor. Passkeys are in passkeys.ts. */
interface Factor {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** Locked after too many wrong codes in a row; a recovery code unlocks it. */
  readonly locked: boolean;
}

interface FactorList {
  readonly factors: readonly Factor[];
  readonly recoveryCodesLeft: number;
  /** False: the user has not yet shown that they saved the codes. They work all the same. */
  readonly recoveryCodesSaved: boolean;
}

type UseOutcome =
  | { readonly outcome: 'right'; readonly amr: readonly Amr[] }
  | Extract<Verified, { outcome: 'wrong' }>
  /** `keys`: the throttle keys at their limit. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number; readonly keys: readonly ThrottleKey[] };

/** All throw `Unavailable` if storage is not available. */
export interface Factors {
  /** The code methods, best first. */
  readonly codes: readonly (Pick<CodeMethod, 'kind' | 'name' | 'wire'> & Pick<OpenCodeMethod, 'switchOn'>)[];
  list(subject: string): Promise<FactorList>;
  /** Kinds that this account can switch on without an enrolment. */
  switches(account: Account): readonly string[];
  switchOn(kind: string, subject: string, caller?: Caller): Promise<SwitchOnOutcome>;
  /** Tells whether a page can add a suitable second factor. `only`: no other kind is suitable. */
  adds(only: 'passkey' | undefined): boolean;
  /** Kinds that enrol a device, best first. */
  readonly enrols: readonly string[];
  /** Sign-ins ask for the factor only after it is confirmed. */
  begin(
    kind: string | undefined,
    subject: string,
    options?: { readonly name?: string },
  ): Promise<BegunEnrolment | { readonly outcome: 'not-found' | 'too-many' }>;
  /** `code`: a current one, which proves that the device has the secret. */
  confirm(
    kind: string | undefined,
    subject: string,
    factorId: string,
    code: string,
    caller?: Caller,
  ): Promise<ConfirmOutcome>;
  /** Returns false if the account has no such factor. The recovery codes go with the last one. */
  remove(subject: string, factorId: string, caller?: Caller): Promise<boolean>;
  /** For an admin, if the user has lost everything. Returns false if there was nothing to remove. */
  removeAll(subject: string, caller?: Caller): Promise<boolean>;
  /** Replaces all codes with ten new ones, shown once. Returns undefined if the account has no second factor. */
  regenerateRecoveryCodes(subject: string, caller?: Caller): Promise<readonly string[] | undefined>;
  /**
   * Returns true if `typed` is one of the codes that still work, and marks them as saved. Does not consume it. `shown`:
   * codes that the user has in view. One of them suffices even if another page has replaced them since.
   */
  confirmSaved(subject: string, typed: string, caller?: Caller, shown?: readonly string[]): Promise<boolean>;
  /** Returns true if these are, all of them, codes that still work. */
  areCurrent(subject: string, shown: readonly string[]): Promise<boolean>;
  /** Returns false if the account has no such factor, passkeys not included. */
  rename(subject: string, factorId: string, name: string, caller?: Caller): Promise<boolean>;
  /** Methods that the account can use now, best first. `required` without methods: all are locked or used up. */
  methods(subject: string): Promise<{ readonly required: boolean; readonly methods: readonly SecondFactor[] }>;
  /** Undefined if codes of this kind are not sent. */
  challenge(kind: string | undefined): Pick<Challenge, 'send'> | undefined;
  /** Ends all codes that were sent. */
  endChallenges(subject: string): Promise<void>;
  /** Checks a typed code of any kind, and consumes it. Call only after the right password. */
  use(subject: string, typed: string, fields: AuditFields): Promise<UseOutcome>;
}

export function createFactors(core: {
  stores: { readonly factors: FactorStore; readonly accounts: Pick<AccountStore, 'bySubject'> };
  secrets: { readonly secretKey: string };
  config: {
    readonly brandName: string;
    /** Wrong codes per account within the window (seconds). */
    readonly throttle: { readonly accountLimit: number; readonly window: number };
  };
  /** Best first. */
  codes: readonly CodeMethod[];
  recoveryCodeFormat: RecoveryCodeFormat;
  passkeys: Pick<Passkeys, 'list' | 'offered'>;
  audit: Audit;
  mails: Pick<Mails, 'work' | 'send' | 'later'>;
  mailLimits: CodeMethodParts['limits'];
  throttle: Throttle;
  changes: Pick<ChangeLog, 'changed'>;
}): Factors {
  const { config, mails, mailLimits: limits, recoveryCodeFormat: recoveryCodes, passkeys, throttle, changes } = core;
  const { factors: store, accounts } = core.stores;
  const { secretKey } = core.secrets;
  const audit = withFactorLetters(core);
  const parts = { store, accounts, recoveryCodes, mails, limits, audit, changes, secretKey, issuer: config.brandName };
  const codes = core.codes.map((method) => ({ ...method, ...method.open({ ...parts, forgive }) }));
  const ofKind = (wanted: string | undefined) => codes.find(({ kind }) => kind === wanted);
  const enrols = codes.filter(({ enrolment }) => enrolment).map(({ kind }) => kind);
  const written = createCallerRecord(audit);

  async function forgive(subject: string, rows: readonly FactorRow[]): Promise<void> {
    const failed = rows.filter(({ kind, failures }) => failures > 0 && ofKind(kind)?.isLocked);
    for (const kind of new Set(failed.map(({ kind }) => kind))) await store.forgive(subject, kind);
  }

  return {
    codes,

    async list(subject) {
      const rows = await store.list(subject);
      const factors = rows.filter(isActive).map((row) => ({
        id: row.id,
        kind: row.kind,
        name: row.name,
        createdAt: row.createdAt,
        lastUsedAt: row.lastUsedAt,
        locked: ofKind(row.kind)?.isLocked?.(row) ?? false,
      }));
      return { factors, recoveryCodesLeft: codesLeft(rows), recoveryCodesSaved: codesSaved(rows) };
    },

    switches: (account) => codes.filter(({ switchOn }) => switchOn?.fits(account)).map(({ kind }) => kind),

    switchOn: async (kind, subject, caller) => ofKind(kind)?.switchOn?.on(subject, caller) ?? { outcome: 'not-found' },

    adds: (only) => passkeys.offered || (only === undefined && enrols.length > 0),

    enrols,

    begin: async (kind, subject, options) =>
      ofKind(kind)?.enrolment?.begin(subject, options) ?? { outcome: 'not-found' },

    confirm: async (kind, subject, factorId, code, caller) =>
      ofKind(kind)?.enrolment?.confirm(subject, factorId, code, caller) ?? { outcome: 'gone' },

    async remove(subject, factorId, caller) {
      const kind = (await store.list(subject)).find(({ id }) => id === factorId)?.kind;
      if (kind === undefined || !(await store.remove(subject, factorId, nowSeconds()))) return false;
      await changes.changed();
      await written('factor.removed', subject, caller, { kind });
      return true;
    },

    async removeAll(subject, caller) {
      if (!(await store.removeAll(subject, nowSeconds()))) return false;
      await changes.changed();
      await written('factor.removed', subject, caller, { kind: 'all' });
      return true;
    },

    async regenerateRecoveryCodes(subject, caller) {
      const { shown, rows } = newRecoveryCodes(recoveryCodes, subject);
      if (!(await store.replaceCodes(subject, rows))) return undefined;
      await written('recovery_codes.made', subject, caller);
      return shown;
    },

    async confirmSaved(subject, typed, caller, shown = []) {
      const code = recoveryCodes.read(typed);
      if (code === undefined) return false;
      const isStored = await store.markCodesSaved(subject, recoveryCodeHash(subject, code));
      if (isStored) await written('recovery_codes.saved', subject, caller);
      return isStored || shown.some((one) => recoveryCodes.read(one) === code);
    },

    async areCurrent(subject, shown) {
      const rows = await store.list(subject);
      const stored = new Set(rows.filter(({ state }) => state === 'active').map(({ secret }) => secret));
      return shown.every((code) => stored.has(recoveryCodeHash(subject, recoveryCodes.read(code) ?? '')));
    },

    async rename(subject, factorId, name, caller) {
      const kind = (await store.list(subject)).find(({ id }) => id === factorId)?.kind;
      if (kind === undefined || !(await store.rename(subject, factorId, storableName(name)))) return false;
      await written('factor.renamed', subject, caller, { kind });
      return true;
    },

    async methods(subject) {
      const [rows, keys] = await Promise.all([store.list(subject), passkeys.list(subject)]);
      // Recovery codes alone are not a second factor; the store keeps none without another factor.
      if (!rows.some(isActive) && keys.length === 0) return { required: false, methods: [] };
      const methods: SecondFactor[] = keys.length > 0 && passkeys.offered ? ['passkey'] : [];
      for (const { kind, isOpen } of codes) if (await isOpen(subject, rows)) methods.push(kind);
      return { required: true, methods };
    },

    challenge: (kind) => ofKind(kind)?.challenge,

    async endChallenges(subject) {
      await Promise.all(codes.map(({ challenge }) => challenge?.end(subject)));
    },

    async use(subject, typed, fields) {
      // 1. Find the method of the code.
      const method = codes.find(({ read }) => read(typed) !== undefined);
      const code = method?.read(typed);
      if (method === undefined || code === undefined) return { outcome: 'wrong', why: 'wrong' };
      const { guessable, amr } = method;

      // 2. Count the attempt before the check.
      const key = `codes:${subject}`;
      const keys = guessable ? [{ key, limit: config.throttle.accountLimit }] : [];
      if (guessable) {
        const counted = await throttle.attempt(keys, config.throttle.window);
        if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter, keys };
      }

      // 3. Check the code. A wrong one stays counted.
      let isWrong = false;
      try {
        const verified = await method.verify(subject, code, fields);
        isWrong = verified.outcome === 'wrong';
        return verified.outcome === 'right' ? { outcome: 'right', amr } : verified;
      } finally {
        // Takes back this attempt only: the user's success must not reset the count of a guesser.
        if (guessable && !isWrong) await throttle.giveBack([key]);
      }
    },
  };
}

/** Recovery codes alone are not a second factor. */
const isActive = ({ kind, state }: FactorRow): boolean => kind !== 'recovery-code' && state === 'active';
