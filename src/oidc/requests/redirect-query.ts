/**
 * Keeps the query of a redirect URI byte for byte (RFC 6749, section 3.1.2). The engine parses and rewrites it to add
 * its own parameters: `%20` becomes `+`, `%E4` another letter, `flag` becomes `flag=`. This restores the original
 * bytes. If a response parameter replaces one of the query, the engine's result stays.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';

/** Runs around the engine, and inside all other middleware that reads the redirect. */
export async function keepQuery(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  const location: string | undefined = ctx.response.get('Location');
  if (!location || !ctx.oidc) return;
  for (const uri of askedFor(ctx)) {
    const kept = uri.includes('?') ? withQueryOf(uri, location) : undefined;
    if (kept === undefined) continue;
    // `redirect` would rewrite the URI too.
    ctx.set('Location', kept);
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = `Redirecting to ${kept}.`;
    return;
  }
}

function askedFor({ oidc }: KoaContextWithOIDC): readonly string[] {
  const { route, params, client } = oidc;
  if (route === 'authorization' || route === 'resume')
    return [params?.redirect_uri].filter((uri) => typeof uri === 'string');
  // The engine has dropped the requested URI by now. Longest first, because a shorter one may have part of its query.
  return route === 'end_session_confirm'
    ? [...(client?.postLogoutRedirectUris ?? [])].sort((one, other) => other.length - one.length)
    : [];
}

/**
 * Returns the location with the query of `uri`; undefined if it leads elsewhere, or if part of the query was replaced.
 */
function withQueryOf(uri: string, location: string): string | undefined {
  const [asked, made] = [URL.parse(uri), URL.parse(location)];
  if (!asked || !made || asked.protocol !== made.protocol || asked.hostname !== made.hostname) return undefined;
  if (asked.pathname !== made.pathname) return undefined;
  // Response parameters in the fragment do not touch the query.
  const before = [...asked.searchParams];
  const after = [...made.searchParams];
  if (!before.every(([name, value], i) => after[i]?.[0] === name && after[i]?.[1] === value)) return undefined;
  const added = new URLSearchParams(after.slice(before.length)).toString();
  const query = uri.slice(uri.indexOf('?') + 1);
  const between = added === '' || query === '' || query.endsWith('&') ? '' : '&';
  const [head] = location.split(/[?#]/, 1);
  return `${head}?${query}${between}${added}${made.hash}`;
}
