/** Prints once, at the start: the addresses to open, and everything that others can reach. */
import type { AddressInfo } from 'node:net';
import type { Setup } from '../core/registration/setup.ts';
import type { TrustProxy } from '../http/caller.ts';

interface BannerFacts {
  readonly core: {
    readonly config: {
      readonly issuer: string;
      readonly development: boolean;
      readonly developmentPages: boolean;
      readonly dataDir: string;
      readonly database: { readonly kind: 'sqlite' | 'postgres' };
      readonly trustProxy: TrustProxy;
      readonly workers: number;
      readonly metrics: { readonly port: number | undefined; readonly host: string };
      readonly signUp: 'open' | 'invite' | 'off';
      readonly mail: {
        readonly goes: 'smtp' | 'page' | 'terminal' | 'nowhere';
        readonly smtp: { readonly url: string } | undefined;
      };
    };
    readonly secrets: { readonly newAdminKey: string | undefined; readonly adminKeyDigests: readonly string[] };
    readonly setup: Pick<Setup, 'createSetupLink'>;
    readonly mailbox: { readonly key: string } | undefined;
  };
  /** The API surfaces that are served. */
  readonly surfaces: readonly { readonly name: string; readonly api: { readonly takesPasswords?: true } }[];
  readonly server: { address(): AddressInfo | string | null };
}

type Row = readonly [name: string, value: string];

export async function banner(facts: BannerFacts, write: (text: string) => void): Promise<void> {
  const { config, secrets, setup } = facts.core;
  const link = await setup.createSetupLink();
  const rows: (Row | undefined)[] = [
    ['Address', config.issuer],
    config.developmentPages ? ['Playground', `${config.issuer}/playground`] : undefined,
    link && ['First admin', `${config.issuer}/setup?token=${link.token}`],
    adminKeyRow(secrets),
    ['Data', config.database.kind === 'sqlite' ? config.dataDir : 'PostgreSQL (DATABASE_URL)'],
    ...openRows(facts),
    config.developmentPages
      ? ['Production', 'set NODE_ENV=production and ISSUER=https://your.domain; see docs/production.md']
      : undefined,
  ];
  const lines = rows.filter((row) => row !== undefined).map(([name, value]) => `  ${name.padEnd(12)} ${value}`);
  write(`\nGatehouse is ready.\n\n${lines.join('\n')}\n\n`);
}

/** What others can reach, and under which conditions. */
function openRows({ core, surfaces, server }: BannerFacts): readonly (Row | undefined)[] {
  const { config, mailbox } = core;
  const { metrics } = config;
  const passwordApis = surfaces.filter(({ api }) => api.takesPasswords).map(({ name }) => name);
  return [
    ['Listens on', listening(server.address())],
    metrics.port === undefined ? undefined : ['Metrics on', placeOf(metrics.host, metrics.port)],
    config.workers > 1 ? ['Workers', String(config.workers)] : undefined,
    ['Proxy', proxyWords(config.trustProxy)],
    ['Sign-up', signUpWords[config.signUp]],
    ['Passwords', ['the sign-in page', ...passwordApis.map((name) => `${name} API`)].join(', ')],
    ['Mails', mailbox ? `${config.issuer}/dev/mails?key=${mailbox.key}  (opens once)` : mailWords(config.mail)],
    config.development ? ['Development', developmentWords(config)] : undefined,
  ];
}

function listening(at: AddressInfo | string | null): string {
  return at === null || typeof at === 'string' ? (at ?? 'nothing') : placeOf(at.address, at.port);
}

function placeOf(address: string, port: number): string {
  if (address === '::') return `all addresses, port ${port}`;
  if (address === '0.0.0.0') return `all IPv4 addresses, port ${port}`;
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return /^(127\.|::1$|localhost$)/.test(address) ? `${place}  (this machine only)` : place;
}

function proxyWords(trust: TrustProxy): string {
  if (trust.kind === 'off') return 'not trusted: X-Forwarded-For is ignored';
  if (trust.kind === 'addresses') return `X-Forwarded-For is trusted from ${trust.addresses.join(', ')}`;
  return `X-Forwarded-For is trusted through ${trust.hops === 1 ? 'one proxy' : `${trust.hops} proxies`}`;
}

const signUpWords = { open: 'open to everyone', invite: 'by invitation', off: 'off' } as const;

function mailWords({ goes, smtp }: BannerFacts['core']['config']['mail']): string {
  // Only the host: the URL contains a password.
  if (smtp) return `sent through ${new URL(smtp.url).hostname}`;
  return goes === 'terminal' ? 'printed in this terminal' : 'none are sent: set SMTP_URL';
}

function developmentWords({ developmentPages, issuer }: BannerFacts['core']['config']): string {
  return developmentPages
    ? 'pages and error details for browsers on this machine only'
    : `no development pages, because ${issuer} is not loopback`;
}

function adminKeyRow(secrets: BannerFacts['core']['secrets']): Row | undefined {
  if (secrets.newAdminKey !== undefined) return ['Admin key', `${secrets.newAdminKey}  (shown this once)`];
  return secrets.adminKeyDigests.length > 0
    ? undefined
    : ['Admin key', 'none: set ADMIN_KEY to open the endpoints that need one'];
}
