/**
 * Reads the settings from the environment into one frozen `Config`, or says everything that is wrong with them at once.
 * Checked in this order: each setting by itself (with its `NAME_FILE`), then, where those are sound, the rules between them.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TrustProxy } from './kinds.ts';
import { type Setting, type SettingName, settings, type Values } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Mistake {
  readonly name: string;
  /** What was found, safe to show: a secret's value never appears. */
  readonly given: string;
  readonly wanted: string;
  readonly example: string;
}

export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** All lifetimes are in seconds. */
export interface Config {
  readonly production: boolean;
  /** Everything that is not production: the playground, the mail page, full error details. */
  readonly development: boolean;
  /** An origin: no path, no trailing slash. */
  readonly issuer: string;
  readonly port: number;
  /** Absent: all addresses. */
  readonly host: string | undefined;
  readonly trustProxy: TrustProxy;
  readonly workers: number;
  readonly shutdownTimeout: number;
  /** An absolute path; it may not exist yet. */
  readonly dataDir: string;
  readonly database:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'postgres'; readonly url: string; readonly pool: number };
  readonly migrate: boolean;
  readonly redis: { readonly url: string; readonly prefix: string } | undefined;
  /** Absent only with SQLite: then it is made and kept in `dataDir`. */
  readonly secretKey: string | undefined;
  /** Empty: one is made at the first start. */
  readonly adminKeys: readonly string[];
  readonly surfaces: 'all' | readonly string[];
  readonly gatewayRoutes: string | undefined;
  readonly brandName: string;
  /** How the pages look. Colours are `#rrggbb`; pictures are absolute paths. */
  readonly brand: {
    readonly name: string;
    readonly logo: string | undefined;
    readonly logoDark: string | undefined;
    readonly accent: string | undefined;
    readonly background: readonly string[] | undefined;
    readonly links: Values['BRAND_LINKS'];
  };
  readonly viewsDir: string | undefined;
  readonly signUp: 'open' | 'invite' | 'off';
  readonly upstreams: string | undefined;
  readonly secondFactor: 'none' | 'offered' | 'required';
  readonly hideAccountExistence: boolean;
  readonly setupLinkTtl: number;
  readonly password: {
    readonly minLength: number;
    /** At most `minLength`. */
    readonly minLengthSecondFactor: number;
    readonly breachedUrl: string | undefined;
    /** KiB. */
    readonly hashMemory: number;
    readonly hashTime: number;
    readonly queue: number;
  };
  readonly mail: {
    /** Absent: no mails leave this server. */
    readonly smtp: { readonly url: string; readonly from: string; readonly replyTo: string | undefined } | undefined;
    /** Within an hour: to one mailbox, and from one IP address. */
    readonly limit: number;
    readonly addressLimit: number;
    readonly resetLinkTtl: number;
    readonly emailLinkTtl: number;
    readonly invitationTtl: number;
    readonly newDevice: boolean;
  };
  readonly throttle: { readonly accountLimit: number; readonly addressLimit: number; readonly window: number };
  readonly lifetimes: {
    readonly accessToken: number;
    readonly refreshToken: number;
    readonly refreshTokenIdle: number;
    readonly refreshReuseWindow: number;
    readonly idToken: number;
    readonly authorizationCode: number;
    readonly session: number;
    readonly sessionUnremembered: number;
    /** 0: however long. */
    readonly sessionIdle: number;
    readonly interaction: number;
    readonly clientSecretOverlap: number;
    readonly identityToken: number;
    readonly identitySession: number;
    readonly securityServiceToken: number;
    readonly tinyoauthToken: number;
    readonly spaceGuardToken: number;
    readonly spaceGuardRefresh: number;
  };
  readonly keys: { readonly jwksMaxAge: number; readonly rotationDays: number };
  readonly logLevel: Values['LOG_LEVEL'];
  readonly metricsPort: number | undefined;
}

const table = Object.entries(settings) as readonly [SettingName, Setting<unknown>][];

