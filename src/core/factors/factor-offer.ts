/**
 * Whether to invite somebody to add a second factor. Once, and not again for half a year, whatever they answer; and not on the day
 * they made the account, when they are here for something else.
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { Account } from '../stores/accounts.ts';
import type { EngineStore } from '../stores/engine.ts';

const DAY = 86_400;
const againAfter = 180 * DAY;

export interface FactorOffer {
  /** True once: whoever asks is to show the invitation. Throws `Unavailable` where storage cannot answer. */
  isDue(account: Pick<Account, 'subject' | 'createdAt' | 'twoFactor'>): Promise<boolean>;
}

export function createFactorOffer({ engine }: { engine: Pick<EngineStore, 'insertOnce'> }): FactorOffer {
  return {
    async isDue({ subject, createdAt, twoFactor }) {
      const now = nowSeconds();
      if (twoFactor || now < createdAt + DAY) return false;
      const row = {
        key: digest(`factor-offer:${subject}`),
        kind: 'FactorOffer',
        payload: '{}',
        grantId: null,
        clientId: null,
        // Not the person's: the end of their sessions is no reason to ask again.
        subject: null,
        sessionUid: null,
        expiresAt: now + againAfter,
      };
      return engine.insertOnce(row, now);
    },
  };
}
