/** The settings as the program uses them, grouped by their users and completed by values that follow from others. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { isLoopbackHost } from '../base/loopback.ts';
import type { TrustProxy } from './kinds.ts';
import type { Values } from './schema.ts';

/** Seconds. */
interface ClientRefreshReuse {
  readonly publicClients: number;
  readonly dynamicClients: number;
}

/** All lifetimes are in seconds. */
export interface Config {
  readonly production: boolean;
  /** True unless NODE_ENV is production. */
  readonly development: boolean;
  /** Whether development pages exist; each request must also come from this machine (http/developer.ts). */
  readonly developmentPages: boolean;
  /** An origin: no path, no trailing slash. */
  readonly issuer: string;
  readonly port: number;
  /** Undefined: all addresses. */
  readonly host: string | undefined;
  readonly trustProxy: TrustProxy;
  readonly workers: number;
  readonly shutdownTimeout: number;
  /** An absolute path; it may not exist yet. */
  readonly dataDir: string;
  readonly database:
    | { readonly kind: 'sqlite'; readonly file: string }
    | {
        readonly kind: 'postgres';
        readonly url: string;
        readonly pool: number;
        readonly pooler: Values['DATABASE_POOLER'];
      };
  readonly migrate: boolean;
  readonly redis: { readonly url: string; readonly prefix: string } | undefined;
  /** Undefined only with SQLite, where the server makes one and keeps it in `dataDir`. */
  readonly secretKey: string | undefined;
  /** Empty: the first start makes one. */
  readonly adminKeys: readonly string[];
  /** `unset` in production: the main surface, and those in use. */
  readonly surfaces: 'all' | 'unset' | readonly string[];
  readonly gatewayRoutes: string | undefined;
  readonly gatewayOrigins: readonly string[];
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
  readonly requirePkce: 'public' | 'all';
  readonly dpopNonce: 'offered' | 'required';
  readonly hideAccountExistence: boolean;
  readonly namesWithAt: 'off' | 'surfaces';
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
    /** SMTP; in development the page, or the terminal if there is no page; otherwise nowhere. */
    readonly goes: 'smtp' | 'page' | 'terminal' | 'nowhere';
    /** Undefined: this server sends no mails. */
    readonly smtp: { readonly url: string; readonly from: string; readonly replyTo: string | undefined } | undefined;
    /** Per hour, for one mailbox and for one IP address. */
    readonly limit: number;
    readonly addressLimit: number;
    readonly resetLinkTtl: number;
    readonly emailLinkTtl: number;
    readonly invitationTtl: number;
    readonly newDevice: boolean;
  };
  /** Requests to addresses that clients name. */
  readonly outgoing: { readonly allow: readonly string[]; readonly proxy: string | undefined };
  readonly throttle: { readonly accountLimit: number; readonly addressLimit: number; readonly window: number };
  readonly lifetimes: {
    readonly accessToken: number;
    readonly refreshToken: number;
    readonly refreshTokenIdle: number;
    /** Of the identity API. */
    readonly refreshReuseWindow: number;
    /** Of the protocol's clients. */
    readonly clientRefreshReuse: ClientRefreshReuse;
    readonly idToken: number;
    readonly authorizationCode: number;
    readonly deviceCode: number;
    readonly devicePollInterval: number;
    readonly session: number;
    readonly sessionUnremembered: number;
    /** 0: no limit. */
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
  readonly protocol: {
    /** A `client_id` may be the address of a document. */
    readonly mcp: boolean;
    readonly requirePushedAuthorizationRequests: boolean;
  };
  readonly registration: {
    readonly mode: 'off' | 'token' | 'open';
    /** Per hour, from one address and from all. */
    readonly addressLimit: number;
    readonly limit: number;
    /** Registered clients at one time. */
    readonly most: number;
    /** Undefined: no limit, here and of hosts. */
    readonly scopes: readonly string[] | undefined;
    readonly redirectHosts: readonly string[] | undefined;
    readonly redirectSchemes: readonly string[];
    /** In seconds. */
    readonly unused: number;
    readonly idle: number;
  };
  readonly keys: { readonly jwksMaxAge: number; readonly rotationDays: number };
  readonly logLevel: Values['LOG_LEVEL'];
  readonly metrics: {
    /** Undefined: `port`. */
    readonly port: number | undefined;
    readonly host: string;
    /** Empty: the separate port needs no token. */
    readonly tokens: readonly string[];
  };
}

