/**
 * Storage, caches, accounts, clients, keys: everything that decides, opened over one configuration. The server builds its doors
 * over it (app.ts), the command line uses it as it is. Only these two and this file see core, storage and login methods together.
 */
import { join } from 'node:path';
import { createLog, type LogLevel } from './base/log.ts';
import { createMetrics } from './base/metrics.ts';
import { deriveKey } from './base/secrets.ts';
import type { Config } from './config/load.ts';
import { openSecrets } from './config/secrets.ts';
import { createAccountImports } from './core/account-import.ts';
import { createAccounts } from './core/accounts.ts';
import { createActivity } from './core/activity.ts';
import { createAdminKeys } from './core/admin-keys.ts';
import { createApis } from './core/apis.ts';
import { createAudit } from './core/audit.ts';
import { createCachedClients } from './core/cached-clients.ts';
import { createChangeLog } from './core/change-log.ts';
import { createClientSessions } from './core/client-sessions.ts';
import { createClients } from './core/clients.ts';
import { createDevices } from './core/devices.ts';
import { createEmailCodes } from './core/email-codes.ts';
import { createEmails } from './core/emails.ts';
import { withFactorLetters } from './core/factor-letters.ts';
import { createFactorOffer } from './core/factor-offer.ts';
import { createFactors } from './core/factors.ts';
import { createFirstParty } from './core/first-party.ts';
import { createInvitations } from './core/invitations.ts';
import { createKeys, type NewKey } from './core/keys.ts';
import { createLinks } from './core/links.ts';
import { createMailLimits } from './core/mail-limits.ts';
import { createMails } from './core/mails.ts';
import { createPasskeys } from './core/passkeys.ts';
import { createPasswordReset } from './core/password-reset.ts';
import { createSessions } from './core/sessions.ts';
import { createSetup } from './core/setup.ts';
import { createSignIn } from './core/sign-in.ts';
import { createSignUp } from './core/sign-up.ts';
import { createTokens } from './core/tokens.ts';
import { loadTexts, type Texts } from './http/texts.ts';
import { buttonColours } from './http/theme.ts';
import { createBreachedPasswords } from './login/breach/breach.ts';
import { openLoginMethods } from './login/methods.ts';
import { createWording } from './mail/letters.ts';
import { openMail } from './mail/open.ts';
import type { ProtocolPages } from './oidc/ports.ts';
import { createProtocol } from './oidc/provider.ts';
import { createLocalChannel } from './storage/local/channel.ts';
import { createLocalThrottle } from './storage/local/throttle.ts';
import { openSql } from './storage/sql/open.ts';

const textsDir = join(import.meta.dirname, '../views/texts');

export type Core = Awaited<ReturnType<typeof openCore>>;

export interface CoreOptions {
  /** An RSA key already being made, for a first start that should not wait for it. */
  readonly earlyKey?: Promise<NewKey> | undefined;
  /** Where log lines go instead of standard output. */
  readonly logTo?: { write(line: string): void } | undefined;
  /** In place of `LOG_LEVEL`. */
  readonly logLevel?: LogLevel;
  /** False: leaves it to a server's start to make and show one. */
  readonly makeAdminKey?: boolean;
}

