/**
 * The headers that an upstream receives, and those of its response that the caller receives (RFC 9110, section 7.6).
 */
import type { IncomingMessage } from 'node:http';
import type { RequestCaller } from '../core/kernel/caller.ts';
import type { Identity } from './authenticate.ts';
import { foldHeader, isMethodOverride, type Strips, stripperOf } from './header-names.ts';
import type { Route, Upstream } from './routes.ts';

type Headers = Record<string, string | string[]>;

/** Hop-by-hop headers (RFC 9110, section 7.6.1), besides those that `Connection` names. */
const hopByHop = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const stripsByDefault = stripperOf();

/** `pair`: `name=value…`. Cookies of this server's own pages; all others belong to the upstream. */
export function isOwnCookie(pair: string): boolean {
  return /^\s*(?:__Host-|__Secure-)?gatehouse(?:[.-]|\s*=|\s*$)/.test(pair);
}

export interface Sent {
  readonly route: Route;
  readonly upstream: Upstream;
  readonly identity: Identity;
  readonly issuer: URL;
  /** The caller, with the address that TRUST_PROXY determines. */
  readonly caller: RequestCaller;
}

export function upstreamHeaders(req: IncomingMessage, about: Sent): Headers {
  const { route, upstream, identity, issuer } = about;
  const { headers } = req;
  const dropped = namedIn(headers.connection);
  const strips: Strips = route.strips ?? stripsByDefault;
  const sent: Headers = Object.create(null);
  for (const name in headers) {
    const value = headers[name];
    const folded = foldHeader(name);
    if (value === undefined || hopByHop.has(name) || dropped.has(name) || strips(folded)) continue;
    if (name === 'host' || name === 'expect' || name === '__proto__') continue;
    // The proof goes where the token goes. Alone it would be of no use there.
    if ((folded === 'authorization' || folded === 'dpop') && !(route.passToken && name === folded)) continue;
    if (route.methods && isMethodOverride(folded)) continue;
    sent[name] = value;
  }
  const cookies = withoutOwnCookies(headers.cookie);
  if (cookies === undefined) delete sent.cookie;
  else if (sent.cookie !== undefined) sent.cookie = cookies;

  // Framing is set from the original headers: a body without it would become the upstream's next request.
  delete sent['content-length'];
  if (headers['transfer-encoding'] !== undefined) sent['transfer-encoding'] = 'chunked';
  else if (headers['content-length'] !== undefined) sent['content-length'] = headers['content-length'];

  sent.host = route.preserveHost ? issuer.host : upstream.host;
  sent.via = [headers.via, `${req.httpVersion} gatehouse`].filter(Boolean).join(', ');
  sent['x-request-id'] = about.caller.requestId;
  sent['x-forwarded-for'] = about.caller.address;
  sent['x-forwarded-host'] = issuer.host;
  sent['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
  sent['x-forwarded-port'] = issuer.port || (issuer.protocol === 'https:' ? '443' : '80');
  return Object.assign(sent, identityHeaders(identity));
}

/** Leaves out empty values, so that an upstream never takes an empty name for a user. */
export function identityHeaders(identity: Identity): Headers {
  return Object.fromEntries(Object.entries(verifiedHeaders(identity)).filter(([, value]) => value !== ''));
}

/** Always has all headers: for an absent one, Caddy 2.6 would insert the name of its own variable. */
export function verifiedHeaders({ kind, subject, username, client, scope, session }: Identity): Headers {
  return {
    'X-Gatehouse-Token-Kind': kind,
    'X-Gatehouse-Subject': encoded(subject),
    'X-Gatehouse-Username': encoded(username),
    'X-Gatehouse-Client': encoded(client),
    'X-Gatehouse-Scope': encoded(scope),
    'X-Gatehouse-Session': encoded(session),
  };
}

/** Keeps printable ASCII; percent-encodes `%` and everything else as UTF-8. */
function encoded(value = ''): string {
  return value.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]+|^ | $/g, encodeURIComponent);
}

/** The response headers by lower-case name, with their original spelling and all values. */
export function answerHeaders({
  rawHeaders,
  headers,
}: IncomingMessage): Map<string, { name: string; values: string[] }> {
  const dropped = namedIn(headers.connection);
  const kept = new Map<string, { name: string; values: string[] }>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const key = name.toLowerCase();
    if (hopByHop.has(key) || dropped.has(key)) continue;
    // An upstream must not set the cookies of this server.
    if (key === 'set-cookie' && isOwnCookie(value)) continue;
    const known = kept.get(key);
    if (known) known.values.push(value);
    else kept.set(key, { name, values: [value] });
  }
  return kept;
}

function namedIn(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined) return nothing;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

const nothing: ReadonlySet<string> = new Set();

function withoutOwnCookies(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const kept = header.split(';').filter((pair) => !isOwnCookie(pair));
  return kept.length === 0 ? undefined : kept.join(';').trim();
}
