/** Rules between settings. */
import { isLoopbackHost } from '../base/loopback.ts';
import type { SettingName, Values } from './schema.ts';

interface Broken {
  readonly given: string | undefined;
  readonly wanted: string;
  /** Replaces the setting's own example, which the rule may refuse too. With backticks: a text, not a value. */
  readonly example?: string;
}

interface Rule {
  /** The settings that the rule reads; the first is the one to change. */
  readonly about: readonly [SettingName, ...SettingName[]];
  readonly check: (values: Values) => Broken | undefined;
}

export const rules: readonly Rule[] = [
  {
    // Over http, codes and cookies would not be encrypted (RFC 9700, section 2.6).
    about: ['ISSUER', 'NODE_ENV'],
    check: ({ ISSUER, NODE_ENV }) =>
      NODE_ENV === 'production' && ISSUER?.startsWith('http:') && !isLoopback(ISSUER)
        ? { given: ISSUER, wanted: 'an https address in production, unless it is on loopback' }
        : undefined,
  },
  {
    // If NODE_ENV is forgotten, development features would be open to the internet.
    about: ['NODE_ENV', 'ISSUER', 'DEVELOPMENT_ON'],
    check: ({ NODE_ENV, ISSUER, DEVELOPMENT_ON }) =>
      NODE_ENV !== 'production' && ISSUER !== undefined && !isLoopback(ISSUER) && DEVELOPMENT_ON === undefined
        ? {
            given: NODE_ENV,
            wanted: ISSUER.startsWith('https:')
              ? `production, because ISSUER is ${ISSUER}; or DEVELOPMENT_ON=${ISSUER}, to develop there`
              : `production, because ISSUER is ${ISSUER}, which has to be https then; or an ISSUER on loopback`,
          }
        : undefined,
  },
  {
    about: ['DEVELOPMENT_ON', 'ISSUER', 'NODE_ENV'],
    check: ({ DEVELOPMENT_ON: given, ISSUER, NODE_ENV }) => {
      if (given === undefined) return undefined;
      if (NODE_ENV === 'production') return { given, wanted: 'nothing in production' };
      return given === ISSUER
        ? undefined
        : { given, wanted: `the same address as ISSUER, which is ${ISSUER ?? 'not set'}` };
    },
  },
  {
    // Links, redirects and tokens would contain localhost, which other machines cannot reach.
    about: ['ISSUER', 'HOST', 'NODE_ENV'],
    check: ({ ISSUER, HOST, NODE_ENV }) =>
      NODE_ENV === 'production' && ISSUER === undefined && HOST !== undefined && !isLoopback(addressOf(HOST))
        ? { given: undefined, wanted: `the address by which people reach this server, because HOST is ${HOST}` }
        : undefined,
  },
  {
    // The key must not be beside a shared database, and all servers need the same key.
    about: ['SECRET_KEY', 'DATABASE_URL'],
    check: ({ SECRET_KEY, DATABASE_URL }) =>
      DATABASE_URL !== undefined && SECRET_KEY === undefined
        ? { given: undefined, wanted: 'a value of at least 32 characters, because DATABASE_URL is set' }
        : undefined,
  },
  {
    // Without TLS, a listener would see five digits of the hash and could change the response.
    about: ['BREACHED_PASSWORDS_URL'],
    check: ({ BREACHED_PASSWORDS_URL: url }) =>
      url !== undefined && (/[?#]/.test(url) || (/^http:/i.test(url) && !isLoopback(url)))
        ? { given: url, wanted: 'an address without a query, with https unless it is on loopback' }
        : undefined,
  },
  {
    about: ['BRAND_LOGO_DARK', 'BRAND_LOGO'],
    check: ({ BRAND_LOGO_DARK: dark, BRAND_LOGO: light }) =>
      dark !== undefined && light === undefined
        ? { given: dark, wanted: 'BRAND_LOGO as well', example: '`BRAND_LOGO=/etc/gatehouse/logo.svg`' }
        : undefined,
  },
  {
    // A name in the form of an address would be refused only if an account has it, which reveals the account.
    about: ['NAMES_WITH_AT', 'HIDE_ACCOUNT_EXISTENCE'],
    check: ({ NAMES_WITH_AT: names, HIDE_ACCOUNT_EXISTENCE: hide }) =>
      names !== 'off' && hide ? { given: names, wanted: 'off, because HIDE_ACCOUNT_EXISTENCE is true' } : undefined,
  },
  {
    about: ['WORKERS', 'DATABASE_URL'],
    check: ({ WORKERS, DATABASE_URL }) =>
      WORKERS > 1 && DATABASE_URL === undefined
        ? {
            given: String(WORKERS),
            wanted: '1 with SQLite; more need Postgres (DATABASE_URL)',
            example: '`WORKERS=1`, or `DATABASE_URL=postgres://gatehouse:password@localhost:5432/gatehouse` as well',
          }
        : undefined,
  },
  {
    about: ['METRICS_PORT', 'PORT'],
    check: ({ METRICS_PORT, PORT }) =>
      METRICS_PORT === PORT
        ? {
            given: String(METRICS_PORT),
            wanted: 'another port than PORT',
            example: String(PORT === 9464 ? 9465 : 9464),
          }
        : undefined,
  },
  {
    // Only monitoring may see the load of this server.
    about: ['METRICS_TOKEN', 'METRICS_HOST'],
    check: ({ METRICS_TOKEN, METRICS_HOST }) =>
      METRICS_TOKEN === undefined && !listensOnLoopback(METRICS_HOST)
        ? { given: undefined, wanted: `a value of at least 16 characters, because METRICS_HOST is ${METRICS_HOST}` }
        : undefined,
  },
  {
    about: ['METRICS_HOST', 'METRICS_PORT'],
    check: ({ METRICS_HOST, METRICS_PORT }) =>
      METRICS_PORT === undefined && METRICS_HOST !== '127.0.0.1'
        ? { given: METRICS_HOST, wanted: 'METRICS_PORT as well', example: '`METRICS_PORT=9464`' }
        : undefined,
  },
  {
    about: ['REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL'],
    check: ({ REFRESH_TOKEN_IDLE_TTL: idle, REFRESH_TOKEN_TTL: whole }) =>
      idle !== undefined && idle > whole
        ? { given: String(idle), wanted: `at most REFRESH_TOKEN_TTL, which is ${whole}`, example: String(whole) }
        : undefined,
  },
];

function listensOnLoopback(host: string): boolean {
  return isLoopback(addressOf(host));
}

/** http is safe on loopback. */
function isLoopback(address: string): boolean {
  return isLoopbackHost(URL.parse(address)?.hostname ?? '');
}

const addressOf = (host: string): string => `http://${host.includes(':') ? `[${host}]` : host}`;
