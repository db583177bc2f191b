/**
 * A block of tests that need a program beside Node. Skipped without it, as the run says once; in CI it must be there.
 */
import { describe } from '@jest/globals';
import { isTested, type Need } from './needs.ts';

export const describeWith = (need: Need) => (isTested(need) ? describe : describe.skip);
