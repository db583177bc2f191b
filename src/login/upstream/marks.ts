/** The built-in marks of providers, and which provider has which. `scripts/providers.mjs` draws them. */

export const marks = [
  'apple',
  'auth0',
  'authentik',
  'bitbucket',
  'discord',
  'facebook',
  'gitea',
  'github',
  'gitlab',
  'google',
  'keycloak',
  'linkedin',
  'microsoft',
  'okta',
  'orcid',
  'slack',
  'spotify',
  'twitch',
  'x',
] as const;
type Mark = (typeof marks)[number];

export const knownMark = (name: string): Mark | undefined => marks.find((mark) => mark === name);

/** Hosts of each brand, with the hosts below them. */
const hosts: Readonly<Partial<Record<Mark, readonly string[]>>> = {
  apple: ['appleid.apple.com'],
  auth0: ['auth0.com'],
  bitbucket: ['bitbucket.org'],
  discord: ['discord.com'],
  facebook: ['facebook.com'],
  github: ['github.com', 'ghe.com'],
  gitlab: ['gitlab.com'],
  google: ['accounts.google.com'],
  linkedin: ['linkedin.com'],
  microsoft: [
    'microsoftonline.com',
    'microsoftonline.us',
    'partner.microsoftonline.cn',
    'ciamlogin.com',
    'login.live.com',
  ],
  okta: ['okta.com', 'oktapreview.com', 'okta-emea.com', 'okta-gov.com'],
  orcid: ['orcid.org'],
  slack: ['slack.com'],
  spotify: ['accounts.spotify.com'],
  twitch: ['id.twitch.tv'],
  x: ['x.com', 'twitter.com'],
};

/** Paths of products that people run at hosts of their own. */
const paths: readonly (readonly [Mark, RegExp])[] = [
  ['keycloak', /^\/(auth\/)?realms\/[^/]+(\/|$)/],
  ['authentik', /^\/application\/o\//],
  // GitHub Enterprise Server. Its authorization endpoint has the same path as Gitea's.
  ['github', /^\/api\/v3\/user(\/|$)/],
  ['gitea', /^\/login\/oauth\/userinfo$/],
];

interface Addresses {
  readonly issuer?: string | undefined;
  readonly authorization_endpoint?: string | undefined;
  readonly userinfo_endpoint?: string | undefined;
}

/** The mark that the provider's addresses show. */
export function markFor(given: Addresses): Mark | undefined {
  const urls = [given.issuer, given.authorization_endpoint, given.userinfo_endpoint]
    .map((address) => URL.parse(address ?? ''))
    .filter((url) => url !== null);
  const ofHost = marks.find((mark) => urls.some((url) => hosts[mark]?.some((host) => isWithin(url.hostname, host))));
  return ofHost ?? paths.find(([, path]) => urls.some(({ pathname }) => path.test(pathname)))?.[0];
}

const isWithin = (hostname: string, host: string): boolean => hostname === host || hostname.endsWith(`.${host}`);
