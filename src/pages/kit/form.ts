/** Helpers for pages that show their form again. */
import { Unavailable } from '../../base/errors.ts';
import type { FormProblemKind } from './view-parts.ts';

/** Status of a page with a form. `wrong`: a field has an error. */
export function formStatus(problem: FormProblemKind | undefined, wrong: boolean): number {
  if (problem !== undefined) return problem === 'throttled' ? 429 : 503;
  return wrong ? 422 : 200;
}

/** Seconds until the password hashing queue has room again. Throws any other error. */
export function busySeconds(error: unknown): number {
  if (error instanceof Unavailable && error.what === 'busy') return error.retryAfter;
  throw error;
}
