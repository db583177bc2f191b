/** How people prove who they are, and what they prove it with beside the password. */
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
    passkey,
    codes,
    recoveryCodes,
  } = openLoginMethods({
    passkey: { issuer: config.issuer, brandName: config.brandName },
    password: {
      memoryKiB: config.password.hashMemory,
      timeCost: config.password.hashTime,
      queue: config.password.queue,
    },
  });
  const common = {
    accounts: stores.accounts,
    recoveryCodes,
    audit: withFactorLetters(infrastructure.audit, { accounts: stores.accounts, mails }),
    changes,
    secretKey: secrets.secretKey,
  };
  const passkeys = createPasskeys({ ...common, store: stores.passkeys, engine: stores.engine, method: passkey });
  const factors = createFactors({
    ...common,
    store: stores.factors,
    codes,
    passkeys: stores.passkeys,
    mails,
    limits: mailLimits,
    throttle,
    issuer: config.brandName,
    settings: { limit: config.throttle.accountLimit, windowSeconds: config.throttle.window },
  });
  return { hasher, passkeys, factors };
}
