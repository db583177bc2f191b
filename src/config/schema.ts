/**
 * Every setting once: its kind, its default, one sentence and an example. load.ts reads the environment by this table and
 * reference.ts writes docs/settings.md from it. Rules between settings are in load.ts.
 */
import { background, colour, links, picture } from './brand-kinds.ts';
import {
  file,
  flag,
  folder,
  host,
  type Kind,
  mailbox,
  names,
  newFolder,
  oneOf,
  origin,
  port,
  seconds,
  secret,
  secrets,
  smtpUrl,
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
  mail: 'Mail',
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
    sentence:
      '`production` removes the playground and the gallery, asks for https, and shows errors to people without details.',
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
  BRAND_LOGO: optional(picture, 'a plain sign', {
    group: 'surfaces',
    sentence: 'A picture that stands before the name on every page, and on the browser tab.',
    example: '/etc/gatehouse/logo.svg',
  }),
  BRAND_LOGO_DARK: optional(picture, '`BRAND_LOGO`', {
    group: 'surfaces',
    sentence: 'The same for people whose system is dark.',
    example: '/etc/gatehouse/logo-dark.svg',
  }),
  BRAND_ACCENT: optional(colour, 'a calm blue', {
    group: 'surfaces',
    sentence:
      'The colour of buttons; links and other text get its nearest shade that is readable, in light and in dark.',
    example: '#0b7a4b',
  }),
  BRAND_BACKGROUND: optional(background, 'a light gray; in dark almost black', {
    group: 'surfaces',
    sentence: 'What is behind the pages; used as light, or in dark as dark, as the text on it needs.',
    example: '#eaf6f0 #ffffff',
  }),
  BRAND_LINKS: optional(links, 'none', {
    group: 'surfaces',
    sentence: 'Where the links at the foot of every page lead.',
    example: 'privacy=https://example.com/privacy terms=https://example.com/terms support=mailto:help@example.com',
  }),
  VIEWS_DIR: optional(folder, 'the built-in pages', {
    group: 'surfaces',
    sentence:
      'A folder whose templates take the place of built-in ones of the same name, and whose `texts` add languages or reword texts.',
    example: '/etc/gatehouse/views',
  }),

  SIGN_UP: setting(oneOf('open', 'invite', 'off'), 'open', {
    group: 'people',
    sentence: 'Who may create an account of their own: everybody (`open`), the invited (`invite`) or nobody (`off`).',
    example: 'invite',
  }),
  UPSTREAMS: optional(file, 'people sign in with what this server knows of them only', {
    group: 'people',
    sentence: 'The providers through which people may sign in too, as JSON or YAML (docs/upstream.md).',
    example: '/etc/gatehouse/upstreams.yaml',
  }),
  SECOND_FACTOR: setting(oneOf('none', 'offered', 'required'), 'offered', {
    group: 'people',
    sentence:
      'Whether people who have no second factor are left alone (`none`), invited once to add one (`offered`), or must add one before they go on (`required`). Who has one is always asked for it; a client may be stricter.',
    example: 'required',
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
    sentence: 'The shortest password accepted.',
    example: '12',
  }),
  PASSWORD_MIN_LENGTH_SECOND_FACTOR: setting(wholeNumber(8, 64), 8, {
    group: 'people',
    sentence: 'The same for an account that has a second factor; never more than `PASSWORD_MIN_LENGTH`.',
    example: '10',
  }),
  BREACHED_PASSWORDS_URL: optional(urlWith('https', 'http'), 'new passwords are compared with the built-in list only', {
    group: 'people',
    sentence:
      'Where new passwords are looked for among stolen ones: a service with the range protocol of Have I Been Pwned. It is sent five digits of a hash, never a password; while it does not answer, passwords are accepted without it.',
    example: 'https://api.pwnedpasswords.com/range/',
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
  SMTP_URL: optional(smtpUrl, 'no mails; in development they are shown at `/dev/mails`', {
    group: 'mail',
    secret: true,
    sentence:
      'The server that sends mails; without one nothing that needs a mail is offered (forgotten passwords, confirmed addresses).',
    example: 'smtps://user:password@mail.example.com',
  }),
  MAIL_FROM: optional(mailbox, '`BRAND_NAME <no-reply@…>` at the host of `ISSUER`', {
    group: 'mail',
    sentence: 'Whom mails are from.',
    example: 'Example Accounts <accounts@example.com>',
  }),
  MAIL_REPLY_TO: optional(mailbox, 'none', {
    group: 'mail',
    sentence: 'Where answers to mails go.',
    example: 'help@example.com',
  }),
  MAIL_LIMIT: setting(wholeNumber(1, 1000), 5, {
    group: 'mail',
    sentence: 'How many links one mailbox, and one account, is sent within an hour at the request of people.',
    example: '10',
  }),
  MAIL_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 30, {
    group: 'mail',
    sentence: 'How many mails may be asked for from one IP address within an hour.',
    example: '100',
  }),
  RESET_LINK_TTL: setting(seconds(60, DAY), 1800, {
    group: 'mail',
    sentence: 'How long a link for setting a new password works.',
    example: '900',
  }),
  EMAIL_LINK_TTL: setting(seconds(60, 7 * DAY), DAY, {
    group: 'mail',
    sentence: 'How long a link that proves an e-mail address works.',
    example: '3600',
  }),
  NEW_DEVICE_MAIL: setting(flag, true, {
    group: 'mail',
    sentence: 'Mails people when somebody signs in to their account in a browser that does not remember them.',
    example: 'false',
  }),
  INVITATION_TTL: setting(seconds(60, 90 * DAY), 7 * DAY, {
    group: 'mail',
    sentence: 'How long an invitation works.',
    example: '86400',
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
    sentence: 'How long a browser stays signed in where its person chose to be remembered, counted from the login.',
    example: '43200',
  }),
  SESSION_TTL_UNREMEMBERED: optional(seconds(60, 365 * DAY), '`SESSION_TTL`', {
    group: 'lifetimes',
    sentence:
      'The same for a browser that was not asked to keep the person signed in; its cookie goes with the browser in any case.',
    example: '43200',
  }),
  SESSION_IDLE_TTL: setting(seconds(0, 365 * DAY), 0, {
    group: 'lifetimes',
    sentence:
      'How long a browser stays signed in when neither it nor an application of its person uses that. 0: it does not matter.',
    example: '86400',
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
