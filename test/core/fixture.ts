/** Core over a database in memory, with cheap hashing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdapters } from '../../src/composition/adapters.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { AccountForm } from '../../src/core/accounts/account-form.ts';
import type { Core } from '../../src/core/core.ts';
import type { CodeMethod } from '../../src/core/factors/code-method.ts';
import { generateKey } from '../../src/core/keys/keys.ts';
import type { Letter } from '../../src/core/mail/mailer.ts';
import type { SignInLimits } from '../../src/core/sign-in/sign-in-attempts.ts';
import type { Account } from '../../src/core/stores/accounts.ts';
import type { AuditEvent } from '../../src/core/stores/audit.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import { createPasswordHasher } from '../../src/login/password/password.ts';
import { composeCore } from '../../src/open-core.ts';
import type { SqlSettings } from '../../src/storage/sql/open.ts';

/** The origin that its passkeys are made for. */
export const issuer = 'https://id.example.com';

export const goodPassword = 'wet gravel under boots';

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-fixture-'));
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
/** One for all: making one takes longer than most tests. */
const rsaKey = generateKey('RS256');

export interface Fixture extends Core {
  /** Codes and news of sign-ins by mail so far, the oldest first. */
  readonly sent: readonly Letter[];
  /** Passwords verified so far; `withNothing`: without an account. */
  readonly verified: { count: number; withNothing: number };
  /** One-time codes looked at so far. */
  readonly looked: { count: number };
  make(form?: Partial<AccountForm>): Promise<Account>;
  /** What was audited so far, the oldest first. Mails that were caused have left by then. */
  audited(): Promise<AuditEvent[]>;
  close(): Promise<void>;
}

export async function buildFixture(
  options: {
    limits?: Partial<SignInLimits & { codes: number }>;
    hasher?: Partial<Parameters<typeof createPasswordHasher>[0]>;
    /** False: no mails are sent. */
    mails?: boolean;
    /** Left out: SQLite in memory. */
    database?: SqlSettings;
    /** Second factors whose login method has been deleted. */
    without?: readonly string[];
    /** What stands in front of the real stores. */
    front?: (stores: Stores) => Partial<Stores>;
  } = {},
): Promise<Fixture> {
  const { account = 10, address = 100, windowSeconds = 900, codes = 10 } = options.limits ?? {};
  const loaded = loadConfig({
    NODE_ENV: 'production',
    ISSUER: issuer,
    DATA_DIR: dataDir,
    SECRET_KEY: 'for these tests only, and long enough',
    ADMIN_KEY: 'for-these-tests-only-and-long-enough',
    MAIL_LIMIT: '10',
    MAIL_ADDRESS_LIMIT: '100',
    SETUP_LINK_TTL: '3600',
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  const database = { pooler: 'auto', ...(options.database ?? { kind: 'sqlite', file: ':memory:' }) } as const;
  const throttle = { ...loaded.config.throttle, accountLimit: account, addressLimit: address, window: windowSeconds };
  const config = { ...loaded.config, database, migrate: true, throttle };
  const opened = await openAdapters(config, { logLevel: 'silent', logTo: { write: () => {} } });
  const verified = { count: 0, withNothing: 0 };
  const looked = { count: 0 };
  const sent: Letter[] = [];
  const hashing = createPasswordHasher({ memoryKiB: 64, timeCost: 1, queue: 1000, parallel: 2, ...options.hasher });
  const core = await composeCore(
    {
      ...opened,
      throttle: {
        ...opened.throttle,
        // The server has one limit for passwords and codes.
        attempt: (keys, seconds) =>
          opened.throttle.attempt(
            keys.map((one) => (one.key.startsWith('codes:') ? { ...one, limit: codes } : one)),
            seconds,
          ),
      },
      stores: { ...opened.stores, ...options.front?.(opened.stores) },
      methods: {
        ...opened.methods,
        password: {
          ...hashing,
          verify(phc, password) {
            verified.count++;
            if (phc === null) verified.withNothing++;
            return hashing.verify(phc, password);
          },
        },
        passkey: options.without?.includes('passkey') ? undefined : opened.methods.passkey,
        codes: opened.methods.codes
          .filter(({ kind }) => !options.without?.includes(kind))
          .map((method) => countingLooks(method, looked)),
      },
      transport: options.mails === false ? undefined : { deliver: async () => ({ outcome: 'sent' }) },
      word(letter) {
        if (letter.kind === 'sign-in-code' || letter.kind === 'new-sign-in') sent.push(letter);
        return opened.word(letter);
      },
    },
    rsaKey,
  );
  return {
    ...core,
    sent,
    verified,
    looked,
    async make(form) {
      const made = await core.accounts.create({
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
      await core.mails.settled();
      // Notes are written a moment later: a record comes after those that were noted before it.
      await core.audit.record('sign_out', { detail: { marker: true } });
      const events = await core.stores.audit.list({}, 1000);
      return events.filter(({ detail }) => detail.marker !== true).reverse();
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
