/**
 * Second factors: codes (each kind a login method, core/factors/code-method), passkeys (core/factors/passkeys), and
 * recovery codes for the day they are lost. Who may enrol or remove one, and after which proof, is for the pages to
 * ask; what a code is worth at a sign-in is decided here, for every entry point alike.
 *
 * A code that can be guessed counts before it is looked at, so that of parallel guesses no more than the limit are
 * looked at in a window, and no success of the person's own gives a guesser a fresh start. It takes the password to
 * come this far, so no stranger can lock an account by it.
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
import type { Throttle, ThrottleKey } from '../stores/throttle.ts';
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
import type { Passkeys } from './passkeys.ts';
import { codesLeft, newRecoveryCodes, type RecoveryCodeFormat } from './recovery-codes.ts';

/** `passkey`, or the kind of a login method that is codes. */
export type SecondFactor = string;

/** What a person may see of a factor of theirs; core/factors/passkeys has passkeys. */
interface Factor {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** Refused after too many wrong codes in a row; a recovery code ends it. */
  readonly locked: boolean;
}

interface FactorList {
  readonly factors: readonly Factor[];
  readonly recoveryCodesLeft: number;
}

type UseOutcome =
  | { readonly outcome: 'right'; readonly amr: readonly Amr[] }
  | Extract<Verified, { outcome: 'wrong' }>
  /** `keys`: what is at its limit. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number; readonly keys: readonly ThrottleKey[] };

/** All throw `Unavailable` where storage cannot answer. */
export interface Factors {
  /** The login methods that are codes, the best first. */
  readonly codes: readonly (Pick<CodeMethod, 'kind' | 'name' | 'wire'> & Pick<OpenCodeMethod, 'switchOn'>)[];
  list(subject: string): Promise<FactorList>;
  /** Kinds that are switched on without more ado, and could be for this account. */
  switches(account: Account): readonly string[];
  switchOn(kind: string, subject: string, caller?: Caller): Promise<SwitchOnOutcome>;
  /** Whether a page can add a second factor that would do here. `only`: nothing else would. */
  adds(only: 'passkey' | undefined): boolean;
  /** Kinds with which a device can be enrolled, the best first. */
  readonly enrols: readonly string[];
  /** Nothing is asked for at a sign-in until the enrolment is confirmed. */
  begin(
    kind: string | undefined,
    subject: string,
    options?: { readonly name?: string },
  ): Promise<BegunEnrolment | { readonly outcome: 'not-found' | 'too-many' }>;
  /** With a current code, which shows that the device has the secret. */
  confirm(
    kind: string | undefined,
    subject: string,
    factorId: string,
    code: string,
    caller?: Caller,
  ): Promise<ConfirmOutcome>;
  /** False where the account has no such factor. With the last one the recovery codes go. */
  remove(subject: string, factorId: string, caller?: Caller): Promise<boolean>;
  /** For an admin whose person has lost everything. False where there was nothing. */
  removeAll(subject: string, caller?: Caller): Promise<boolean>;
  /** Ten new codes in place of all older ones, to be shown once; undefined where the account has no second factor. */
  regenerateRecoveryCodes(subject: string, caller?: Caller): Promise<readonly string[] | undefined>;
  /** The ways open to this account, the best first; `required` with none of them where all are locked or used up. */
  methods(subject: string): Promise<{ readonly required: boolean; readonly methods: readonly SecondFactor[] }>;
  /** How a code of this kind is sent; undefined where it is none that is sent. */
  challenge(kind: string | undefined): Pick<Challenge, 'send'> | undefined;
  /** The codes that are out are good no more. */
  endChallenges(subject: string): Promise<void>;
  /** Looks at what was typed at a sign-in, whichever kind of code it is, and uses it up. Only after the right password. */
  use(subject: string, typed: string, fields: AuditFields): Promise<UseOutcome>;
}

export function createFactors(core: {
  stores: { readonly factors: FactorStore; readonly accounts: Pick<AccountStore, 'bySubject'> };
  secrets: { readonly secretKey: string };
  config: {
    readonly brandName: string;
    /** Wrong codes of an account within the window, which is in seconds. */
    readonly throttle: { readonly accountLimit: number; readonly window: number };
  };
  /** The best first. */
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
      return { factors, recoveryCodesLeft: codesLeft(rows) };
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

    async methods(subject) {
      const [rows, keys] = await Promise.all([store.list(subject), passkeys.list(subject)]);
      // Alone, recovery codes are no second factor; the store keeps none without another.
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
      // 1. Which kind of code it is.
      const method = codes.find(({ read }) => read(typed) !== undefined);
      const code = method?.read(typed);
      if (method === undefined || code === undefined) return { outcome: 'wrong', why: 'wrong' };
      const { guessable, amr } = method;

      // 2. Count it before it is looked at.
      const key = `codes:${subject}`;
      const keys = guessable ? [{ key, limit: config.throttle.accountLimit }] : [];
      if (guessable) {
        const counted = await throttle.attempt(keys, config.throttle.window);
        if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter, keys };
      }

      // 3. Look at it. A wrong one stays counted.
      let isWrong = false;
      try {
        const verified = await method.verify(subject, code, fields);
        isWrong = verified.outcome === 'wrong';
        return verified.outcome === 'right' ? { outcome: 'right', amr } : verified;
      } finally {
        // Not cleared: the person's own success must not give a guesser a fresh start.
        if (guessable && !isWrong) await throttle.giveBack([key]);
      }
    },
  };
}

/** Recovery codes stand in for a second factor; alone they are none. */
const isActive = ({ kind, state }: FactorRow): boolean => kind !== 'recovery-code' && state === 'active';
