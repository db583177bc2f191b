/** Who is signed in in the browser that sends this request, for pages outside an authorization. */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountStore } from '../core/stores.ts';

/** Throws what the storage throws; a browser without a session is nobody. */
export function createSignedIn(deps: { provider: () => Provider; accounts: AccountStore }) {
  return async (ctx: Context): Promise<Account | undefined> => {
    const { accountId } = await deps.provider().Session.get(ctx);
    return accountId === undefined ? undefined : deps.accounts.bySubject(accountId);
  };
}
