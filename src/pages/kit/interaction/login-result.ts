/** What the engine is told when somebody has proved who they are: the same from every step that can find it out. */
import type { Interaction } from 'oidc-provider';
import { passwordMark } from '../../../core/kernel/password-proof.ts';
import type { SignInOutcome } from '../../../core/sign-in/sign-in.ts';
import { isWholeSignIn } from '../../../oidc/requests/assurance.ts';
import type { InteractionResults } from './dispatcher.ts';

export type Login = NonNullable<InteractionResults['login']>;

/**
 * `keep`: the browser stays signed in when it is closed. `password` says what the account's password was when this was found out,
 * so that a session cannot begin with one that has been changed since (oidc/requests/outdated-login).
 */
export function loginResult(
  { account, amr, at }: Pick<Extract<SignInOutcome, { outcome: 'signed-in' }>, 'account' | 'amr' | 'at'>,
  keep: boolean,
): { readonly login: Login } {
  return {
    login: {
      accountId: account.subject,
      // A provider that does not say how it proved somebody leaves nothing to pass on.
      ...(amr.length > 0 && { amr: [...amr] }),
      ts: at,
      remember: keep,
      password: passwordMark(account),
    },
  };
}

/**
 * What the engine is told when somebody who is signed in has given, or added, a second factor: their session is surer,
 * and goes on. `at` stays the time of the last whole sign-in, which is what `max_age` and the pages that need a fresh
 * one go by, else whoever finds an open browser and a phone beside it would need no password. `stepUp` says so to
 * oidc/requests/assurance; left out where this very request began with a whole sign-in.
 */
export function surerResult(
  { lastSubmission }: Pick<Interaction, 'lastSubmission'>,
  proved: Parameters<typeof loginResult>[0],
  keep: boolean,
): { readonly login: Login } {
  const { login } = loginResult(proved, keep);
  return isWholeSignIn(lastSubmission) ? { login } : { login: { ...login, stepUp: true } };
}
