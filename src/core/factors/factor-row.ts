/** Rows of second factors. */
import { nowSeconds } from '../../base/clock.ts';
import { randomToken } from '../../base/secrets.ts';
import type { FactorRow } from '../stores/factors.ts';

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

/** Longest time between two arrivals of the same form, clock differences of nodes included. Seconds. */
const latelySeconds = 10;

export const wasLately = ({ lastUsedAt }: FactorRow): { readonly lately?: true } =>
  lastUsedAt !== null && lastUsedAt > nowSeconds() - latelySeconds ? { lately: true } : {};
