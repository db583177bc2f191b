/** Rows of second factors. */
import { nowSeconds } from '../../base/clock.ts';
import { randomToken } from '../../base/secrets.ts';
import type { FactorRow } from '../stores/factors.ts';

export function newFactor(
  subject: string,
  kind: string,
  given: { name?: string; secret: string; state: FactorRow['state']; saved?: boolean },
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
    saved: true,
    ...given,
  };
}

/** Longest time between two arrivals of the same form, clock differences of nodes included. Seconds. */
const latelySeconds = 10;

export const wasLately = ({ lastUsedAt }: FactorRow): { readonly lately?: true } =>
  lastUsedAt !== null && lastUsedAt > nowSeconds() - latelySeconds ? { lately: true } : {};

/** The user's name for a factor, cut to what is stored. */
export const storableName = (name: string): string => name.slice(0, 64).toWellFormed().replaceAll('\0', '\uFFFD');
