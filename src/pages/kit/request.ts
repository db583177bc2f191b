/** Helpers that read query parameters. */
import type { Context } from 'koa';

/** Returns undefined if the parameter is absent or repeated. */
export function oneOf(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * The interaction that the person left, by its id, so that a link in a mail can lead back. Only a valid id is accepted,
 * and it only becomes a path on this server, where the interaction still requires its own browser.
 */
export function signInOf(ctx: Context): { readonly id: string; readonly path: string } | undefined {
  const id = oneOf(ctx, 'from');
  return id !== undefined && /^[\w-]{10,64}$/.test(id) ? { id, path: `/interaction/${id}` } : undefined;
}

/** The address of a page of this server, with the parameter that leads back. */
export function withSignIn(ctx: Context, path: string, query: Readonly<Record<string, string>> = {}): string {
  const from = signInOf(ctx);
  const all = new URLSearchParams({ ...query, ...(from && { from: from.id }) });
  return all.size === 0 ? path : `${path}?${all}`;
}
