/** The ways to sign in. A new one is a folder beside this file and a line in the list; core/sign-in decides when each is asked for. */
import type { PasswordHasher } from '../core/password-hasher.ts';
import type { Amr } from '../core/sign-in.ts';
import { createPasswordHasher, type PasswordHasherSettings } from './password/password.ts';

export interface LoginMethodSettings {
  readonly password: PasswordHasherSettings;
}

/** What the methods give core/sign-in to work with. */
export interface LoginMethods {
  readonly password: PasswordHasher;
}

interface LoginMethod<T> {
  /** `first` proves the person by itself; `second` is asked for after a first one. */
  readonly step: 'first' | 'second';
  /** What it adds to `amr` (RFC 8176). */
  readonly amr: Amr;
  open(settings: LoginMethodSettings): T;
}

export const loginMethods: { readonly [Name in keyof LoginMethods]: LoginMethod<LoginMethods[Name]> } = {
  password: { step: 'first', amr: 'pwd', open: (settings) => createPasswordHasher(settings.password) },
};

export function openLoginMethods(settings: LoginMethodSettings): LoginMethods {
  return { password: loginMethods.password.open(settings) };
}
