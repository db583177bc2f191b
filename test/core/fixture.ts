/** The part of the server that accounts and sign-ins need, over a real database, with cheap hashing. */
import { createLog } from '../../src/base/log.ts';
import { createMetrics, type Metrics } from '../../src/base/metrics.ts';
import { deriveKey } from '../../src/base/secrets.ts';
import type { AccountForm } from '../../src/core/accounts/account-form.ts';
import { type Accounts, createAccounts } from '../../src/core/accounts/accounts.ts';
import { type Activity, createActivity } from '../../src/core/accounts/activity.ts';
import { createChangeLog } from '../../src/core/changes/change-log.ts';
import type { CodeMethod } from '../../src/core/factors/code-method.ts';
import { createFactors, type Factors } from '../../src/core/factors/factors.ts';
import { createPasskeys, type Passkeys } from '../../src/core/factors/passkeys.ts';
import { type Audit, createAudit } from '../../src/core/kernel/audit.ts';
import { createKnownBrowsers, type KnownBrowsers } from '../../src/core/known-browsers/known-browsers.ts';
import { createMailLimits, type MailLimits } from '../../src/core/mail/mail-limits.ts';
import type { Letter } from '../../src/core/mail/mailer.ts';
import type { PasswordHasher } from '../../src/core/passwords/password-hasher.ts';
import { createSessions } from '../../src/core/sessions/sessions.ts';
import { createSignIn, type SignIn } from '../../src/core/sign-in/sign-in.ts';
import type { SignInLimits } from '../../src/core/sign-in/sign-in-attempts.ts';
import type { Account } from '../../src/core/stores/accounts.ts';
import type { AuditEvent } from '../../src/core/stores/audit.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import { codeMethods, loginMethods } from '../../src/login/methods.ts';
import type { createPasswordHasher } from '../../src/login/password/password.ts';
import { recoveryCodeFormat } from '../../src/login/recovery-code/recovery-code.ts';
import { createLocalChannel } from '../../src/storage/local/channel.ts';
import { createLocalThrottle } from '../../src/storage/local/throttle.ts';
import { openSql, type SqlSettings } from '../../src/storage/sql/open.ts';

/** The origin that its passkeys are made for. */
export const issuer = 'https://id.example.com';

export const goodPassword = 'wet gravel under boots';

export interface Fixture {
  readonly stores: Stores;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly activity: Activity;
  readonly factors: Factors;
  readonly passkeys: Passkeys;
  readonly mailLimits: MailLimits;
  readonly knownBrowsers: KnownBrowsers;
  /** Letters so far, the oldest first. */
  readonly sent: readonly Letter[];
  readonly signIn: SignIn;
  readonly metrics: Metrics;
  /** Passwords looked at so far; `withNothing`: for nobody. */
  readonly verified: { count: number; withNothing: number };
  /** One-time codes looked at so far. */
  readonly looked: { count: number };
  make(form?: Partial<AccountForm>): Promise<Account>;
  /** What was audited so far, the oldest first. */
  audited(): Promise<AuditEvent[]>;
  close(): Promise<void>;
}

