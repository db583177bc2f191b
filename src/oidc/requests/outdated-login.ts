/**
 * Signing in takes a while: the password is looked at, the browser is sent on, a session is written. Whoever changes the password
 * or disables the account in between has ended the sessions that there were, and this one was not there yet (security.md B13, B14).
 *
 * So what was found out says what the password was then, and that is compared twice: before anything is written, which is nearly
 * always in time and leaves everything as it was; and once more when the session is there. Seen only afterwards, neither order of
 * the two lets one slip through: either whoever made the change found the session and ended it, or it is found and ended here.
 * The browser begins anew.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { sameSecret } from '../../base/secrets.ts';
import { passwordMark } from '../../core/kernel/password-proof.ts';
import type { Account, AccountStore } from '../../core/stores/accounts.ts';
import type { EngineStore } from '../../core/stores/engine.ts';
import { seeOther } from '../../http/hardening.ts';
import { openInteraction } from '../adapter/interactions.ts';
import type { RequestUnit } from '../request-unit.ts';

interface OutdatedLoginDeps {
  readonly engine: Pick<EngineStore, 'deleteSession' | 'revokeGrant'>;
  readonly accounts: Pick<AccountStore, 'bySubject'>;
  /** A session was ended that had just begun. */
  readonly onEnded: (ctx: KoaContextWithOIDC, subject: string) => void;
}

interface FreshLogin {
  readonly accountId: string;
  readonly ts?: number;
  readonly password?: unknown;
}

/** The sign-in that this request makes a session of; undefined where it makes none, or goes on with one that is there. */
export async function freshLogin(
  { oidc }: KoaContextWithOIDC,
  { consume, reads }: RequestUnit,
): Promise<FreshLogin | undefined> {
  const login = oidc?.result?.login as FreshLogin | undefined;
  if (!login) return undefined;
  // The page after the sign-in brings it along once more. Whoever ends sessions finds the one that it has made.
  const finished = consume && (await reads.tokens.get(consume.key));
  const before = finished && openInteraction(finished, consume.value)?.lastSubmission?.login;
  return isDeepStrictEqual(login, before) ? undefined : login;
}

/** Nothing is written yet. */
export function isOutdated(login: FreshLogin, unit: RequestUnit): boolean {
  const { accounts } = unit.reads;
  return accounts.has(login.accountId) && !holds(login, accounts.get(login.accountId));
}

/** Everything is written. True: it has been ended again. */
export async function endIfOutdated(
  deps: OutdatedLoginDeps,
  ctx: KoaContextWithOIDC,
  login: FreshLogin,
  unit: RequestUnit,
): Promise<boolean> {
  if (holds(login, await deps.accounts.bySubject(login.accountId))) return false;
  for (const uid of unit.sessions.keys()) await deps.engine.deleteSession(uid);
  for (const id of unit.grants.keys()) await deps.engine.revokeGrant(id);
  deps.onEnded(ctx, login.accountId);
  return true;
}

/** Instead of what the engine has answered: the same request from its beginning, with the cookies that the browser has. */
export function beginAnew(ctx: KoaContextWithOIDC, path: string): void {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(ctx.oidc.params ?? {})) {
    if (typeof value === 'string' || typeof value === 'number') query.append(name, String(value));
  }
  ctx.remove('Set-Cookie');
  ctx.body = null;
  seeOther(ctx, `${path}?${query}`);
}

function holds({ password }: FreshLogin, account: Account | undefined): boolean {
  if (!account || account.disabledAt !== null || typeof password !== 'string') return false;
  return sameSecret(passwordMark(account), password);
}
