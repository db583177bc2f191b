/**
 * The first admin: a one-time link, shown where the server was started, that makes an admin account. It works while there
 * is no admin: an installation on which people have signed up but whose admin was never made is not locked out of itself.
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
  /** The link is unknown, used, replaced or expired, or there is an admin by now. */
  | { readonly outcome: 'gone' };

export interface Setup {
  /** A new link in place of every older one; undefined where there is an admin. Call it in one process of a fleet. */
  createSetupLink(): Promise<SetupLink | undefined>;
  /** Whether the link would still work, for showing its page. */
  isOpen(token: string): Promise<boolean>;
  /** Makes the admin. A form that is refused leaves the link as it was. */
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
      // Asked before the lease too, so that a stranger with a made-up token can hold nobody up.
      if (!(await isOpen(token))) return { outcome: 'gone' };
      return alone(leases, async () => {
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

/** The first admin is as a rule the first account, so this reads one page; all of them only where there is no admin. */
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
const patienceMs = 5000;

/** One completion at a time over all processes: between "there is no admin" and the insert nobody else may look. */
async function alone<T>(leases: LeaseStore, work: () => Promise<T>): Promise<T> {
  const holder = randomToken(16);
  const giveUp = nowMs() + patienceMs;
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
