/** What the pages of this folder read from a request, and where they send on to. */
import type { Context } from 'koa';

/** A query parameter that is there once. */
export function oneOf(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * The sign-in that somebody came from, by the id of its interaction: the way back, kept through the mail. Nothing but such an id is
 * taken, and it only ever becomes a path on this server, where the interaction still belongs to its own browser.
 */
export function signInOf(ctx: Context): { readonly id: string; readonly path: string } | undefined {
  const id = oneOf(ctx, 'from');
  return id !== undefined && /^[\w-]{10,64}$/.test(id) ? { id, path: `/interaction/${id}` } : undefined;
}

/** This page's own address, with the way back. */
export function withSignIn(ctx: Context, path: string, query: Readonly<Record<string, string>> = {}): string {
  const from = signInOf(ctx);
  const all = new URLSearchParams({ ...query, ...(from && { from: from.id }) });
  return all.size === 0 ? path : `${path}?${all}`;
}
