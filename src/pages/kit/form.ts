/** What pages with a form share: reading it, and saying what keeps it from being looked at. */
import type { Context } from 'koa';
import { Unavailable } from '../../base/errors.ts';
import { readForm } from '../../http/form.ts';
import type { Csrf } from './csrf.ts';
import type { Pages, RefusalMore } from './page.ts';
import type { FormProblemKind } from './view-parts.ts';

/**
 * The form of a post. Undefined if it comes from no page of ours: then it has been refused.
 * `about`: what the form must be about (csrf.ts). `more`: what the refusal says beside.
 */
export async function readCheckedForm(
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
  ctx: Context,
  { about, more }: { readonly about?: string; readonly more?: () => Promise<RefusalMore> } = {},
): Promise<ReadonlyMap<string, string> | undefined> {
  const form = await readForm(ctx);
  if (csrf.check(ctx, form.get('csrf'), about)) return form;
  pages.refuse(ctx, 403, 'form', await more?.());
  return undefined;
}

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
