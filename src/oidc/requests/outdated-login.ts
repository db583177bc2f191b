/**
 * A sign-in takes several requests. A password change or a disabled account ends all existing sessions, but the session
 * of a sign-in in progress does not exist yet (security.md B13, B14).
 *
 * So the sign-in result holds a mark of the password at that time, which is compared twice: before anything is written,
 * which catches nearly all cases, and again after the session is written. Then either the password change finds the new
 * session, or the second comparison finds the change and ends the session. The browser starts over.
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

/** Returns the sign-in that begins a session with this request; undefined if there is none, or a session continues. */
export async function freshLogin(
  { oidc }: KoaContextWithOIDC,
  { consume, reads }: RequestUnit,
): Promise<FreshLogin | undefined> {
  const login = oidc?.result?.login as FreshLogin | undefined;
  if (!login) return undefined;
  // The page after the sign-in repeats its result. The session of that sign-in exists already, and a password change
  // ends it like any other.
  const interaction = consume.get('Interaction');
  const finished = interaction && (await reads.tokens.get(interaction.key));
  const before = finished && openInteraction(finished, interaction.value)?.lastSubmission?.login;
  return isDeepStrictEqual(login, before) ? undefined : login;
}

/** Call it before anything is written. */
export function isOutdated(login: FreshLogin, unit: RequestUnit): boolean {
  const { accounts } = unit.reads;
  return accounts.has(login.accountId) && !holds(login, accounts.get(login.accountId));
}

/** Call it after everything is written. Returns true if the session was ended. */
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

/** Replaces the engine's response: the browser repeats the request from its beginning, with its existing cookies. */
export function beginAnew(ctx: KoaContextWithOIDC, address: string): void {
  ctx.remove('Set-Cookie');
  ctx.body = null;
  seeOther(ctx, address);
}

function holds({ password }: FreshLogin, account: Account | undefined): boolean {
  if (!account || account.disabledAt !== null || typeof password !== 'string') return false;
  return sameSecret(passwordMark(account), password);
}
