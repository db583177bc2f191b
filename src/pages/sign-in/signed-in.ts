/** Who is signed in in the browser that sends this request, for pages outside an authorization. */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountStore } from '../../core/stores/accounts.ts';
import type { BrowserSession } from '../kit/browser-session.ts';

interface Deps {
  readonly provider: () => Provider;
  readonly accounts: AccountStore;
}

interface SessionDeps {
  /** Whether a session that was begun like this counts here; where it does not, nobody is signed in. */
  readonly enough?: (amr: readonly string[] | undefined) => boolean;
}

/** Throws what the storage throws; a browser without a session is nobody. */
export function createSignedIn(deps: Deps) {
  const sessionOf = createBrowserSession(deps);
  return async (ctx: Context): Promise<Account | undefined> => (await sessionOf(ctx))?.account;
}

/** The same with the session itself. */
export function createBrowserSession({ enough = () => true, ...deps }: Deps & SessionDeps) {
  return async (ctx: Context): Promise<BrowserSession | undefined> => {
    const { accountId, uid, loginTs, amr } = await deps.provider().Session.get(ctx);
    const account = accountId === undefined || !enough(amr) ? undefined : await deps.accounts.bySubject(accountId);
    return account?.disabledAt === null ? { account, uid, signedInAt: loginTs ?? 0, amr: amr ?? [] } : undefined;
  };
}
