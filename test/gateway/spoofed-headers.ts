import { expect } from '@jest/globals';

/** What a caller may say of itself in the headers that proxies use, by the proxy that sets them. */
const names: Readonly<Record<string, readonly string[]>> = {
  Authelia: ['Remote-User', 'Remote-Groups', 'Remote-Email', 'Remote-Name'],
  'oauth2-proxy': [
    ...['X-Auth-Request-User', 'X-Auth-Request-Email', 'X-Auth-Request-Groups', 'X-Auth-Request-Access-Token'],
    ...['X-Auth-Request-Preferred-Username', 'X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups'],
    ...['X-Forwarded-Access-Token', 'X-Forwarded-Preferred-Username', 'GAP-Auth', 'GAP-Signature'],
  ],
  Authentik: ['X-authentik-username', 'X-authentik-groups', 'X-authentik-email', 'X-authentik-uid', 'X-authentik-jwt'],
  Pomerium: ['X-Pomerium-Jwt-Assertion', 'X-Pomerium-Claim-Email'],
  Cloudflare: [
    ...['Cf-Access-Jwt-Assertion', 'Cf-Access-Authenticated-User-Email', 'Cf-Connecting-IP', 'Cf-Connecting-IPv6'],
    'Cf-Client-Cert-Sha256',
  ],
  'Apache and nginx with client certificates': [
    ...['SSL-Client-Verify', 'SSL-Client-S-DN', 'SSL-Client-Cert', 'X-SSL-Client-CN', 'X-SSL-Cert', 'X-Client-Cert'],
    ...['X-Client-Cert-DN', 'X-Client-Verify', 'ssl-client-subject-dn', 'X-Client-DN'],
  ],
  'RFC 9440': ['Client-Cert', 'Client-Cert-Chain'],
  'Envoy and Traefik': ['X-Forwarded-Client-Cert', 'X-Forwarded-Tls-Client-Cert', 'X-Forwarded-Tls-Client-Cert-Info'],
  'Google, AWS, Azure': [
    ...['X-Goog-Authenticated-User-Email', 'X-Goog-Authenticated-User-Id', 'X-Goog-Iap-Jwt-Assertion'],
    ...['X-Amzn-Oidc-Data', 'X-Amzn-Oidc-Identity', 'X-Amzn-Oidc-Accesstoken', 'X-Amzn-Mtls-Clientcert-Subject'],
    ...['X-MS-CLIENT-PRINCIPAL', 'X-MS-CLIENT-PRINCIPAL-NAME', 'X-MS-TOKEN-AAD-ID-TOKEN'],
  ],
  others: [
    ...['X-Remote-User', 'X-Remote-Group', 'X-Authenticated-User', 'X-Authenticated-Userid', 'X-Webauth-User'],
    ...['X-User', 'X-User-Id', 'X-User-Email', 'X-Username', 'X-Userinfo', 'X-Consumer-Username', 'OIDC-Claim-Sub'],
    ...['Shib-Identity-Provider', 'Tailscale-User-Login', 'X-Vouch-User', 'SM-User', 'Impersonate-User'],
  ],
  addresses: ['True-Client-IP', 'X-Real-IP', 'X-Client-IP', 'Fastly-Client-IP', 'X-Cluster-Client-IP', 'Client-IP'],
  'paths and methods': [
    ...['X-Original-URL', 'X-Original-Host', 'X-Rewrite-URL', 'X-Rewrite-URI', 'X-HTTP-Method-Override'],
    ...['X-HTTP-Method', 'X-Method-Override', 'Proxy'],
  ],
};

export const spoofedNames: readonly string[] = Object.values(names).flat();

/** As a CGI or WSGI reads it, the same header. */
const spelled = [
  (name: string) => name,
  (name: string) => name.replaceAll('-', '_'),
  (name: string) => name.toUpperCase().replace('-', '_'),
];

/** Every name, each way that it may be spelled, with a value to look for. */
export const spoofed: Readonly<Record<string, string>> = Object.fromEntries(
  spoofedNames.flatMap((name) => spelled.map((spell) => [spell(name), 'evil'])),
);

/** Asks with fifty of them at a time; the service answers with the headers that it got, as JSON. */
export async function expectNothingSpoofed(
  session: string,
  ask: (headers: Record<string, string>) => Promise<{ status: number; text: string }>,
): Promise<void> {
  const names = Object.keys(spoofed);
  for (let at = 0; at < names.length; at += 50) {
    const { status, text } = await ask(Object.fromEntries(names.slice(at, at + 50).map((name) => [name, 'evil'])));
    const { headers } = JSON.parse(text);
    expect([status, headers['x-gatehouse-session']]).toEqual([200, [session]]);
    expect(JSON.stringify(headers)).not.toContain('evil');
  }
}
