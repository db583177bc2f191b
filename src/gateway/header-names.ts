/**
 * Headers of a caller that never reach a service: those by which proxies name the user, the origin of a request, or
 * another path or method. A service that trusts such a header would also trust the caller's own.
 *
 * Names are compared as CGI and WSGI do, which make one variable of `Remote-User` and `Remote_User`.
 */

/** A header name, or a prefix that ends with `*`. */
export interface HeaderRules {
  readonly strip: readonly string[];
  /** Takes precedence over `strip` of the same rules, and over all later rules. */
  readonly pass: readonly string[];
}

/** `X_Remote.User` -> `x-remote-user`. */
export const foldHeader = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');

/** Headers that the gateway sets itself. `Proxy` becomes HTTP_PROXY in a CGI environment (CVE-2016-5385). */
const said: readonly string[] = [
  'X-Gatehouse-*',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'Forwarded',
  'X-Request-Id',
  'Proxy',
];

/** No rule lets these through: the gateway's own headers, message framing, hop-by-hop headers and the token. */
export const neverPassed: readonly string[] = [
  ...said,
  'Via',
  'Host',
  'Expect',
  'Authorization',
  'Content-Length',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'HTTP2-Settings',
  'Proxy-*',
];

/** These replace the method that the route has checked. */
export const methodOverrides: readonly string[] = [
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'HTTP-Method-Override',
];

const who: readonly string[] = [
  // Authelia, Apache, Django's REMOTE_USER, Kubernetes' front proxy. `X-Remote-*` covers X-Remote-Addr too.
  'Remote-*',
  'X-Remote-*',
  'Impersonate-*',
  'X-Proxy-User',
  'Proxy-User',
  'X-User*',
  'X-Email',
  'X-Groups',
  'X-Roles',
  'X-Principal',
  'X-Subject',
  'X-SSO-*',
  // oauth2-proxy and its successors; the examples of nginx.
  'X-Auth-Request-*',
  'Gap-*',
  'X-Auth-User*',
  'X-Auth-Email',
  'X-Auth-Groups',
  'X-Auth-Roles',
  'X-Auth-Subject',
  'X-Auth-Name',
  'X-Auth-Audience',
  'X-Authenticated-*',
  'X-Authentik-*',
  'X-Webauth-*',
  'X-Vouch-*',
  'X-Pomerium-*',
  'X-Consumer-*',
  'X-Credential-*',
  'X-Anonymous-Consumer',
  'X-Jwt-Assertion',
  'X-Jwt-Payload',
  'X-Jwt-Claim-*',
  // mod_auth_openidc, Mellon, Shibboleth, SiteMinder, WebSEAL, Oracle Access Manager, WebLogic, Tailscale.
  'OIDC-*',
  'Mellon-*',
  'Shib-*',
  'X-Shib-*',
  'X-Saml-*',
  'SM-*',
  'IV-*',
  'OAM-*',
  'WL-Proxy-*',
  'Tailscale-*',
  'Pangolin-*',
  'Kubeflow-*',
  'X-Sandstorm-*',
  // Cloudflare Access, Google's IAP and API gateways, AWS load balancers, Azure's app services.
  'Cf-Access-*',
  'X-Goog-Authenticated-User-*',
  'X-Goog-Iap-*',
  'X-Apigateway-*',
  'X-Endpoint-Api-*',
  'X-Appengine-*',
  'X-Amzn-Oidc-*',
  'X-Amzn-Mtls-*',
  'X-MS-Client-Principal*',
  'X-MS-Token-*',
  'X-Arr-*',
  // The certificate of a TLS client: RFC 9440, Apache, nginx, HAProxy, Envoy and Traefik (X-Forwarded-…), Cloudflare.
  'Client-Cert*',
  'X-Client-Cert*',
  'X-Client-Verify*',
  'X-Client-DN',
  'X-Client-S-DN',
  'SSL-*',
  'X-SSL-*',
  'X-TLS-*',
  'Cf-Client-Cert-*',
  'Cf-Cert-*',
];

const where: readonly string[] = [
  'X-Forwarded-*',
  'X-Real-*',
  'X-Client-IP',
  'Client-IP',
  'X-Cluster-Client-IP',
  'X-Originating-IP',
  'X-ProxyUser-IP',
  'X-Forwarded',
  'Forwarded-For',
  'Proxy-Client-IP',
  'X-True-Client-IP',
  'Ali-CDN-Real-IP',
  'Cdn-Src-IP',
  // A service reads these as "the request came over TLS".
  'X-Scheme',
  'X-Url-Scheme',
  'Front-End-Https',
  'True-Client-IP',
  'Fastly-Client-IP',
  'Fly-Client-IP',
  'Do-Connecting-IP',
  'X-Nf-Client-Connection-IP',
  'Cf-Connecting-*',
  'Cf-Pseudo-IPv4',
  'Cf-IPCountry',
  'X-Azure-ClientIP',
  'X-Azure-SocketIP',
  'X-Envoy-*',
];

const what: readonly string[] = [
  'X-Original-*',
  'X-Rewrite-*',
  'X-Host',
  'X-HTTP-Host-Override',
  ...methodOverrides,
  // Gunicorn and other servers take part of the path from these.
  'Script-Name',
  'X-Script-Name',
  'Path-Info',
];

export const defaultRules: HeaderRules = { strip: [...who, ...where, ...what], pass: ['X-User-Agent'] };

/** Takes a folded name. Earlier rules take precedence. */
export type Strips = (folded: string) => boolean;

/** The rules of a route, then of the file, then the default. */
export function stripperOf(...rules: readonly HeaderRules[]): Strips {
  const levels = [...rules, defaultRules].map(({ strip, pass }) => ({
    strip: patternOf(strip),
    pass: patternOf(pass),
  }));
  return (folded) => {
    if (ours?.test(folded)) return true;
    for (const { strip, pass } of levels) {
      if (pass?.test(folded)) return false;
      if (strip?.test(folded)) return true;
    }
    return false;
  };
}

const ours = patternOf(said);
const override = patternOf(methodOverrides);
export const isMethodOverride = (folded: string): boolean => override?.test(folded) ?? false;

/** A pattern for folded names; undefined if there are no names. */
function patternOf(names: readonly string[]): RegExp | undefined {
  if (names.length === 0) return undefined;
  const each = names.map((name) => (name.endsWith('*') ? `${foldHeader(name.slice(0, -1))}.*` : foldHeader(name)));
  return new RegExp(`^(?:${each.join('|')})$`);
}

/** Whether one header can match both names. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)];
  if (a.open && b.name.startsWith(a.name)) return true;
  return b.open ? a.name.startsWith(b.name) : a.name === b.name;
}

/** Whether every header that matches `narrow` matches `wide`. */
export function covers(wide: string, narrow: string): boolean {
  const [a, b] = [partsOf(wide), partsOf(narrow)];
  return a.open ? b.name.startsWith(a.name) : !b.open && a.name === b.name;
}

function partsOf(name: string): { name: string; open: boolean } {
  const open = name.endsWith('*');
  return { name: foldHeader(open ? name.slice(0, -1) : name), open };
}
