/**
 * Puts core together over its adapters. The server builds its entry points over it (app.ts); the command line and the
 * tests use it as it is. Each module takes what it needs from those above it.
 */
import { type AdapterOptions, type Adapters, openAdapters } from './composition/adapters.ts';
import { composeFactors } from './composition/factors.ts';
import type { Config } from './config/config.ts';
import { createAccountEdits } from './core/accounts/account-edits.ts';
import { createAccountImports } from './core/accounts/account-import.ts';
import { accountLetters } from './core/accounts/account-letters.ts';
import { createAccounts } from './core/accounts/accounts.ts';
import { createActivity } from './core/accounts/activity.ts';
import { createEmailClaims } from './core/accounts/email-claims.ts';
import { createEmails } from './core/accounts/emails.ts';
import { createGroups } from './core/accounts/groups.ts';
import { createApiSessions } from './core/api-sessions/api-sessions.ts';
import { createClientSessions } from './core/api-sessions/client-sessions.ts';
import { createApis } from './core/apis/apis.ts';
import { createChangeLog } from './core/changes/change-log.ts';
import { createAdminKeys } from './core/clients/admin-keys.ts';
import { createCachedClients } from './core/clients/cached-clients.ts';
import { createUnprotected } from './core/clients/unprotected.ts';
import { createConnections } from './core/consents/connections.ts';
import type { Core } from './core/core.ts';
import { createAudit } from './core/kernel/audit.ts';
import { createCredentialLimits } from './core/kernel/credential-limits.ts';
import { createLinks } from './core/kernel/links.ts';
import { createKeys, type NewKey } from './core/keys/keys.ts';
import { createKnownBrowsers } from './core/known-browsers/known-browsers.ts';
import { createMailLimits } from './core/mail/mail-limits.ts';
import { createMails } from './core/mail/mails.ts';
import { createPasswordReset } from './core/recovery/password-reset.ts';
import { createRefusals } from './core/refusals/refusals.ts';
import { createInvitations } from './core/registration/invitations.ts';
import { createSetup } from './core/registration/setup.ts';
import { createSignUp } from './core/registration/sign-up.ts';
import { createSessions } from './core/sessions/sessions.ts';
import { createPasses } from './core/sign-in/passes.ts';
import { createSignIn } from './core/sign-in/sign-in.ts';
import { createEndedTokens } from './core/tokens/ended-tokens.ts';
import { createTokens } from './core/tokens/tokens.ts';

export type OpenCore = Awaited<ReturnType<typeof openCore>>;

export interface CoreOptions extends AdapterOptions {
  /** An RSA key already being made, for a first start that should not wait for it. */
  readonly earlyKey?: Promise<NewKey> | undefined;
}

/** Throws `Unavailable` if the database does not answer, and an error that is fit to be shown if core cannot start. */
export async function openCore(config: Config, options: CoreOptions = {}) {
  return composeCore(await openAdapters(config, options), options.earlyKey);
}

export async function composeCore(adapters: Adapters, earlyKey?: Promise<NewKey>) {
  const { config, secrets, log, metrics, stores } = adapters;
  const audit = createAudit({ store: stores.audit, log, metrics });
  const changes = createChangeLog({ changes: stores.changes, channel: adapters.channel });
  const mails = createMails({ ...adapters, audit });
  const activity = createActivity({ ...stores, log });
  const cached = createCachedClients({
    ...stores,
    log: changes,
    ...(adapters.cache && { cache: adapters.cache }),
    lookedUp: (from) => metrics.count('client_lookups_total', { from }),
  });
  const keys = createKeys(stores.keys, {
    secretKey: secrets.secretKey,
    jwksMaxAge: config.keys.jwksMaxAge,
    rotationDays: config.keys.rotationDays,
    longestToken: longestSigned(config.lifetimes),
  });
  const infrastructure = { ...adapters, audit, changes, mails, activity, cached, keys };
  const shared = {
    ...infrastructure,
    credentials: createCredentialLimits(infrastructure),
    refusals: createRefusals({ store: stores.refusals, log, metrics }),
    apis: createApis({ store: stores.apis, cached, changes, issuer: config.issuer }),
    unprotected: createUnprotected({ ...stores, changes, log }),
    sessions: createSessions(infrastructure),
    mailLimits: createMailLimits(adapters),
    links: createLinks(stores.links),
  };
  const factors = composeFactors(shared);
  const knownBrowsers = createKnownBrowsers(shared);
  const accounts = createAccounts({ ...shared, ...factors, ...accountLetters({ ...shared, knownBrowsers }) });
  const claims = createEmailClaims(shared);
  const withAccounts = { ...shared, ...factors, knownBrowsers, accounts, claims };
  const emails = createEmails(withAccounts);
  const signUp = createSignUp({ ...withAccounts, emails });
  const signIn = createSignIn({
    ...stores,
    ...shared,
    ...factors,
    accounts: stores.accounts,
    knownBrowsers,
    limits: {
      account: config.throttle.accountLimit,
      address: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const tokens = createTokens({
    keys,
    engine: stores.engine,
    clients: cached,
    ended: createEndedTokens({ store: stores.endedTokens, changes }),
    issuer: config.issuer,
    sessionLimits: config.lifetimes,
    seen: activity.seen,
  });
  const core = {
    ...withAccounts,
    emails,
    accountEdits: createAccountEdits(withAccounts),
    accountImports: createAccountImports(withAccounts),
    groups: createGroups(shared),
    passwordReset: createPasswordReset(withAccounts),
    signUp,
    invitations: createInvitations({ ...withAccounts, signUp }),
    setup: createSetup(withAccounts),
    passes: createPasses(shared),
    signIn,
    apiSessions: createApiSessions({ ...withAccounts, signIn }),
    clientSessions: createClientSessions(shared),
    connections: createConnections({ ...stores, audit }),
    tokens,
    adminKeys: createAdminKeys(secrets.adminKeyDigests, shared.credentials),
  } satisfies Core;

  const close = async (): Promise<void> => {
    changes.close();
    await mails.close();
    await activity.close();
    await shared.unprotected.close();
    await shared.refusals.close();
    await audit.close();
    await adapters.close();
  };
  await Promise.all([changes.start(), keys.load(earlyKey)]).catch(async (error: unknown) => {
    // An open database would keep a command, which ends by itself, from ending.
    await close();
    throw error;
  });
  return { ...core, close };
}

/** Seconds: a key stays published until the last token that it signed has ended. */
function longestSigned(lifetimes: Config['lifetimes']): number {
  const { accessToken, idToken, identityToken, securityServiceToken, tinyoauthToken } = lifetimes;
  const { spaceGuardToken, spaceGuardRefresh } = lifetimes;
  const surfaces = [identityToken, securityServiceToken, tinyoauthToken, spaceGuardToken, spaceGuardRefresh];
  // A day for the APIs whose tokens have a lifetime of their own (core/apis).
  return Math.max(86_400, accessToken, idToken, ...surfaces);
}
