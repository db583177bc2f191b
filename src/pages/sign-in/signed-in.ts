/** The account that is signed in in the browser of a request, for pages outside an authorization. */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { assuranceOf } from '../../core/factors/assurance.ts';
import type { Account, AccountStore } from '../../core/stores/accounts.ts';
import type { BrowserSession } from '../kit/browser-session.ts';

interface Deps {
  readonly provider: () => Provider;
  readonly stores: { readonly accounts: AccountStore };
  readonly config: { readonly secondFactor: 'none' | 'offered' | 'required' };
}

/** Throws what the storage throws. Returns undefined for a browser without a session. */
export function createSignedIn(deps: Deps) {
  return async (ctx: Context): Promise<Account | undefined> => (await sessionOf(deps, ctx, false))?.account;
}

/**
 * The session for the account pages. The engine enforces a required second factor for clients; these pages check the
 * session themselves.
 */
export function createAccountSession(deps: Deps) {
  const required = deps.config.secondFactor === 'required';
  return (ctx: Context): Promise<BrowserSession | undefined> => sessionOf(deps, ctx, required);
}

async function sessionOf(
  { provider, stores }: Deps,
  ctx: Context,
  byTwo: boolean,
): Promise<BrowserSession | undefined> {
  const { accountId, uid, loginTs, amr } = await provider().Session.get(ctx);
  if (accountId === undefined || (byTwo && assuranceOf(amr) === 'single')) return undefined;
  const account = await stores.accounts.bySubject(accountId);
  return account?.disabledAt === null ? { account, uid, signedInAt: loginTs ?? 0, amr: amr ?? [] } : undefined;
}