export function loadConfig(environment: Environment): Loaded {
  const mistakes: Mistake[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of table) {
    const found = find(name, setting, environment);
    if (found.mistake) mistakes.push(found.mistake);
    values[name] = setting.fallback;
    if (found.text === undefined) continue;
    const value = setting.kind.parse(found.text);
    if (value === undefined) mistakes.push(mistake(name, found.text, setting.kind.wanted));
    else values[name] = value;
  }

  // A rule about settings one of which is unreadable would only confuse.
  const broken = new Set(mistakes.map(({ name }) => name.replace(/_FILE$/, '')));
  for (const rule of rules) {
    if (rule.about.some((name) => broken.has(name))) continue;
    const broke = rule.check(values as Values);
    if (broke) mistakes.push(mistake(rule.about[0], broke.given, broke.wanted));
  }
  if (mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, config: configOf(values as Values), warnings: misspellings(environment) };
}

interface Found {
  readonly text: string | undefined;
  readonly mistake?: Mistake;
}

/** A setting's text, from its variable or, for a secret, from the file that `NAME_FILE` names. Empty means unset. */
function find(name: SettingName, setting: Setting<unknown>, environment: Environment): Found {
  const text = environment[name]?.trim() || undefined;
  const path = setting.secret ? environment[`${name}_FILE`]?.trim() || undefined : undefined;
  if (path === undefined) return { text };
  const example = `/run/secrets/${name.toLowerCase()}`;
  const wrong = (given: string, wanted: string): Found => ({
    text: undefined,
    mistake: { name: `${name}_FILE`, given, wanted, example },
  });
  if (text !== undefined) return wrong(`both ${name} and ${name}_FILE`, 'one of the two');
  try {
    const content = readFileSync(path, 'utf8').trim();
    return content === ''
      ? wrong(`${printable(path)}, which is empty`, 'a file that holds the value')
      : { text: content };
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    return wrong(`${printable(path)} (${code})`, 'a file that this process can read');
  }
}

interface Rule {
  /** The settings it reads; the first is the one to change. */
  readonly about: readonly [SettingName, ...SettingName[]];
  readonly check: (values: Values) => { readonly given: string | undefined; readonly wanted: string } | undefined;
}

