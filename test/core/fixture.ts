/** Core over a database in memory, with cheap hashing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { AccountForm } from '../../src/core/accounts/account-form.ts';
import { createCore } from '../../src/core/core.ts';
import type { CodeMethod } from '../../src/core/factors/code-method.ts';
import { generateKey } from '../../src/core/keys/keys.ts';
import type { Letter } from '../../src/core/mail/mailer.ts';
import type { Account } from '../../src/core/stores/accounts.ts';
import type { AuditEvent } from '../../src/core/stores/audit.ts';
import type { Stores } from '../../src/core/stores/stores.ts';
import type { Throttle } from '../../src/core/stores/volatile/throttle.ts';
import { createPasswordHasher } from '../../src/login/password/password.ts';
import { openAdapters } from '../../src/open-core.ts';
import type { SqlSettings } from '../../src/storage/sql/open.ts';

/** The origin that its passkeys are made for. */
export const issuer = 'https://id.example.com';

export const goodPassword = 'wet gravel under boots';

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-fixture-'));
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
/** One for all: making one takes longer than most tests. */
const rsaKey = generateKey('RS256');

interface FixtureOptions {
  readonly limits?: { account?: number; address?: number; windowSeconds?: number; codes?: number };
  readonly hasher?: Partial<Parameters<typeof createPasswordHasher>[0]>;
  /** False: no mails are sent. */
  readonly mails?: boolean;
  /** Left out: SQLite in memory. */
  readonly database?: SqlSettings;
  /** Second factors whose login method has been deleted. */
  readonly without?: readonly string[];
  /** What stands in front of each login method that is codes. */
  readonly method?: (method: CodeMethod) => CodeMethod;
  /** What stands in front of the real stores. */
  readonly front?: (stores: Stores) => Partial<Stores>;
}

export type Fixture = Awaited<ReturnType<typeof buildFixture>>;

export async function buildFixture(options: FixtureOptions = {}) {
  const { account = 10, address = 100, windowSeconds = 900, codes = 10 } = options.limits ?? {};
  const { without = [], method = (same) => same, front = () => ({}) } = options;
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
  const throttle = { accountLimit: account, addressLimit: address, window: windowSeconds };
  const config = { ...loaded.config, database, migrate: true, throttle };
  const opened = await openAdapters(config, { logLevel: 'silent', logTo: { write: () => {} } });
  const verified = { count: 0 };
  const sent: Letter[] = [];
  const hasher = createPasswordHasher({ memoryKiB: 64, timeCost: 1, queue: 1000, parallel: 2, ...options.hasher });
  const adapters = {
    ...opened,
    stores: { ...opened.stores, ...front(opened.stores) },
    throttle: withCodeLimit(opened.throttle, codes),
    hasher: {
      ...hasher,
      verify(phc: string | null, password: string) {
        verified.count++;
        return hasher.verify(phc, password);
      },
    },
    passkeyMethod: without.includes('passkey') ? undefined : opened.passkeyMethod,
    codes: opened.codes.filter(({ kind }) => !without.includes(kind)).map(method),
    transport: options.mails === false ? undefined : { deliver: async () => ({ outcome: 'sent' as const }) },
    word(letter: Letter) {
      if (letter.kind === 'sign-in-code' || letter.kind === 'new-sign-in') sent.push(letter);
      return opened.word(letter);
    },
  };
  const core = await createCore(adapters, rsaKey);
  return {
    ...core,
    /** Codes and news of sign-ins by mail so far, the oldest first. */
    sent: sent as readonly Letter[],
    /** Passwords verified so far. */
    verified,
    async make(form?: Partial<AccountForm>): Promise<Account> {
      const whole = { username: 'alice', password: goodPassword, firstName: '', lastName: '', ...form };
      const made = await core.accounts.create(whole);
      if (made.outcome !== 'created') throw new Error(`the account was not made: ${JSON.stringify(made)}`);
      return made.account;
    },
    /** What was audited so far, the oldest first. Mails that were caused have left by then. */
    async audited(): Promise<AuditEvent[]> {
      await core.mails.settled();
      // Notes are written a moment later: a record comes after those that were noted before it.
      await core.audit.record('sign_out', { detail: { marker: true } });
      const events = await core.stores.audit.list({}, 1000);
      return events.filter(({ detail }) => detail.marker !== true).reverse();
    },
  };
}

/** The server has one limit for passwords and codes. */
const withCodeLimit = (throttle: Throttle, limit: number): Throttle => ({
  ...throttle,
  attempt: (keys, seconds) =>
    throttle.attempt(
      keys.map((one) => (one.key.startsWith('codes:') ? { ...one, limit } : one)),
      seconds,
    ),
});
