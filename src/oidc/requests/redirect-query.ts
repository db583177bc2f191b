/**
 * Keeps the query of a redirect URI byte for byte (RFC 6749, section 3.1.2). The engine parses it and writes it anew where it
 * adds its own parameters: `%20` becomes `+`, `%E4` another letter, `flag` becomes `flag=`. Here the bytes that were asked for
 * take their place again. A parameter of the response that the address has too is the engine's to decide: it stays replaced.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';

/** Around the engine, and inside of whatever else reads the redirect. */
export async function keepQuery(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  const location: string | undefined = ctx.response.get('Location');
  if (!location || !ctx.oidc) return;
  for (const uri of askedFor(ctx)) {
    const kept = uri.includes('?') ? withQueryOf(uri, location) : undefined;
    if (kept === undefined) continue;
    // Not by `redirect`, which would write it anew too.
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
  // By then the engine has forgotten which one was asked for. The longest first: another may have a part of its query.
  return route === 'end_session_confirm'
    ? [...(client?.postLogoutRedirectUris ?? [])].sort((one, other) => other.length - one.length)
    : [];
}

/** The location with the query of `uri` as it stands there; undefined where it leads elsewhere, or has replaced some of it. */
function withQueryOf(uri: string, location: string): string | undefined {
  const [asked, made] = [URL.parse(uri), URL.parse(location)];
  if (!asked || !made || asked.protocol !== made.protocol || asked.hostname !== made.hostname) return undefined;
  if (asked.pathname !== made.pathname) return undefined;
  // In the fragment the engine's parameters leave the query alone.
  const before = [...asked.searchParams];
  const after = [...made.searchParams];
  if (!before.every(([name, value], i) => after[i]?.[0] === name && after[i]?.[1] === value)) return undefined;
  const added = new URLSearchParams(after.slice(before.length)).toString();
  const query = uri.slice(uri.indexOf('?') + 1);
  const between = added === '' || query === '' || query.endsWith('&') ? '' : '&';
  const [head] = location.split(/[?#]/, 1);
  return `${head}?${query}${between}${added}${made.hash}`;
}