const rules: readonly Rule[] = [
  {
    // Codes and cookies would travel in the clear (RFC 9700, section 2.6).
    about: ['ISSUER', 'NODE_ENV'],
    check: ({ ISSUER, NODE_ENV }) =>
      NODE_ENV === 'production' && ISSUER?.startsWith('http:') && !isLoopback(ISSUER)
        ? { given: ISSUER, wanted: 'an https address in production, unless it is on loopback' }
        : undefined,
  },
  {
    // With a database that others can reach, a key beside the data would protect nothing, and each server would make its own.
    about: ['SECRET_KEY', 'DATABASE_URL'],
    check: ({ SECRET_KEY, DATABASE_URL }) =>
      DATABASE_URL !== undefined && SECRET_KEY === undefined
        ? { given: undefined, wanted: 'a value of at least 32 characters, because DATABASE_URL is set' }
        : undefined,
  },
  {
    // In the clear, the five digits tell a listener a little of the password, and the answer could be anybody's.
    about: ['BREACHED_PASSWORDS_URL'],
    check: ({ BREACHED_PASSWORDS_URL: url }) =>
      url !== undefined && (/[?#]/.test(url) || (/^http:/i.test(url) && !isLoopback(url)))
        ? { given: url, wanted: 'an address without a query, with https unless it is on loopback' }
        : undefined,
  },
  {
    about: ['BRAND_LOGO_DARK', 'BRAND_LOGO'],
    check: ({ BRAND_LOGO_DARK: dark, BRAND_LOGO: light }) =>
      dark !== undefined && light === undefined ? { given: dark, wanted: 'BRAND_LOGO beside it' } : undefined,
  },
  {
    about: ['WORKERS', 'DATABASE_URL'],
    check: ({ WORKERS, DATABASE_URL }) =>
      WORKERS > 1 && DATABASE_URL === undefined
        ? { given: String(WORKERS), wanted: '1 with SQLite; set DATABASE_URL to use more' }
        : undefined,
  },
  {
    about: ['METRICS_PORT', 'PORT'],
    check: ({ METRICS_PORT, PORT }) =>
      METRICS_PORT === PORT ? { given: String(METRICS_PORT), wanted: 'another port than PORT' } : undefined,
  },
  {
    about: ['REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL'],
    check: ({ REFRESH_TOKEN_IDLE_TTL: idle, REFRESH_TOKEN_TTL: whole }) =>
      idle !== undefined && idle > whole
        ? { given: String(idle), wanted: `at most REFRESH_TOKEN_TTL, which is ${whole}` }
        : undefined,
  },
];

function configOf(values: Values): Config {
  const production = values.NODE_ENV === 'production';
  const dataDir = resolve(values.DATA_DIR);
  return deepFreeze({
    production,
    development: !production,
    issuer: values.ISSUER ?? `http://localhost:${values.PORT}`,
    port: values.PORT,
    host: values.HOST ?? (production ? undefined : 'localhost'),
    trustProxy: values.TRUST_PROXY,
    workers: values.WORKERS,
    shutdownTimeout: values.SHUTDOWN_TIMEOUT,
    dataDir,
    database:
      values.DATABASE_URL === undefined
        ? { kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') }
        : { kind: 'postgres', url: values.DATABASE_URL, pool: values.DATABASE_POOL },
    migrate: values.MIGRATE,
    redis: values.REDIS_URL === undefined ? undefined : { url: values.REDIS_URL, prefix: values.REDIS_PREFIX },
    secretKey: values.SECRET_KEY,
    adminKeys: values.ADMIN_KEY ?? [],
    surfaces: values.SURFACES,
    gatewayRoutes: values.GATEWAY_ROUTES,
    brandName: values.BRAND_NAME,
    brand: {
      name: values.BRAND_NAME,
      logo: values.BRAND_LOGO,
      logoDark: values.BRAND_LOGO_DARK,
      accent: values.BRAND_ACCENT,
      background: values.BRAND_BACKGROUND,
      links: values.BRAND_LINKS,
    },
    viewsDir: values.VIEWS_DIR,
    signUp: values.SIGN_UP,
    upstreams: values.UPSTREAMS,
    secondFactor: values.SECOND_FACTOR,
    hideAccountExistence: values.HIDE_ACCOUNT_EXISTENCE,
    setupLinkTtl: values.SETUP_LINK_TTL,
    password: {
      minLength: values.PASSWORD_MIN_LENGTH,
      minLengthSecondFactor: Math.min(values.PASSWORD_MIN_LENGTH_SECOND_FACTOR, values.PASSWORD_MIN_LENGTH),
      breachedUrl: values.BREACHED_PASSWORDS_URL,
      hashMemory: values.PASSWORD_HASH_MEMORY,
      hashTime: values.PASSWORD_HASH_TIME,
      queue: values.PASSWORD_QUEUE,
    },
    mail: {
      smtp: values.SMTP_URL === undefined ? undefined : { url: values.SMTP_URL, ...senderOf(values) },
      limit: values.MAIL_LIMIT,
      addressLimit: values.MAIL_ADDRESS_LIMIT,
      resetLinkTtl: values.RESET_LINK_TTL,
      emailLinkTtl: values.EMAIL_LINK_TTL,
      invitationTtl: values.INVITATION_TTL,
      newDevice: values.NEW_DEVICE_MAIL,
    },
    throttle: {
      accountLimit: values.THROTTLE_ACCOUNT_LIMIT,
      addressLimit: values.THROTTLE_ADDRESS_LIMIT,
      window: values.THROTTLE_WINDOW,
    },
    lifetimes: {
      accessToken: values.ACCESS_TOKEN_TTL,
      refreshToken: values.REFRESH_TOKEN_TTL,
      refreshTokenIdle: values.REFRESH_TOKEN_IDLE_TTL ?? values.REFRESH_TOKEN_TTL,
      refreshReuseWindow: values.REFRESH_REUSE_WINDOW,
      idToken: values.ID_TOKEN_TTL,
      authorizationCode: values.AUTHORIZATION_CODE_TTL,
      session: values.SESSION_TTL,
      sessionUnremembered: Math.min(values.SESSION_TTL_UNREMEMBERED ?? values.SESSION_TTL, values.SESSION_TTL),
      sessionIdle: values.SESSION_IDLE_TTL,
      interaction: values.INTERACTION_TTL,
      clientSecretOverlap: values.CLIENT_SECRET_OVERLAP,
      identityToken: values.IDENTITY_TOKEN_TTL,
      identitySession: values.IDENTITY_SESSION_TTL,
      securityServiceToken: values.SECURITY_SERVICE_TOKEN_TTL,
      tinyoauthToken: values.TINYOAUTH_TOKEN_TTL,
      spaceGuardToken: values.SPACE_GUARD_TOKEN_TTL,
      spaceGuardRefresh: values.SPACE_GUARD_REFRESH_TTL,
    },
    keys: { jwksMaxAge: values.JWKS_MAX_AGE, rotationDays: values.KEY_ROTATION_DAYS },
    logLevel: values.LOG_LEVEL,
    metricsPort: values.METRICS_PORT,
  });
}

/** A mail from an address of this server's own host, unless the operator names one. */
function senderOf({ MAIL_FROM, MAIL_REPLY_TO, BRAND_NAME, ISSUER }: Values) {
  const name = BRAND_NAME.replace(/[<>",;:@]/g, ' ').trim();
  const address = `no-reply@${ISSUER === undefined ? 'localhost' : new URL(ISSUER).hostname}`;
  return { from: MAIL_FROM ?? `${name} <${address}>`, replyTo: MAIL_REPLY_TO };
}

/** All mistakes as a text for a terminal. */
export function describeMistakes(mistakes: readonly Mistake[]): string {
  const title = mistakes.length === 1 ? 'One setting needs a change:' : `${mistakes.length} settings need a change:`;
  const blocks = mistakes.map(
    ({ name, given, wanted, example }) =>
      `  ${name}\n    given    ${given}\n    wanted   ${wanted.replaceAll('`', '')}\n    example  ${
        example.includes('`') ? example.replaceAll('`', '') : `${name}=${example}`
      }`,
  );
  return [title, ...blocks, 'Every setting is described in docs/settings.md.'].join('\n\n');
}

function mistake(name: SettingName, given: string | undefined, wanted: string): Mistake {
  const { example, secret } = settings[name] as Setting<unknown>;
  if (given === undefined) return { name, given: 'nothing', wanted, example };
  return {
    name,
    given: secret ? `a value of ${given.length} characters (not shown)` : printable(given),
    wanted,
    example,
  };
}

/** What was given, without what could steer a terminal, and without a password that slipped into an address. */
function printable(text: string): string {
  const plain = text.replace(/\p{C}/gu, '?').replace(/\/\/[^/]*@/, '//…@');
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}

/** Variables that look like a setting with a slip of the pen: not an error, since the environment holds others' names too. */
function misspellings(environment: Environment): readonly string[] {
  const known = new Set<string>(table.flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name])));
  const warnings: string[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (known.has(name) || !/^[A-Z][A-Z0-9_]{4,40}$/.test(name)) continue;
    const plain = name.replace(/_FILE$/, '');
    if (plain !== name && known.has(plain)) {
      warnings.push(`${name} is not read: ${plain} is not a secret and has no file variant.`);
      continue;
    }
    const meant = [...known].find((other) => resembles(name, other, other.length >= 8 ? 2 : 1));
    if (meant) warnings.push(`${name} is not a setting. Did you mean ${meant}?`);
  }
  return warnings;
}

/**
 * Whether the two differ by at most `slips` letters in a row, added, missing or changed; underscores do not count. That
 * finds most slips in a few steps, where an edit distance over a whole environment takes 20 ms of every start.
 */
function resembles(a: string, b: string, slips: number): boolean {
  const [from, to] = [a.replaceAll('_', ''), b.replaceAll('_', '')];
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < shorter - head && from.at(-1 - tail) === to.at(-1 - tail)) tail++;
  return Math.max(from.length, to.length) - head - tail <= slips;
}

/** Loopback names and addresses, where http harms nobody (RFC 8252, section 8.3; RFC 6761, section 6.3). */
function isLoopback(address: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(address).hostname);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
