/**
 * The sign-in methods. Each is a folder beside this file and a line with its import here; core/sign-in decides when
 * each is used. `npm run without-methods` proves which of them can be deleted.
 */
import type { CodeMethod } from '../core/factors/code-method.ts';
import type { PasskeyMethod, PasskeySettings } from '../core/factors/passkey-method.ts';
import type { PasswordHasher } from '../core/passwords/password-hasher.ts';
import type { ProviderSource } from '../core/upstream/upstream-provider.ts';
import { emailCode } from './email-code/email-code.ts';
import { createPasskeyMethod } from './passkey/passkey.ts';
import { createPasswordHasher, type PasswordHasherSettings } from './password/password.ts';
import { recoveryCode } from './recovery-code/recovery-code.ts';
import { totp } from './totp/totp.ts';
import { upstream } from './upstream/open.ts';

/** Best first: the order in which they are offered. */
export const codeMethods: readonly CodeMethod[] = Object.values({
  totp,
  emailCode,
  recoveryCode,
});

export const loginMethods: {
  readonly password: (settings: PasswordHasherSettings) => PasswordHasher;
  readonly passkey?: (settings: PasskeySettings) => PasskeyMethod;
  readonly upstream?: ProviderSource;
} = {
  password: createPasswordHasher,
  passkey: createPasskeyMethod,
  upstream,
};
