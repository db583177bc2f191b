/**
 * Every setting once: its kind, its default, one sentence and an example. load.ts reads the environment by this table and
 * reference.ts writes docs/settings.md from it. Rules between settings are in load.ts.
 */
import {
  file,
  flag,
  folder,
  host,
  type Kind,
  names,
  newFolder,
  oneOf,
  origin,
  port,
  seconds,
  secret,
  secrets,
  text,
  trustProxy,
  urlWith,
  wholeNumber,
} from './kinds.ts';

export const groups = {
  server: 'Server',
  data: 'Data',
  surfaces: 'APIs and pages',
  people: 'Accounts and passwords',
  throttle: 'Throttle',
  lifetimes: 'Lifetimes',
  keys: 'Signing keys',
  operation: 'Operation',
} as const;

interface About {
  readonly group: keyof typeof groups;
  readonly sentence: string;
  readonly example: string;
  /** Never shown, and may come from a file named by `NAME_FILE`. */
  readonly secret?: true;
}

export interface Setting<V> extends About {
  readonly kind: Kind<NonNullable<V>>;
  readonly fallback: V;
  /** The default in words, as the reference prints it. */
  readonly otherwise: string;
}

function setting<T>(kind: Kind<T & {}>, fallback: T & {}, about: About & { otherwise?: string }): Setting<T & {}> {
  return { kind, fallback, ...about, otherwise: about.otherwise ?? `\`${String(fallback)}\`` };
}

/** A setting that may be absent, or whose default follows from others; `otherwise` says what then happens. */
function optional<T>(kind: Kind<T & {}>, otherwise: string, about: About): Setting<(T & {}) | undefined> {
  return { kind, fallback: undefined, otherwise, ...about };
}

const DAY = 86_400;

