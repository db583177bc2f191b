/** How people prove who they are, and what they prove it with beside the password. */
import { deriveKey } from '../base/secrets.ts';
import { createEmailCodes } from '../core/factors/email-codes.ts';
import { withFactorLetters } from '../core/factors/factor-letters.ts';
import { createFactors } from '../core/factors/factors.ts';
import { createPasskeys } from '../core/factors/passkeys.ts';
import { openLoginMethods } from '../login/methods.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { composeMail } from './mail.ts';

export function composeFactors(infrastructure: Infrastructure, { mails, mailLimits }: ReturnType<typeof composeMail>) {
  const { config, secrets, stores, throttle, changes } = infrastructure;
  const {
    password: hasher,
    totp,
    recoveryCode,
    emailCode,
    passkey,
  } = openLoginMethods({
    passkey: { issuer: config.issuer, brandName: config.brandName },
    password: {
      memoryKiB: config.password.hashMemory,
      timeCost: config.password.hashTime,
      queue: config.password.queue,
    },
  });
  const audit = withFactorLetters(infrastructure.audit, { accounts: stores.accounts, mails });
  const emailCodes = createEmailCodes({
    store: stores.factors,
    accounts: stores.accounts,
    method: emailCode,
    recoveryCode,
    mails,
    limits: mailLimits,
    audit,
    changes,
    hashKey: deriveKey(secrets.secretKey, 'email-codes'),
  });
  const passkeys = createPasskeys({
    store: stores.passkeys,
    accounts: stores.accounts,
    engine: stores.engine,
    method: passkey,
    recoveryCode,
    audit,
    changes,
    secretKey: secrets.secretKey,
  });
  const factors = createFactors({
    store: stores.factors,
    passkeys: stores.passkeys,
    accounts: stores.accounts,
    totp,
    recoveryCode,
    emailCode,
    emailCodes,
    throttle,
    audit,
    changes,
    sealKey: deriveKey(secrets.secretKey, 'factors'),
    settings: {
      issuer: config.brandName,
      limit: config.throttle.accountLimit,
      windowSeconds: config.throttle.window,
    },
  });
  return { hasher, emailCodes, passkeys, factors };
}
