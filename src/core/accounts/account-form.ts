/** The data of a new account, and the checks of its names. */

import { emailKey, emailProblem, type NameProblem, nameProblems, personNameProblem } from '../kernel/names.ts';
import type { PasswordProblem } from '../passwords/password-rules.ts';
import type { Attributes } from '../stores/accounts.ts';
import type { NewIdentity } from '../stores/identities.ts';
import { newNameProblem } from './new-names.ts';

export interface AccountForm {
  readonly username: string;
  /** If left out, the account cannot sign in with a password until one is set. */
  readonly password?: string | undefined;
  readonly firstName: string;
  readonly lastName: string;
  readonly email?: string | undefined;
  readonly verified?: boolean | undefined;
  readonly admin?: boolean | undefined;
  /** Checked by attributes.ts. */
  readonly attributes?: Partial<Attributes> | undefined;
  /** The username may read as an e-mail address that is not proved (`NAMES_WITH_AT`). */
  readonly unprovedName?: boolean | undefined;
  /** Further values that the password must not consist of, such as an address that is not proved yet. */
  readonly notInPassword?: readonly string[] | undefined;
  /** The user's identity at an upstream provider. Stored in the same transaction as the account. */
  readonly identity?: NewIdentity | undefined;
}

export type FormField = 'username' | 'email' | 'firstName' | 'lastName';

export type FormProblem =
  | { readonly outcome: 'invalid'; readonly field: FormField; readonly reason: NameProblem; readonly sentence: string }
  | { readonly outcome: 'weak-password'; readonly reason: PasswordProblem };

/**
 * Returns the username if it is an e-mail address. The account takes that address too, so that no second account can
 * have it. While it is unproved, clients do not see it, and no look-up by address finds it.
 */
export function ownEmail(username: string): string | undefined {
  return emailKey(username) === undefined ? undefined : username;
}

/** `email`: from the form, or from `ownEmail`. */
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
