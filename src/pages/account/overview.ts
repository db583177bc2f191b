/** The start page of the account, with the state of each section. */
import { displayName } from '../../core/kernel/names.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountLocals } from './visit.ts';
import { type Show, showPage } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    account: AccountLocals & {
      readonly account: {
        readonly name: string;
        readonly username: string;
        readonly email?: string | undefined;
        readonly verified: boolean;
        readonly hasPassword: boolean;
        readonly twoFactor: boolean;
        readonly createdAt: number;
        readonly lastSeenAt?: number | undefined;
      };
      readonly sessions: number;
      readonly connections: number;
      readonly applications: number;
    };
  }
}

/** The limit for counting a list; beyond it the page shows "or more". */
const countMax = 100;

export function createOverview(deps: AccountDeps): Show {
  return async (visit) => {
    const { account } = visit;
    const [sessions, connections, applications] = await Promise.all([
      deps.sessions.list(account.subject, { limit: countMax }),
      deps.connections.list(account.subject),
      deps.stores.clients.listOwned(account.subject, '', countMax),
    ]);
    return showPage(deps, visit, 'account', {
      account: {
        name: displayName(account),
        username: account.username,
        email: account.email ?? undefined,
        verified: account.verified,
        hasPassword: account.passwordHash !== null,
        twoFactor: account.twoFactor,
        createdAt: account.createdAt,
        lastSeenAt: account.lastSeenAt ?? undefined,
      },
      sessions: sessions.length,
      connections: connections.length,
      applications: applications.length,
    });
  };
}
