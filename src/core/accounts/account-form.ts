/** What an account is made of, and the rules for its names. */

import { emailKey, emailProblem, type NameProblem, nameProblems, personNameProblem } from '../kernel/names.ts';
import type { PasswordProblem } from '../passwords/password-rules.ts';
import type { Attributes } from '../stores/accounts.ts';
import type { NewIdentity } from '../stores/identities.ts';
import { newNameProblem } from './new-names.ts';

export interface AccountForm {
  readonly username: string;
  /** Left out: an account that cannot sign in with a password until one is set. */
  readonly password?: string | undefined;
  readonly firstName: string;
  readonly lastName: string;
  readonly email?: string | undefined;
  readonly verified?: boolean | undefined;
  readonly admin?: boolean | undefined;
  /** As core/accounts/attributes has looked at them. */
  readonly attributes?: Partial<Attributes> | undefined;
  /** The username may read as an e-mail address that is not proved (`NAMES_WITH_AT`). */
  readonly unprovedName?: boolean | undefined;
  /** What else the password must not be made of: an address that the account is to have when it is proved. */
  readonly notInPassword?: readonly string[] | undefined;
  /** With which its person signs in at another provider: made with the account, or neither is. */
  readonly identity?: NewIdentity | undefined;
}

export type FormField = 'username' | 'email' | 'firstName' | 'lastName';

export type FormProblem =
  | { readonly outcome: 'invalid'; readonly field: FormField; readonly reason: NameProblem; readonly sentence: string }
  | { readonly outcome: 'weak-password'; readonly reason: PasswordProblem };

/**
 * A username that is an e-mail address takes that address for its account: the store's one account per e-mail key then keeps
 * two accounts from having one address as name and as address. Unproved, it is never sent or matched as an address.
 */
export function ownEmail(username: string): string | undefined {
  return emailKey(username) === undefined ? undefined : username;
}

/** `email`: given, or the username's own. */
export function formProblem(
  form: Pick<AccountForm, 'username' | 'firstName' | 'lastName' | 'verified' | 'unprovedName'>,
  email: string | undefined,
): Extract<FormProblem, { outcome: 'invalid' }> | undefined {
  const provedEmail = form.verified === true ? email : undefined;
  const checks: [FormField, NameProblem | undefined][] = [
    ['username', newNameProblem(form.username, { provedEmail, unproved: form.unprovedName })],
    ['email', email === undefined ? undefined : emailProblem(email)],
    ['firstName', personNameProblem(form.firstName)],
    ['lastName', personNameProblem(form.lastName)],
  ];
  for (const [field, reason] of checks) {
    if (reason !== undefined) return { outcome: 'invalid', field, reason, sentence: nameProblems[reason] };
  }
  return undefined;
}
