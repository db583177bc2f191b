/**
 * The ways to sign in. Each is a folder beside this file and a line here; core/sign-in decides when each is asked for. A method of
 * `codeMethods` can be deleted with its folder and its two lines, which `npm run without-methods` proves.
 */
import type { CodeMethod } from '../core/factors/code-method.ts';
import type { PasskeyMethod } from '../core/factors/passkey-method.ts';
import type { RecoveryCodeFormat } from '../core/factors/recovery-codes.ts';
import type { PasswordHasher } from '../core/passwords/password-hasher.ts';
import { emailCode } from './email-code/email-code.ts';
import { createPasskeyMethod, type PasskeySettings } from './passkey/passkey.ts';
import { createPasswordHasher, type PasswordHasherSettings } from './password/password.ts';
import { recoveryCode, recoveryCodeFormat } from './recovery-code/recovery-code.ts';
import { totp } from './totp/totp.ts';

/** The best first: that is the order in which people are offered theirs. */
export const codeMethods: readonly CodeMethod[] = Object.values({
  totp,
  emailCode,
  recoveryCode,
});

export interface LoginMethods {
  readonly password: PasswordHasher;
  readonly passkey: PasskeyMethod;
  readonly codes: readonly CodeMethod[];
  readonly recoveryCodes: RecoveryCodeFormat;
}

export function openLoginMethods(settings: {
  readonly password: PasswordHasherSettings;
  readonly passkey: PasskeySettings;
}): LoginMethods {
  return {
    password: createPasswordHasher(settings.password),
    passkey: createPasskeyMethod(settings.passkey),
    codes: codeMethods,
    recoveryCodes: recoveryCodeFormat,
  };
}
