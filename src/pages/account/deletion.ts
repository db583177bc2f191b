/** Deletes the account and everything that belongs to it, after a fresh sign-in and with the username typed. */
import { usernameKey } from '../../core/kernel/names.ts';
import type { ViewLocals } from '../kit/views.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, type Show, showPage, type Take, type Visit } from './visit.ts';

export const deleteErrors = ['name', 'last-admin'] as const;

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-delete': AccountForm & {
      readonly username: string;
      readonly applications: number;
      readonly typed?: string | undefined;
      readonly error?: (typeof deleteErrors)[number] | undefined;
    };
    'account-deleted': Readonly<Record<string, never>>;
  }
}

const countMax = 1000;

export function createDeletionPage(deps: AccountDeps): { show: Show; take: Take } {
  async function show(
    visit: Visit,
    refused?: Pick<ViewLocals['account-delete'], 'typed' | 'error'>,
  ): Promise<undefined> {
    const { account } = visit;
    const own = await deps.stores.clients.listOwned(account.subject, '', countMax);
    return showPage(
      deps,
      visit,
      'account-delete',
      { username: account.username, applications: own.length, ...refused },
      { status: refused === undefined ? 200 : 422 },
    );
  }

  return {
    show: (visit) => show(visit),

    async take(visit, form) {
      const { account } = visit;
      const typed = form.get('username')?.trim() ?? '';
      if (usernameKey(typed) !== account.usernameKey) return show(visit, { typed, error: 'name' });
      const removed = await deps.accounts.remove(account.subject, callerIn(visit, deps.pages));
      if (removed === 'last-admin') return show(visit, { typed, error: 'last-admin' });
      return { to: '/account/deleted' };
    },
  };
}
