/** The results with which a sign-in or a step-up ends, for the engine. */
import type { Interaction } from 'oidc-provider';
import { passwordMark } from '../../../core/kernel/password-proof.ts';
import type { SignInOutcome } from '../../../core/sign-in/sign-in.ts';
import { isWholeSignIn } from '../../../oidc/requests/assurance.ts';
import type { InteractionResults } from './dispatcher.ts';

export type Login = NonNullable<InteractionResults['login']>;

/**
 * `keep`: the session survives the closing of the browser. `password` identifies the password at the time of the proof,
 * so a session cannot start if the password has changed since (oidc/requests/outdated-login).
 */
export function loginResult(
  { account, amr, at }: Pick<Extract<SignInOutcome, { outcome: 'signed-in' }>, 'account' | 'amr' | 'at'>,
  keep: boolean,
): { readonly login: Login } {
  return {
    login: {
      accountId: account.subject,
      // Some upstream providers do not name the methods they used.
      ...(amr.length > 0 && { amr: [...amr] }),
      ts: at,
      remember: keep,
      password: passwordMark(account),
    },
  };
}

/**
 * The result of a step-up: a signed-in person has used or added a second factor. `at` stays the time of the last full
 * sign-in, on which `max_age` and fresh sign-ins depend; otherwise a found open session and phone would replace the
 * password. `stepUp` is absent if this request began with a full sign-in (oidc/requests/assurance).
 */
export function surerResult(
  { lastSubmission }: Pick<Interaction, 'lastSubmission'>,
  proved: Parameters<typeof loginResult>[0],
  keep: boolean,
): { readonly login: Login } {
  const { login } = loginResult(proved, keep);
  return isWholeSignIn(lastSubmission) ? { login } : { login: { ...login, stepUp: true } };
}
