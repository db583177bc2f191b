/**
 * Which headers of a caller never reach a service: those by which proxies say who a person is, where a request comes
 * from, or that another path or method is meant. A service that listens to one would believe it from the gateway too.
 *
 * Names are compared as CGI, WSGI and their kin do, which make one variable of `Remote-User` and `Remote_User`.
 */

/** A name, or its beginning and `*`. */
export interface HeaderRules {
  readonly strip: readonly string[];
  /** Beats `strip` of the same rules, and all rules behind them. */
  readonly pass: readonly string[];
}

/** `X_Remote.User` -> `x-remote-user`. */
export const foldHeader = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');

/** What the gateway says itself. `Proxy` becomes HTTP_PROXY in a CGI's environment (CVE-2016-5385). */
const said: readonly string[] = [
  ...['X-Gatehouse-*', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'Forwarded'],
  ...['X-Request-Id', 'Proxy'],
];

/** No rule lets these through: what the gateway says, what frames a request or is for one connection, and the token. */
export const neverPassed: readonly string[] = [
  ...said,
  ...[
    'Via',
    'Host',
    'Expect',
    'Authorization',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'TE',
  ],
  ...['Trailer', 'Upgrade', 'HTTP2-Settings', 'Proxy-*'],
];

/** These would make another method of the one that a route has checked. */
export const methodOverrides: readonly string[] = [
  ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'HTTP-Method-Override'],
];

const who: readonly string[] = [
  // Authelia, Apache, Django's REMOTE_USER; Kubernetes' front proxy; X-Remote-Addr goes with them.
  ...[
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
  ],
  // oauth2-proxy and those that took its names over; nginx's examples.
  ...['X-Auth-Request-*', 'Gap-*', 'X-Auth-User*', 'X-Auth-Email', 'X-Auth-Groups', 'X-Auth-Roles', 'X-Auth-Subject'],
  ...['X-Auth-Name', 'X-Auth-Audience'],
  ...['X-Authenticated-*', 'X-Authentik-*', 'X-Webauth-*', 'X-Vouch-*', 'X-Pomerium-*'],
  ...['X-Consumer-*', 'X-Credential-*', 'X-Anonymous-Consumer', 'X-Jwt-Assertion', 'X-Jwt-Payload', 'X-Jwt-Claim-*'],
  // mod_auth_openidc, Mellon, Shibboleth, SiteMinder, WebSEAL, Oracle Access Manager, WebLogic, Tailscale.
  ...['OIDC-*', 'Mellon-*', 'Shib-*', 'X-Shib-*', 'X-Saml-*', 'SM-*', 'IV-*', 'OAM-*', 'WL-Proxy-*'],
  ...['Tailscale-*', 'Pangolin-*', 'Kubeflow-*', 'X-Sandstorm-*'],
  // Cloudflare Access, Google's IAP and API gateways, AWS load balancers, Azure's app services.
  ...[
    'Cf-Access-*',
    'X-Goog-Authenticated-User-*',
    'X-Goog-Iap-*',
    'X-Apigateway-*',
    'X-Endpoint-Api-*',
    'X-Appengine-*',
  ],
  ...['X-Amzn-Oidc-*', 'X-Amzn-Mtls-*', 'X-MS-Client-Principal*', 'X-MS-Token-*', 'X-Arr-*'],
  // The certificate of a TLS client: RFC 9440, Apache, nginx, HAProxy, Envoy and Traefik (X-Forwarded-…), Cloudflare.
  ...[
    'Client-Cert*',
    'X-Client-Cert*',
    'X-Client-Verify*',
    'X-Client-DN',
    'X-Client-S-DN',
    'SSL-*',
    'X-SSL-*',
    'X-TLS-*',
  ],
  ...['Cf-Client-Cert-*', 'Cf-Cert-*'],
];

const where: readonly string[] = [
  ...[
    'X-Forwarded-*',
    'X-Real-*',
    'X-Client-IP',
    'Client-IP',
    'X-Cluster-Client-IP',
    'X-Originating-IP',
    'X-ProxyUser-IP',
  ],
  ...['X-Forwarded', 'Forwarded-For', 'Proxy-Client-IP', 'X-True-Client-IP', 'Ali-CDN-Real-IP', 'Cdn-Src-IP'],
  // By which a service takes a request for one that came encrypted.
  ...['X-Scheme', 'X-Url-Scheme', 'Front-End-Https'],
  ...['True-Client-IP', 'Fastly-Client-IP', 'Fly-Client-IP', 'Do-Connecting-IP', 'X-Nf-Client-Connection-IP'],
  ...['Cf-Connecting-*', 'Cf-Pseudo-IPv4', 'Cf-IPCountry', 'X-Azure-ClientIP', 'X-Azure-SocketIP', 'X-Envoy-*'],
];

const what: readonly string[] = [
  ...['X-Original-*', 'X-Rewrite-*', 'X-Host', 'X-HTTP-Host-Override', ...methodOverrides],
  // Gunicorn and others take a part of the path from these.
  ...['Script-Name', 'X-Script-Name', 'Path-Info'],
];

export const defaultRules: HeaderRules = { strip: [...who, ...where, ...what], pass: ['X-User-Agent'] };

/** Takes a folded name. The first rules come first. */
export type Strips = (folded: string) => boolean;

/** What a route strips: its own rules, then the file's, then the default. */
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

/** Matches folded names; undefined for no names. */
function patternOf(names: readonly string[]): RegExp | undefined {
  if (names.length === 0) return undefined;
  const each = names.map((name) => (name.endsWith('*') ? `${foldHeader(name.slice(0, -1))}.*` : foldHeader(name)));
  return new RegExp(`^(?:${each.join('|')})$`);
}

/** Whether some header could be meant by both names. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)];
  if (a.open && b.name.startsWith(a.name)) return true;
  return b.open ? a.name.startsWith(b.name) : a.name === b.name;
}

/** Whether the first name means every header that the second one means. */
export function covers(wide: string, narrow: string): boolean {
  const [a, b] = [partsOf(wide), partsOf(narrow)];
  return a.open ? b.name.startsWith(a.name) : !b.open && a.name === b.name;
}

function partsOf(name: string): { name: string; open: boolean } {
  const open = name.endsWith('*');
  return { name: foldHeader(open ? name.slice(0, -1) : name), open };
}
