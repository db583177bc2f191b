/** How people prove who they are, and what they prove it with beside the password. */
import type { Core } from '../core/core.ts';
import { withFactorLetters } from '../core/factors/factor-letters.ts';
import { createFactors } from '../core/factors/factors.ts';
import { createPasskeys } from '../core/factors/passkeys.ts';
import type { Adapters } from './adapters.ts';

export function composeFactors(shared: Adapters & Pick<Core, 'audit' | 'changes' | 'mails' | 'mailLimits'>) {
  const { config, secrets, stores, throttle, changes, mails, mailLimits, methods } = shared;
  const common = {
    accounts: stores.accounts,
    recoveryCodes: methods.recoveryCodes,
    audit: withFactorLetters(shared.audit, { accounts: stores.accounts, mails }),
    changes,
    secretKey: secrets.secretKey,
  };
  const passkeys = createPasskeys({
    ...common,
    store: stores.passkeys,
    engine: stores.engine,
    method: methods.passkey,
  });
  const factors = createFactors({
    ...common,
    store: stores.factors,
    codes: methods.codes,
    passkeys,
    mails,
    limits: mailLimits,
    throttle,
    issuer: config.brandName,
    settings: { limit: config.throttle.accountLimit, windowSeconds: config.throttle.window },
  });
  return { hasher: methods.password, passkeys, factors };
}
