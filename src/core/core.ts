/** Assembles core from its ports. Entry points take all of it; a module of core takes only the parts that it names. */
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Config } from '../config/config.ts';
import type { Secrets } from '../config/secrets.ts';
import { createAccountEdits } from './accounts/account-edits.ts';
import { createAccountImports } from './accounts/account-import.ts';
import { createAccounts } from './accounts/accounts.ts';
import { createActivity } from './accounts/activity.ts';
import { createEmailClaims } from './accounts/email-claims.ts';
import { createEmails } from './accounts/emails.ts';
import { createGroups } from './accounts/groups.ts';
import { createApiSessions } from './api-sessions/api-sessions.ts';
import { createClientSessions } from './api-sessions/client-sessions.ts';
import { createApis } from './apis/apis.ts';
import { createChangeLog } from './changes/change-log.ts';
import { createClientLogos } from './client-logos/client-logos.ts';
import { createAdminKeys } from './clients/admin-keys.ts';
import { createCachedClients } from './clients/cached-clients.ts';
import { createUnprotected } from './clients/unprotected.ts';
import { createConnections } from './consents/connections.ts';
import { createDeliveries } from './deliveries/deliveries.ts';
import { createDeviceCodes } from './device-codes/device-codes.ts';
import { createClientExpiry } from './dynamic-clients/client-expiry.ts';
import { createInitialTokens } from './dynamic-clients/initial-tokens.ts';
import type { CodeMethod } from './factors/code-method.ts';
import { createFactors } from './factors/factors.ts';
import type { PasskeyMethod } from './factors/passkey-method.ts';
import { createPasskeys } from './factors/passkeys.ts';
import type { RecoveryCodeFormat } from './factors/recovery-codes.ts';
import { createAudit } from './kernel/audit.ts';
import { createCredentialLimits } from './kernel/credential-limits.ts';
import { createLinks } from './kernel/links.ts';
import { createKeys, longestSigned, type NewKey } from './keys/keys.ts';
import { createKnownBrowsers } from './known-browsers/known-browsers.ts';
import { createAccessLetters } from './mail/access-letters.ts';
import { createMailLimits } from './mail/mail-limits.ts';
import type { Letter, MailTransport, Message } from './mail/mailer.ts';
import { createMails } from './mail/mails.ts';
import { createMetadataClients, withMetadataClients } from './metadata-clients/metadata-clients.ts';
import type { Outgoing } from './outgoing/outgoing.ts';
import type { BreachedPasswords } from './passwords/breached-passwords.ts';
import type { PasswordHasher } from './passwords/password-hasher.ts';
import { createPasswordReset } from './recovery/password-reset.ts';
import { createRefusals } from './refusals/refusals.ts';
import { createInvitations } from './registration/invitations.ts';
import { createSetup } from './registration/setup.ts';
import { createSignUp } from './registration/sign-up.ts';
import { createSessions } from './sessions/sessions.ts';
import { createPasses } from './sign-in/passes.ts';
import { createSignIn } from './sign-in/sign-in.ts';
import type { Storage } from './stores/stores.ts';
import { createTokens } from './tokens/tokens.ts';

/** What core stands on. open-core.ts opens it as the settings say. */
interface Ports extends Storage {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: Logger;
  readonly metrics: Metrics;

  readonly hasher: PasswordHasher;
  readonly breached: BreachedPasswords | undefined;
  readonly passkeyMethod: PasskeyMethod | undefined;
  /** In order of preference. */
  readonly codes: readonly CodeMethod[];
  readonly recoveryCodeFormat: RecoveryCodeFormat;

  readonly outgoing: Outgoing;
  /** Undefined if this server sends no mail. */
  readonly transport: MailTransport | undefined;
  readonly word: (letter: Letter) => Promise<Message>;
}

export interface Core extends Awaited<ReturnType<typeof createCore>> {}

/** Resolves after the signing keys and the change log have loaded. A failure before that also closes the ports. */
export async function createCore(ports: Ports, earlyKey?: Promise<NewKey>) {
  const { config, secrets, log, metrics, stores } = ports;
  const longestToken = longestSigned(config.lifetimes);
  const audit = createAudit({ store: stores.audit, log, metrics });
  const changes = createChangeLog({ changes: stores.changes, channel: ports.channel });
  const scopeCeiling = config.registration.scopes;
  const stored = createCachedClients({ ...stores, log: changes, cache: ports.cache, metrics, scopeCeiling });
  const metadataClients = createMetadataClients({ ...ports, stored, changes, audit });
  const cached = withMetadataClients(stored, metadataClients);
  const mails = createMails({ ...ports, audit });
  const infrastructure = {
    ...ports,
    audit,
    changes,
    cached,
    metadataClients,
    mails,
    mailLimits: createMailLimits(ports),
    links: createLinks(stores.links),
    activity: createActivity({ ...stores, log }),
    keys: createKeys(stores.keys, { ...secrets, ...config.keys, longestToken }),
    refusals: createRefusals({ store: stores.refusals, log, metrics }),
    credentials: createCredentialLimits({ ...ports, audit }),
    apis: createApis({ store: stores.apis, cached, changes, issuer: config.issuer }),
    clientLogos: createClientLogos(ports),
    unprotected: createUnprotected({ ...stores, changes, log }),
    deliveries: createDeliveries({ ...ports, changes, audit }),
    connections: createConnections({ ...stores, audit }),
    deviceCodes: createDeviceCodes({ ...ports, store: stores.deviceCodes, audit }),
    initialTokens: createInitialTokens(stores),
    clientExpiry: createClientExpiry({ ...ports, audit, changes }),
    accessLetters: createAccessLetters({ ...ports, cached, mails }),
  };
  const knownBrowsers = createKnownBrowsers(infrastructure);
  const passkeys = createPasskeys(infrastructure);
  const shared = {
    ...infrastructure,
    knownBrowsers,
    passkeys,
    factors: createFactors({ ...infrastructure, passkeys }),
    sessions: createSessions(infrastructure),
  };
  const accounts = createAccounts(shared);
  const withAccounts = { ...shared, accounts, claims: createEmailClaims(shared) };
  const emails = createEmails(withAccounts);
  const signUp = createSignUp({ ...withAccounts, emails });
  const signIn = createSignIn(shared);

  async function close(): Promise<void> {
    changes.close();
    await mails.close();
    await shared.activity.close();
    await shared.unprotected.close();
    await shared.refusals.close();
    await audit.close();
    await ports.close();
  }
  const core = {
    ...withAccounts,
    emails,
    signUp,
    signIn,
    accountEdits: createAccountEdits(withAccounts),
    accountImports: createAccountImports(withAccounts),
    groups: createGroups(shared),
    passwordReset: createPasswordReset(withAccounts),
    invitations: createInvitations({ ...withAccounts, signUp }),
    setup: createSetup(withAccounts),
    passes: createPasses(shared),
    apiSessions: createApiSessions({ ...withAccounts, signIn }),
    clientSessions: createClientSessions(shared),
    tokens: createTokens(shared),
    adminKeys: createAdminKeys(secrets.adminKeyDigests, shared.credentials),
    close,
  };
  // Last: each part that keeps copies follows the change log from its first look on.
  await Promise.all([changes.start(), shared.keys.load(earlyKey)]).catch(async (error: unknown) => {
    // An open database would keep a command from ending.
    await close();
    throw error;
  });
  return core;
}