export async function buildFixture(
  options: {
    limits?: Partial<SignInLimits & { codes: number }>;
    hasher?: Partial<Parameters<typeof createPasswordHasher>[0]>;
    /** False: this house sends no mails. */
    mails?: boolean;
    /** Left out: SQLite in memory. */
    database?: SqlSettings;
    /** Second factors whose login method has been deleted. */
    without?: readonly string[];
    /** What stands in front of the real stores. */
    front?: (stores: Stores) => Partial<Stores>;
  } = {},
): Promise<Fixture> {
  const real = await openSql(options.database ?? { kind: 'sqlite', file: ':memory:' }, { migrateAtOpen: true });
  const stores: Stores = { ...real, ...options.front?.(real) };
  const { log } = createLog({ level: 'silent', format: 'json', to: { write: () => {} } });
  const metrics = createMetrics();
  const audit = createAudit({ store: stores.audit, log, metrics, retryMs: 5 });
  const hashing = loginMethods.password({ memoryKiB: 64, timeCost: 1, queue: 1000, parallel: 2, ...options.hasher });
  const verified = { count: 0, withNothing: 0 };
  const hasher: PasswordHasher = {
    ...hashing,
    verify(phc, password) {
      verified.count++;
      if (phc === null) verified.withNothing++;
      return hashing.verify(phc, password);
    },
  };
  const changes = createChangeLog({ changes: stores.changes, channel: createLocalChannel() });
  const activity = createActivity({ ...stores, log });
  const accounts = createAccounts({
    store: stores.accounts,
    sessions: createSessions({
      engine: stores.engine,
      changes,
      audit,
      secretKey: 'for the tests of this house only',
      idle: 0,
    }),
    changes,
    hasher,
    audit,
    settings: { passwordMinLength: 15, passwordMinLengthSecondFactor: 8, serviceName: 'Gatehouse' },
  });
  const throttle = createLocalThrottle();
  const looked = { count: 0 };
  const { codes = 10, ...limits } = options.limits ?? {};
  const sent: Letter[] = [];
  const mailLimits = createMailLimits({ throttle, settings: { mailbox: 10, address: 100 } });
  const ofFactors = {
    accounts: stores.accounts,
    recoveryCodes: recoveryCodeFormat,
    audit,
    changes,
    secretKey: 'for the tests of this house only',
  };
  const passkeys = createPasskeys({
    ...ofFactors,
    store: stores.passkeys,
    engine: stores.engine,
    method: options.without?.includes('passkey')
      ? undefined
      : loginMethods.passkey?.({ issuer, brandName: 'Gatehouse' }),
  });
  const factors = createFactors({
    ...ofFactors,
    store: stores.factors,
    codes: codeMethods
      .filter(({ kind }) => !options.without?.includes(kind))
      .map((method) => countingLooks(method, looked)),
    passkeys,
    mails: { work: options.mails ?? true, send: (letter) => void sent.push(letter) },
    limits: mailLimits,
    throttle,
    issuer: 'Gatehouse',
    settings: { limit: codes, windowSeconds: limits.windowSeconds ?? 900 },
  });
  const knownBrowsers = createKnownBrowsers({
    store: stores.knownBrowsers,
    accounts: stores.accounts,
    mails: {
      later: (look) =>
        void look().then((letter) => {
          if (letter) sent.push(letter);
        }),
    },
    engine: stores.engine,
    throttle,
    audit,
    valueKey: deriveKey('for the tests of this house only', 'devices'),
    settings: { mail: true },
  });
  const signIn = createSignIn({
    accounts: stores.accounts,
    identities: stores.identities,
    hasher,
    factors,
    passkeys,
    knownBrowsers,
    activity,
    throttle,
    audit,
    log,
    metrics,
    limits: { account: 10, address: 100, windowSeconds: 900, ...limits },
  });
  return {
    stores,
    accounts,
    audit,
    activity,
    factors,
    passkeys,
    mailLimits,
    knownBrowsers,
    sent,
    signIn,
    metrics,
    verified,
    looked,
    async make(form) {
      const made = await accounts.create({
        username: 'alice',
        password: goodPassword,
        firstName: '',
        lastName: '',
        ...form,
      });
      if (made.outcome !== 'created') throw new Error(`the account was not made: ${JSON.stringify(made)}`);
      return made.account;
    },
    async audited() {
      // Notes are written a moment later: a record comes after those that were noted before it.
      await audit.record('sign_out', { detail: { marker: true } });
      const events = await stores.audit.list({}, 1000);
      return events.filter(({ detail }) => detail.marker !== true).reverse();
    },
    async close() {
      await activity.close();
      await audit.close();
      await real.close();
    },
  };
}

/** Counts the codes that could be guessed and were looked at: those of a locked app are not. */
function countingLooks(method: CodeMethod, looked: { count: number }): CodeMethod {
  return {
    ...method,
    open(parts) {
      const open = method.open(parts);
      return {
        ...open,
        async verify(...given) {
          const verified = await open.verify(...given);
          const locked = verified.outcome === 'wrong' && verified.why === 'locked';
          if (method.guessable && !locked) looked.count++;
          return verified;
        },
      };
    },
  };
}
