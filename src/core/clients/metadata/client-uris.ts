/** URIs of an application: redirect URIs, and those that pages link or this server fetches. */
import { isLoopbackHost } from '../../../base/loopback.ts';
import { isPrivateUseScheme } from './redirect-schemes.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
/**
 * RFC 3986, section 2: the characters of a URI, with whole percent-encodings and without encoded control characters.
 */
const uriCharacters = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%(?![01][0-9A-Fa-f]|7[Ff])[0-9A-Fa-f]{2})+$/;

/** `http-loopback-name`: a name below `localhost` (RFC 6761, section 6.3). `http-elsewhere`: not encrypted. */
type RedirectUriKind =
  | 'https'
  | 'https-loopback'
  | 'http-loopback'
  | 'http-loopback-name'
  | 'http-elsewhere'
  | 'private-use';

/** What a client may have beyond the rule. */
export interface RedirectAllowances {
  /** A built-in client: any loopback address that the issuer has. */
  readonly ours?: boolean;
  /** Private-use schemes that an operator has added to this client. */
  readonly schemes?: readonly string[];
  /** http on any host. */
  readonly insecure?: boolean;
  /** The caller may allow more, so a refusal says how. */
  readonly operator?: boolean;
}

/**
 * The kind of a redirect URI, or why it is refused (RFC 9700, section 4.1.3; RFC 8252, sections 7.1 to 7.3). Requests
 * are compared with it character by character, so it must have the form that a browser sends. A URI that parsing
 * changes (`..`, a decimal address, a tab) is refused, not corrected.
 */
export function redirectUriKind(
  uri: string,
  allowed: RedirectAllowances = {},
): RedirectUriKind | { readonly reason: string } {
  if (!uriCharacters.test(uri))
    return { reason: 'must be an absolute URI without spaces, control characters or backslashes' };
  if (uri.includes('#')) return { reason: 'must not have a fragment' };
  if (uri.includes('*')) return { reason: 'must not have a wildcard' };
  const url = URL.parse(uri);
  if (!url) return { reason: 'must be an absolute URI' };
  if (url.username !== '' || url.password !== '') return { reason: 'must not contain credentials' };
  if (url.protocol === 'https:' || url.protocol === 'http:') {
    if (!writtenAsParsed(uri, url)) return { reason: 'must be written in its normal form' };
    const loopback = loopbackHosts.has(url.hostname) || (allowed.ours === true && isLoopbackHost(url.hostname));
    if (url.protocol === 'https:') return loopback ? 'https-loopback' : 'https';
    if (loopback) return 'http-loopback';
    if (/^(?:[a-z0-9-]+\.)+localhost$/.test(url.hostname)) return 'http-loopback-name';
    return allowed.insecure
      ? 'http-elsewhere'
      : refused('must be https, or http on localhost, 127.0.0.1 or [::1]', 'allow_insecure_redirects', allowed);
  }
  if (!uri.startsWith(`${url.protocol}/`) || !isPrivateUseScheme(url.protocol.slice(0, -1), allowed.schemes))
    return refused('must be https, http on loopback, or a private-use scheme with a dot', 'redirect_schemes', allowed);
  return url.href === uri ? 'private-use' : { reason: 'must be written in its normal form' };
}

function refused(reason: string, member: string, { operator }: RedirectAllowances): { readonly reason: string } {
  return { reason: operator ? `${reason}; for others set ${member}` : reason };
}

/**
 * Returns true if the text has the host and path that a parser finds in it. The case of the host, a default port and an
 * empty path may differ.
 */
function writtenAsParsed(uri: string, url: URL): boolean {
  const [, scheme = '', authority = '', rest = ''] = /^([A-Za-z]+):\/\/([^/?#@]+)(.*)$/s.exec(uri) ?? [];
  const defaultPort = url.protocol === 'https:' ? ':443' : ':80';
  const host = authority.toLowerCase();
  const path = url.pathname + url.search + url.hash;
  return (
    `${scheme.toLowerCase()}:` === url.protocol &&
    (host === url.host || host === url.host + defaultPort) &&
    !url.hostname.endsWith('.') &&
    (rest === path || `/${rest}` === path)
  );
}

/** Rules for the other URI members. Pages show the first three as links; this server fetches some of the others. */
export const uriRules = {
  client_uri: { http: 'anywhere', fragment: true },
  policy_uri: { http: 'anywhere', fragment: true },
  tos_uri: { http: 'anywhere', fragment: true },
  logo_uri: { http: 'loopback', fragment: false },
  jwks_uri: { http: 'loopback', fragment: false },
  // OpenID Connect Back-Channel Logout 1.0, section 2.2.
  backchannel_logout_uri: { http: 'loopback', fragment: false },
  // OpenID Connect Core 4, OpenID Connect Registration 2: https only.
  initiate_login_uri: { http: 'never', fragment: false },
  sector_identifier_uri: { http: 'never', fragment: false },
} as const;

export function webUriMistake(uri: string, rule: (typeof uriRules)[keyof typeof uriRules]): string | undefined {
  if (!uriCharacters.test(uri)) return 'must be an absolute URI without spaces, control characters or backslashes';
  const url = URL.parse(uri);
  const schemes = rule.http === 'never' ? ['https:'] : ['https:', 'http:'];
  if (!url || !schemes.includes(url.protocol))
    return `must be ${schemes.map((scheme) => scheme.slice(0, -1)).join(' or ')}`;
  if (url.username !== '' || url.password !== '') return 'must not contain credentials';
  if (!writtenAsParsed(uri, url)) return 'must be written in its normal form';
  if (uri.includes('#') && !rule.fragment) return 'must not have a fragment';
  if (rule.http === 'loopback' && url.protocol === 'http:' && !loopbackHosts.has(url.hostname)) {
    return 'must be https, or http on loopback';
  }
  return undefined;
}
