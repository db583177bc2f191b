/**
 * The first admin: a one-time link, printed where the server starts, creates an admin account. It works while there is
 * no admin, so that an installation with users but without an admin can still get one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs, nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import type { AccountForm } from '../accounts/account-form.ts';
import type { Accounts, CreateOutcome } from '../accounts/accounts.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { AccountStore } from '../stores/accounts.ts';
import type { LeaseStore } from '../stores/leases.ts';
import type { Stores } from '../stores/stores.ts';

const purpose = 'setup';

interface SetupLink {
  /** Goes into the link; only its digest is stored. */
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

type CompleteOutcome =
  | CreateOutcome
  /** The link is unknown, used, replaced or expired, or an admin exists by now. */
  | { readonly outcome: 'gone' };

export interface Setup {
  /** No admin exists yet. Reads all accounts if there is none, so call it for the developer only. */
  isNeeded(): Promise<boolean>;
  /** Replaces all earlier links. Returns undefined if an admin exists. Call it in one process of a cluster. */
  createSetupLink(): Promise<SetupLink | undefined>;
  /** Tells whether the link works, for showing its page. */
  isOpen(token: string): Promise<boolean>;
  /** Creates the admin. If the form is refused, the link stays valid. */
  complete(
    token: string,
    form: Omit<AccountForm, 'admin' | 'verified'> & { password: string },
    caller?: Caller,
  ): Promise<CompleteOutcome>;
}

export function createSetup(parts: {
  accounts: Pick<Accounts, 'create'>;
  stores: Pick<Stores, 'accounts' | 'links' | 'leases'>;
  audit: Audit;
  config: { readonly setupLinkTtl: number };
}): Setup {
  const { accounts, audit, config } = parts;
  const { accounts: store, links, leases } = parts.stores;

  const isOpen = async (token: string): Promise<boolean> => {
    const link = await links.find(digest(token));
    return link !== undefined && link.purpose === purpose && link.expiresAt > nowSeconds() && !(await hasAdmin(store));
  };

  return {
    isNeeded: async () => !(await hasAdmin(store)),

    async createSetupLink() {
      if (await hasAdmin(store)) return undefined;
      const token = randomToken();
      const expiresAt = nowSeconds() + config.setupLinkTtl;
      await links.removeAll(purpose);
      await links.insert({ key: digest(token), purpose, subject: null, detail: {}, expiresAt });
      return { token, expiresAt };
    },

    isOpen,

    async complete(token, form, caller) {
      // Checked before the lease too, so that requests with invented tokens do not block it.
      if (!(await isOpen(token))) return { outcome: 'gone' };
      return withLease(leases, async () => {
        if (!(await isOpen(token))) return { outcome: 'gone' };
        const made = await accounts.create({ ...form, admin: true }, caller);
        if (made.outcome !== 'created') return made;
        await links.removeAll(purpose);
        const { subject } = made.account;
        await audit.record('setup.completed', { subject, caller });
        return made;
      });
    },
  };
}

/** Reads one page if the first accounts include an admin, and all pages only if there is none. */
async function hasAdmin(store: AccountStore): Promise<boolean> {
  for (let after = 0; ; ) {
    const page = await store.list(after, 1000);
    if (page.some((account) => account.admin)) return true;
    const last = page.at(-1);
    if (last === undefined || page.length < 1000) return false;
    after = last.id;
  }
}

const leaseMs = 30_000;
const waitMs = 5000;

/** Runs one completion at a time across all processes, so that two requests cannot both create the first admin. */
async function withLease<T>(leases: LeaseStore, work: () => Promise<T>): Promise<T> {
  const holder = randomToken(16);
  const giveUp = nowMs() + waitMs;
  while (!(await leases.acquire(purpose, holder, nowMs() + leaseMs, nowMs()))) {
    if (nowMs() > giveUp) throw new Unavailable('busy');
    await sleep(25);
  }
  try {
    return await work();
  } finally {
    await leases.release(purpose, holder);
  }
}
