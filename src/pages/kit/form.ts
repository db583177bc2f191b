/** How a page answers that shows its form again. */
import { Unavailable } from '../../base/errors.ts';
import type { FormProblemKind } from './view-parts.ts';

/** The status of a page that shows its form. `wrong`: a field needs a change. */
export function formStatus(problem: FormProblemKind | undefined, wrong: boolean): number {
  if (problem !== undefined) return problem === 'throttled' ? 429 : 503;
  return wrong ? 422 : 200;
}

/** Seconds until the full queue of passwords to hash has room again. Throws any other error. */
export function busySeconds(error: unknown): number {
  if (error instanceof Unavailable && error.what === 'busy') return error.retryAfter;
  throw error;
}