/** Throws `Unavailable` where the database does not answer, and a plain error, fit to be shown, for any other reason not to start. */
export async function openCore(config: Config, options: CoreOptions = {}) {
  const secrets = openSecrets(config, options.makeAdminKey);
  const { log, close: closeLog } = createLog({
    level: options.logLevel ?? config.logLevel,
    format: config.production ? 'json' : 'readable',
    ...(options.logTo ? { to: options.logTo } : {}),
  });
  const metrics = createMetrics();
  const stores = await openSql(config.database, config.migrate ? { migrateAtOpen: true } : {});
  const fallbackThrottle = createLocalThrottle();
  const redis =
    config.redis && (await openRedisStorage(config.redis, secrets.secretKey, fallbackThrottle, log, metrics));
  const channel = redis?.channel ?? createLocalChannel();
  const throttle = redis?.throttle ?? fallbackThrottle;

  const audit = createAudit({ store: stores.audit, log, metrics });
  const changes = createChangeLog({ changes: stores.changes, channel });
  const cached = createCachedClients({
    ...stores,
    log: changes,
    ...(redis ? { cache: redis.cache } : {}),
    lookedUp: (from) => metrics.count('client_lookups_total', { from }),
  });
  const apis = createApis({ store: stores.apis, cached, changes, issuer: config.issuer });
  const keys = createKeys(stores.keys, {
    secretKey: secrets.secretKey,
    jwksMaxAge: config.keys.jwksMaxAge,
    rotationDays: config.keys.rotationDays,
    longestToken: longestSigned(config.lifetimes),
  });
  const {
    password: hasher,
    totp,
    recoveryCode,
    emailCode,
    passkey,
  } = openLoginMethods({
    passkey: { issuer: config.issuer, brandName: config.brandName },
    password: {
      memoryKiB: config.password.hashMemory,
      timeCost: config.password.hashTime,
      queue: config.password.queue,
    },
  });
  const activity = createActivity({ ...stores, log });
  const sessions = createSessions({
    engine: stores.engine,
    changes,
    audit,
    secretKey: secrets.secretKey,
    idle: config.lifetimes.sessionIdle,
  });
  let catalogue: Texts | undefined;
  const { transport, mailbox } = openMail(config.mail.smtp, config.development);
  const mails = createMails({
    transport,
    // The server has read the catalogue for its pages; a command reads it with its first mail.
    word: createWording({
      ...config,
      button: config.brand.accent === undefined ? undefined : buttonColours(config.brand.accent),
      catalogue: () => (catalogue ??= loadTexts(textsDir, config.viewsDir && join(config.viewsDir, 'texts'))),
    }),
    audit,
    log,
    metrics,
  });
  const devices = createDevices({
    store: stores.devices,
    accounts: stores.accounts,
    mails,
    throttle,
    audit,
    settings: { mail: config.mail.newDevice },
  });
  const accounts = createAccounts({
    store: stores.accounts,
    sessions,
    changes,
    hasher,
    audit,
    async passwordSet({ subject, username, email, verified }, { locale = 'en', browser }) {
      await devices.forgetOthers(subject, browser);
      if (email === null || !verified) return;
      mails.send({ kind: 'password-changed', to: email, locale, subject, path: '/forgot', values: { username } });
    },
    ...(config.password.breachedUrl !== undefined && {
      breached: createBreachedPasswords({ url: config.password.breachedUrl }, log),
    }),
    settings: {
      passwordMinLength: config.password.minLength,
      passwordMinLengthSecondFactor: config.password.minLengthSecondFactor,
      serviceName: config.brandName,
    },
  });
  const accountImports = createAccountImports({ store: stores.accounts, hasher, audit });
  const mailLimits = createMailLimits({
    throttle,
    settings: { mailbox: config.mail.limit, address: config.mail.addressLimit },
  });
  const factorAudit = withFactorLetters(audit, { accounts: stores.accounts, mails });
  const emailCodes = createEmailCodes({
    store: stores.factors,
    accounts: stores.accounts,
    method: emailCode,
    recoveryCode,
    mails,
    limits: mailLimits,
    audit: factorAudit,
    changes,
    hashKey: deriveKey(secrets.secretKey, 'email-codes'),
  });
  const passkeys = createPasskeys({
    store: stores.passkeys,
    accounts: stores.accounts,
    engine: stores.engine,
    method: passkey,
    recoveryCode,
    audit: factorAudit,
    changes,
    secretKey: secrets.secretKey,
  });
  const factors = createFactors({
    store: stores.factors,
    passkeys: stores.passkeys,
    accounts: stores.accounts,
    totp,
    recoveryCode,
    emailCode,
    emailCodes,
    throttle,
    audit: factorAudit,
    changes,
    sealKey: deriveKey(secrets.secretKey, 'factors'),
    settings: {
      issuer: config.brandName,
      limit: config.throttle.accountLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const signIn = createSignIn({
    accounts: stores.accounts,
    hasher,
    factors,
    passkeys,
    emailCodes,
    devices,
    activity,
    throttle,
    audit,
    log,
    metrics,
    limits: {
      account: config.throttle.accountLimit,
      address: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const setup = createSetup({
    accounts,
    store: stores.accounts,
    links: stores.links,
    leases: stores.leases,
    audit,
    settings: { linkTtlSeconds: config.setupLinkTtl },
  });
  const tokens = createTokens({ keys, engine: stores.engine, clients: cached, issuer: config.issuer });
  const links = createLinks(stores.links);
  const ofMail = { store: stores.accounts, links, limits: mailLimits, mails, audit };
  const emails = createEmails({ ...ofMail, settings: { linkSeconds: config.mail.emailLinkTtl } });
  const passwordReset = createPasswordReset({
    ...ofMail,
    accounts,
    settings: { linkSeconds: config.mail.resetLinkTtl },
  });
  const signUp = createSignUp({
    accounts,
    store: stores.accounts,
    emails,
    throttle,
    settings: {
      signUp: config.signUp,
      addressLimit: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const invitations = createInvitations({
    links,
    mails,
    signUp,
    audit,
    settings: { signUp: config.signUp, linkSeconds: config.mail.invitationTtl },
  });
  const firstParty = createFirstParty({
    signIn,
    sessions,
    accounts,
    accountStore: stores.accounts,
    engine: stores.engine,
    activity,
    keys,
    settings: {
      issuer: config.issuer,
      lifetimes: {
        identity: { token: config.lifetimes.identityToken, session: config.lifetimes.identitySession },
        'security-service': {
          token: config.lifetimes.securityServiceToken,
          session: config.lifetimes.securityServiceToken,
        },
        tinyoauth: { token: config.lifetimes.tinyoauthToken, session: config.lifetimes.tinyoauthToken },
      },
      refreshing: ['identity'],
      reuseWindow: config.lifetimes.refreshReuseWindow,
      secondFactor: config.secondFactor,
    },
  });
  const clientSessions = createClientSessions({
    clients: cached,
    sessions,
    activity,
    keys,
    audit,
    settings: {
      issuer: config.issuer,
      accessToken: config.lifetimes.spaceGuardToken,
      refreshToken: config.lifetimes.spaceGuardRefresh,
    },
  });
  const adminKeys = createAdminKeys(secrets.adminKeyDigests);

  const close = async (): Promise<void> => {
    changes.close();
    await mails.close();
    await activity.close();
    await audit.close();
    redis?.close();
    await stores.close();
    await closeLog();
  };
  await Promise.all([changes.start(), keys.load(options.earlyKey)]).catch(async (error: unknown) => {
    // An open database would keep a command, which ends by itself, from ending.
    await close();
    throw error;
  });
  metrics.read('db_round_trips_total', () => stores.roundTrips());
  metrics.read('redis_up', () => (redis ? Number(redis.healthy()) : undefined));

  /** The protocol, whose pages differ between the server and the command line (which shows none). */
  const protocolWith = (pages: ProtocolPages) =>
    createProtocol({
      issuer: config.issuer,
      userApi: `${config.issuer}/user`,
      engine: stores.engine,
      accounts: stores.accounts,
      consents: stores.consents,
      clients: cached,
      apis,
      keys,
      pages,
      sessionValue: sessions.valueOf,
      seen: activity.seen,
      log,
      events: {
        issued(grantType, clientId, subject) {
          metrics.count('tokens_issued_total', { grant_type: grantType, kind: 'access_token' });
          if (subject !== undefined) activity.used(subject, clientId);
        },
        replayed: (grantId, clientId, subject) =>
          audit.note('grant.replayed', { clientId, subject, detail: { grantId } }),
        outdated: (subject, clientId) =>
          audit.note('session.ended', { subject, clientId, detail: { via: 'browser', password_changed: true } }),
        signedOut: (subject, clientId) => audit.note('sign_out', { subject, clientId }),
        allowed: (consent) => audit.record('consent.granted', consent),
      },
      factors,
      factorOffer: createFactorOffer(stores),
      settings: {
        secondFactor: config.secondFactor,
        secretKey: secrets.secretKey,
        jwksMaxAge: config.keys.jwksMaxAge,
        lifetimes: { ...config.lifetimes, reuseWindow: config.lifetimes.refreshReuseWindow },
      },
    });

  /** Clients are checked by the engine that will serve them. */
  const clientsWith = (protocol: ReturnType<typeof createProtocol>) =>
    createClients({
      store: stores.clients,
      changes,
      checkWithEngine: protocol.checkMetadata,
      secretOverlapSeconds: config.lifetimes.clientSecretOverlap,
    });

  return {
    config,
    secrets,
    log,
    metrics,
    stores,
    redis,
    throttle,
    audit,
    changes,
    cached,
    apis,
    keys,
    accounts,
    accountImports,
    factors,
    passkeys,
    emailCodes,
    devices,
    signIn,
    signUp,
    invitations,
    emails,
    passwordReset,
    mails,
    mailbox,
    sessions,
    activity,
    firstParty,
    clientSessions,
    setup,
    tokens,
    adminKeys,
    protocolWith,
    clientsWith,
    close,
  };
}

/** Seconds: a key stays published until the last token that it signed has ended. */
function longestSigned(lifetimes: Config['lifetimes']): number {
  const { accessToken, idToken, identityToken, securityServiceToken, tinyoauthToken } = lifetimes;
  const { spaceGuardToken, spaceGuardRefresh } = lifetimes;
  // A day for the APIs whose tokens have a lifetime of their own (core/apis).
  return Math.max(
    86_400,
    accessToken,
    idToken,
    identityToken,
    securityServiceToken,
    tinyoauthToken,
    spaceGuardToken,
    spaceGuardRefresh,
  );
}

async function openRedisStorage(
  redis: NonNullable<Config['redis']>,
  secretKey: string,
  fallbackThrottle: ReturnType<typeof createLocalThrottle>,
  log: ReturnType<typeof createLog>['log'],
  metrics: ReturnType<typeof createMetrics>,
) {
  // Loaded only where it is configured: a start without Redis does not pay for it.
  const { openRedis } = await import('./storage/redis/open.ts');
  return openRedis({
    ...redis,
    sealKey: deriveKey(secretKey, 'client-cache'),
    fallbackThrottle,
    onState: (up) => {
      metrics.set('redis_up', {}, Number(up));
      if (up) log.info('Redis answers');
      else log.warn('Redis does not answer: going on without it');
    },
  });
}