export function configOf(values: Values): Config {
  const production = values.NODE_ENV === 'production';
  const dataDir = resolve(values.DATA_DIR);
  const issuer = values.ISSUER ?? `http://localhost:${values.PORT}`;
  const onLoopback = isLoopbackHost(new URL(issuer).hostname);
  const developmentPages = !production && onLoopback;
  return deepFreeze({
    production,
    development: !production,
    developmentPages,
    issuer,
    port: values.PORT,
    host: values.HOST ?? (onLoopback ? loopbackOf(issuer) : undefined),
    trustProxy: values.TRUST_PROXY,
    workers: values.WORKERS,
    shutdownTimeout: values.SHUTDOWN_TIMEOUT,
    dataDir,
    database:
      values.DATABASE_URL === undefined
        ? { kind: 'sqlite', file: join(dataDir, 'gatehouse.sqlite') }
        : {
            kind: 'postgres',
            url: values.DATABASE_URL,
            pool: values.DATABASE_POOL,
            pooler: values.DATABASE_POOLER,
          },
    migrate: values.MIGRATE,
    redis: values.REDIS_URL === undefined ? undefined : { url: values.REDIS_URL, prefix: values.REDIS_PREFIX },
    secretKey: values.SECRET_KEY,
    adminKeys: values.ADMIN_KEY ?? [],
    surfaces: values.SURFACES ?? (production ? 'unset' : 'all'),
    gatewayRoutes: values.GATEWAY_ROUTES,
    gatewayOrigins: values.GATEWAY_ORIGINS ?? [],
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
    signUp: values.SIGN_UP ?? (production ? 'invite' : 'open'),
    upstreams: values.UPSTREAMS,
    secondFactor: values.SECOND_FACTOR,
    requirePkce: values.REQUIRE_PKCE,
    dpopNonce: values.DPOP_NONCE,
    hideAccountExistence: values.HIDE_ACCOUNT_EXISTENCE,
    namesWithAt: values.NAMES_WITH_AT,
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
      goes: mailGoes(values, developmentPages),
      smtp: values.SMTP_URL === undefined ? undefined : { url: values.SMTP_URL, ...senderOf(values) },
      limit: values.MAIL_LIMIT,
      addressLimit: values.MAIL_ADDRESS_LIMIT,
      resetLinkTtl: values.RESET_LINK_TTL,
      emailLinkTtl: values.EMAIL_LINK_TTL,
      invitationTtl: values.INVITATION_TTL,
      newDevice: values.NEW_DEVICE_MAIL,
    },
    outgoing: { allow: values.OUTBOUND_ALLOW, proxy: values.HTTPS_PROXY },
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
      clientRefreshReuse: clientRefreshReuseOf(values),
      idToken: values.ID_TOKEN_TTL,
      authorizationCode: values.AUTHORIZATION_CODE_TTL,
      deviceCode: values.DEVICE_CODE_TTL,
      devicePollInterval: values.DEVICE_POLL_INTERVAL,
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
    registration: {
      mode: values.REGISTRATION ?? (values.MCP ? 'open' : 'off'),
      addressLimit: values.REGISTRATION_ADDRESS_LIMIT,
      limit: values.REGISTRATION_LIMIT,
      most: values.DYNAMIC_CLIENT_MAX,
      scopes: values.DYNAMIC_CLIENT_SCOPES,
      redirectHosts: values.DYNAMIC_CLIENT_REDIRECT_HOSTS,
      redirectSchemes: values.DYNAMIC_CLIENT_REDIRECT_SCHEMES ?? [],
      unused: values.DYNAMIC_CLIENT_UNUSED_TTL,
      idle: values.DYNAMIC_CLIENT_IDLE_TTL,
    },
    protocol: {
      mcp: values.MCP,
      requirePushedAuthorizationRequests: values.REQUIRE_PUSHED_AUTHORIZATION_REQUESTS,
    },
    keys: { jwksMaxAge: values.JWKS_MAX_AGE, rotationDays: values.KEY_ROTATION_DAYS },
    logLevel: values.LOG_LEVEL,
    metrics: { port: values.METRICS_PORT, host: values.METRICS_HOST, tokens: values.METRICS_TOKEN ?? [] },
  });
}

/** An operator who turned reuse off before public clients had a setting of their own keeps it off. */
function clientRefreshReuseOf(values: Values): ClientRefreshReuse {
  const publicClients = values.CLIENT_REFRESH_REUSE_WINDOW ?? (values.REFRESH_REUSE_WINDOW === 0 ? 0 : 60);
  return { publicClients, dynamicClients: values.DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW ?? publicClients };
}

/** An IP address stays as it is, because `localhost` may resolve to another one. */
function loopbackOf(issuer: string): string {
  const address = new URL(issuer).hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) ? address : 'localhost';
}

/** With several workers each would have its own mailbox page, so there is none. */
function mailGoes({ SMTP_URL, NODE_ENV, WORKERS }: Values, pages: boolean): Config['mail']['goes'] {
  if (SMTP_URL !== undefined) return 'smtp';
  if (NODE_ENV === 'production') return 'nowhere';
  return pages && WORKERS === 1 ? 'page' : 'terminal';
}

/** The default sender is an address at this server's own host. */
function senderOf({ MAIL_FROM, MAIL_REPLY_TO, BRAND_NAME, ISSUER }: Values) {
  const name = BRAND_NAME.replace(/[<>",;:@]/g, ' ').trim();
  const address = `no-reply@${ISSUER === undefined ? 'localhost' : new URL(ISSUER).hostname}`;
  return { from: MAIL_FROM ?? `${name} <${address}>`, replyTo: MAIL_REPLY_TO };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
