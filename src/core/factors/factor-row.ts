/** Rows of second factors. */
import { nowSeconds } from '../../base/clock.ts';
import { randomToken } from '../../base/secrets.ts';
import type { FactorRow } from '../stores/factors.ts';

/** As it is when it is new. */
export function newFactor(
  subject: string,
  kind: string,
  given: { name?: string; secret: string; state: FactorRow['state'] },
): FactorRow {
  return {
    id: randomToken(16),
    subject,
    kind,
    name: '',
    lastStep: 0,
    failures: 0,
    createdAt: nowSeconds(),
    lastUsedAt: null,
    ...given,
  };
}

/** What lies between two arrivals of one form, and between the clocks of two nodes, in seconds. */
const latelySeconds = 10;

export const wasLately = ({ lastUsedAt }: FactorRow): { readonly lately?: true } =>
  lastUsedAt !== null && lastUsedAt > nowSeconds() - latelySeconds ? { lately: true } : {};
