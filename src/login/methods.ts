/** The ways to sign in. A new one is a folder beside this file and a line in the list; core/sign-in decides when each is asked for. */

import type { EmailCodeMethod, RecoveryCodeMethod, TotpMethod } from '../core/factors/one-time-codes.ts';
import type { PasskeyMethod } from '../core/factors/passkey-method.ts';
import type { Amr } from '../core/kernel/amr.ts';
import type { PasswordHasher } from '../core/passwords/password-hasher.ts';
import { emailCode } from './email-code/email-code.ts';
import { createPasskeyMethod, type PasskeySettings } from './passkey/passkey.ts';
import { createPasswordHasher, type PasswordHasherSettings } from './password/password.ts';
import { recoveryCode } from './recovery-code/recovery-code.ts';
import { totp } from './totp/totp.ts';

export interface LoginMethodSettings {
  readonly password: PasswordHasherSettings;
  readonly passkey: PasskeySettings;
}

/** What the methods give core/sign-in to work with. */
export interface LoginMethods {
  readonly password: PasswordHasher;
  readonly totp: TotpMethod;
  readonly recoveryCode: RecoveryCodeMethod;
  readonly emailCode: EmailCodeMethod;
  readonly passkey: PasskeyMethod;
}

interface LoginMethod<T> {
  /** `first` proves the person by itself; `second` is asked for after a first one. */
  readonly step: 'first' | 'second' | 'either';
  /** What it may add to `amr` (RFC 8176). */
  readonly amr: readonly Amr[];
  open(settings: LoginMethodSettings): T;
}

export const loginMethods: { readonly [Name in keyof LoginMethods]: LoginMethod<LoginMethods[Name]> } = {
  password: { step: 'first', amr: ['pwd'], open: (settings) => createPasswordHasher(settings.password) },
  totp: { step: 'second', amr: ['otp'], open: () => totp },
  // A code of a list that was handed out before is a one-time password too.
  recoveryCode: { step: 'second', amr: ['otp'], open: () => recoveryCode },
  emailCode: { step: 'second', amr: ['otp'], open: () => emailCode },
  // In hardware or synced, and somebody was there.
  passkey: { step: 'either', amr: ['hwk', 'swk', 'user'], open: (settings) => createPasskeyMethod(settings.passkey) },
};

export function openLoginMethods(settings: LoginMethodSettings): LoginMethods {
  const { password, totp, recoveryCode, emailCode, passkey } = loginMethods;
  return {
    password: password.open(settings),
    totp: totp.open(settings),
    recoveryCode: recoveryCode.open(settings),
    emailCode: emailCode.open(settings),
    passkey: passkey.open(settings),
  };
}
