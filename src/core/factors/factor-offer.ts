/**
 * Decides whether to invite a user to add a second factor: at most once in half a year, whatever they answer, and not
 * on the day of their registration.
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { Account } from '../stores/accounts.ts';
import type { EngineStore } from '../stores/engine.ts';

const DAY = 86_400;
const againAfter = 180 * DAY;

export interface FactorOffer {
  /** Returns true once; the caller must then show the invitation. Throws `Unavailable` if storage is not available. */
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
        // Without a subject, so that the row outlives the user's sessions.
        subject: null,
        sessionUid: null,
        expiresAt: now + againAfter,
      };
      return engine.insertOnce(row, now);
    },
  };
}
