/** Who is signed in in the browser that sends this request, for pages outside an authorization. */
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

/** Throws what the storage throws; a browser without a session has no account. */
export function createSignedIn(deps: Deps) {
  return async (ctx: Context): Promise<Account | undefined> => (await sessionOf(deps, ctx, false))?.account;
}

/**
 * The session itself, for the account pages. The engine asks every application's people for a second factor that is
 * required; these pages go by the session alone.
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