export const settings = {
  NODE_ENV: setting(oneOf('development', 'production', 'test'), 'development', {
    group: 'server',
    sentence: '`production` removes the playground, asks for https, and shows errors to people without details.',
    example: 'production',
  }),
  ISSUER: optional(origin, '`http://localhost:PORT`', {
    group: 'server',
    sentence:
      'The address by which people and applications reach this server; in production https, except on loopback.',
    example: 'https://id.example.com',
  }),
  PORT: setting(port, 3000, { group: 'server', sentence: 'The port to listen on.', example: '8080' }),
  HOST: optional(host, '`localhost`; in production all addresses', {
    group: 'server',
    sentence: 'The address to listen on.',
    example: '0.0.0.0',
  }),
  TRUST_PROXY: setting(
    trustProxy,
    { kind: 'off' },
    {
      group: 'server',
      otherwise: '`off`',
      sentence:
        "Whose `X-Forwarded-For` is believed when a request's address is told; the issuer never follows a header.",
      example: '10.0.0.0/8',
    },
  ),
  WORKERS: setting(wholeNumber(1, 64), 1, {
    group: 'server',
    sentence: 'How many processes share the port; more than one needs Postgres.',
    example: '4',
  }),
  SHUTDOWN_TIMEOUT: setting(seconds(1, 300), 10, {
    group: 'server',
    sentence: 'How long requests under way may take to finish after SIGTERM.',
    example: '30',
  }),

  DATA_DIR: setting(newFolder, './data', {
    group: 'data',
    sentence: 'The folder of the SQLite file and of what is generated at the first start.',
    example: '/var/lib/gatehouse',
  }),
  DATABASE_URL: optional(urlWith('postgres', 'postgresql'), 'SQLite in `DATA_DIR`', {
    group: 'data',
    secret: true,
    sentence: 'The Postgres to use.',
    example: 'postgres://gatehouse:password@localhost:5432/gatehouse',
  }),
  DATABASE_POOL: setting(wholeNumber(1, 200), 10, {
    group: 'data',
    sentence: 'How many Postgres connections one process may hold.',
    example: '20',
  }),
  MIGRATE: setting(flag, false, {
    group: 'data',
    sentence: 'Brings the Postgres schema up to date at start; SQLite always does.',
    example: 'true',
  }),
  REDIS_URL: optional(urlWith('redis', 'rediss'), 'cache and throttle stay in the process', {
    group: 'data',
    secret: true,
    sentence: 'The Redis that several servers share for the client cache and the sign-in throttle.',
    example: 'redis://localhost:6379',
  }),
  REDIS_PREFIX: setting(text(100), 'gatehouse:', {
    group: 'data',
    sentence: 'What every Redis key and channel begins with.',
    example: 'staging:',
  }),
  SECRET_KEY: optional(secret(32), 'made at the first start and kept in `DATA_DIR`; required with `DATABASE_URL`', {
    group: 'data',
    secret: true,
    sentence:
      'Encrypts private signing keys and second factors in the database and signs cookies; the same on all servers.',
    example: 'the output of `openssl rand -base64 32`',
  }),

  ADMIN_KEY: optional(
    secrets(16),
    'with SQLite one is made and shown once, at the first start; with `DATABASE_URL` there is none',
    {
      group: 'surfaces',
      secret: true,
      sentence: 'The key of the admin API; name two, separated by a comma, while you replace one.',
      example: 'the output of `openssl rand -base64 32`',
    },
  ),
  SURFACES: setting(names, 'all', {
    group: 'surfaces',
    sentence: 'Which of the API surfaces are served.',
    example: 'oauth-clients',
  }),
  GATEWAY_ROUTES: optional(file, 'nothing is forwarded; in development a sample shows how it would be', {
    group: 'surfaces',
    sentence: 'The route table of the gateway, as JSON or YAML; SIGHUP has it read again.',
    example: '/etc/gatehouse/routes.yaml',
  }),
  BRAND_NAME: setting(text(60), 'Gatehouse', {
    group: 'surfaces',
    sentence: 'The name people read on the pages.',
    example: 'Example Accounts',
  }),
  VIEWS_DIR: optional(folder, 'the built-in pages', {
    group: 'surfaces',
    sentence: 'A folder whose templates take the place of built-in ones of the same name.',
    example: '/etc/gatehouse/views',
  }),

  SIGN_UP: setting(oneOf('open', 'invite', 'off'), 'open', {
    group: 'people',
    sentence: 'Who may create an account of their own: everybody (`open`), the invited (`invite`) or nobody (`off`).',
    example: 'invite',
  }),
  HIDE_ACCOUNT_EXISTENCE: setting(flag, false, {
    group: 'people',
    sentence: 'Makes API surfaces that tell an unknown name from a wrong password answer both alike.',
    example: 'true',
  }),
  SETUP_LINK_TTL: setting(seconds(60, 30 * DAY), DAY, {
    group: 'people',
    sentence: 'How long the set-up link of the first admin works.',
    example: '3600',
  }),
  PASSWORD_MIN_LENGTH: setting(wholeNumber(8, 64), 15, {
    group: 'people',
    sentence: 'The shortest password accepted; with a second factor 8 is enough.',
    example: '12',
  }),
  PASSWORD_HASH_MEMORY: setting(wholeNumber(7168, 1_048_576, 'KiB'), 19_456, {
    group: 'people',
    sentence: 'The memory one Argon2id hash takes; a stored hash moves on at the next sign-in.',
    example: '47104',
  }),
  PASSWORD_HASH_TIME: setting(wholeNumber(1, 10, 'passes'), 2, {
    group: 'people',
    sentence: 'How often Argon2id passes over that memory.',
    example: '3',
  }),
  PASSWORD_QUEUE: setting(wholeNumber(1, 10_000), 64, {
    group: 'people',
    sentence: 'How many password checks may wait their turn; beyond that the answer is 503.',
    example: '128',
  }),
  SMTP_URL: optional(urlWith('smtp', 'smtps'), 'no mails', {
    group: 'people',
    secret: true,
    sentence: 'Reserved, without effect yet (no mails are sent): the server that sends mails.',
    example: 'smtps://user:password@mail.example.com',
  }),

  THROTTLE_ACCOUNT_LIMIT: setting(wholeNumber(1, 100), 10, {
    group: 'throttle',
    sentence: 'Failed sign-ins for one account within the window, after which it has to wait.',
    example: '5',
  }),
  THROTTLE_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 100, {
    group: 'throttle',
    sentence: 'Failed sign-ins from one address within the window, after which it has to wait.',
    example: '300',
  }),
  THROTTLE_WINDOW: setting(seconds(1, DAY), 900, {
    group: 'throttle',
    sentence: 'How long a failed sign-in counts.',
    example: '600',
  }),

  ACCESS_TOKEN_TTL: setting(seconds(10, DAY), 600, {
    group: 'lifetimes',
    sentence: 'How long an access token works.',
    example: '300',
  }),
  REFRESH_TOKEN_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    group: 'lifetimes',
    sentence: 'How long refreshing works after the code was redeemed; use never extends it.',
    example: '604800',
  }),
  REFRESH_TOKEN_IDLE_TTL: optional(seconds(60, 365 * DAY), '`REFRESH_TOKEN_TTL`', {
    group: 'lifetimes',
    sentence: 'How long a refresh token works when nobody uses it.',
    example: '604800',
  }),
  REFRESH_REUSE_WINDOW: setting(seconds(0, 60), 10, {
    group: 'lifetimes',
    sentence:
      'How long a refresh token that was just exchanged is forgiven a second use; later it ends the whole family. 0: never.',
    example: '0',
  }),
  ID_TOKEN_TTL: setting(seconds(10, DAY), 3600, {
    group: 'lifetimes',
    sentence: 'How long an ID token is valid.',
    example: '600',
  }),
  AUTHORIZATION_CODE_TTL: setting(seconds(1, 600), 60, {
    group: 'lifetimes',
    sentence: 'How long an authorization code can be redeemed.',
    example: '30',
  }),
  SESSION_TTL: setting(seconds(60, 365 * DAY), 14 * DAY, {
    group: 'lifetimes',
    sentence: 'How long a browser stays signed in, counted from the login.',
    example: '43200',
  }),
  INTERACTION_TTL: setting(seconds(60, DAY), 3600, {
    group: 'lifetimes',
    sentence: 'How long a person may take on the login and consent pages.',
    example: '900',
  }),
  IDENTITY_TOKEN_TTL: setting(seconds(10, DAY), 3600, {
    group: 'lifetimes',
    sentence: 'How long a JWT of the identity API works.',
    example: '600',
  }),
  IDENTITY_SESSION_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    group: 'lifetimes',
    sentence: 'How long a session of the identity API lasts after its last refresh.',
    example: '604800',
  }),
  SECURITY_SERVICE_TOKEN_TTL: setting(seconds(60, 30 * DAY), DAY, {
    group: 'lifetimes',
    sentence: 'How long a token of the security-service API works.',
    example: '28800',
  }),
  TINYOAUTH_TOKEN_TTL: setting(seconds(60, 30 * DAY), DAY, {
    group: 'lifetimes',
    sentence: 'How long a token of the tinyoauth API works.',
    example: '28800',
  }),
  SPACE_GUARD_TOKEN_TTL: setting(seconds(10, DAY), 600, {
    group: 'lifetimes',
    sentence: 'How long an access token of the space-guard API works.',
    example: '300',
  }),
  SPACE_GUARD_REFRESH_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    group: 'lifetimes',
    sentence: 'How long a session of the space-guard API lasts; use never extends it.',
    example: '604800',
  }),
  CLIENT_SECRET_OVERLAP: setting(seconds(0, 30 * DAY), DAY, {
    group: 'lifetimes',
    sentence: "How long a client's previous secret still works after a rotation.",
    example: '3600',
  }),

  JWKS_MAX_AGE: setting(seconds(10, 43_200), 3600, {
    group: 'keys',
    sentence: 'How long others may keep the published keys; a new key is published that long before it signs.',
    example: '600',
  }),
  KEY_ROTATION_DAYS: setting(wholeNumber(0, 3650, 'days'), 90, {
    group: 'keys',
    sentence: 'How often signing keys are replaced by themselves; 0: only by command.',
    example: '30',
  }),

  LOG_LEVEL: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
    group: 'operation',
    sentence: 'The least important messages that are logged.',
    example: 'debug',
  }),
  METRICS_PORT: optional(port, '`/metrics` is on `PORT` and answers to the admin key as a Bearer token', {
    group: 'operation',
    sentence: 'A port of its own for `/metrics`, which then asks for no key; keep it inside your network.',
    example: '9464',
  }),
} as const;

export type SettingName = keyof typeof settings;

/** What the table yields, before rules between settings are applied. */
export type Values = { readonly [K in SettingName]: (typeof settings)[K] extends Setting<infer V> ? V : never };
