/** How people prove who they are, and what they prove it with beside the password. */
import { withFactorLetters } from '../core/factors/factor-letters.ts';
import { createFactors } from '../core/factors/factors.ts';
import { createPasskeys } from '../core/factors/passkeys.ts';
import { codeMethods, loginMethods } from '../login/methods.ts';
import { recoveryCodeFormat } from '../login/recovery-code/recovery-code.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { composeMail } from './mail.ts';

export function composeFactors(infrastructure: Infrastructure, { mails, mailLimits }: ReturnType<typeof composeMail>) {
  const { config, secrets, stores, throttle, changes } = infrastructure;
  const hasher = loginMethods.password({
    memoryKiB: config.password.hashMemory,
    timeCost: config.password.hashTime,
    queue: config.password.queue,
  });
  const common = {
    accounts: stores.accounts,
    recoveryCodes: recoveryCodeFormat,
    audit: withFactorLetters(infrastructure.audit, { accounts: stores.accounts, mails }),
    changes,
    secretKey: secrets.secretKey,
  };
  const passkeys = createPasskeys({
    ...common,
    store: stores.passkeys,
    engine: stores.engine,
    method: loginMethods.passkey?.({ issuer: config.issuer, brandName: config.brandName }),
  });
  const factors = createFactors({
    ...common,
    store: stores.factors,
    codes: codeMethods,
    passkeys,
    mails,
    limits: mailLimits,
    throttle,
    issuer: config.brandName,
    settings: { limit: config.throttle.accountLimit, windowSeconds: config.throttle.window },
  });
  return { hasher, passkeys, factors };
}
