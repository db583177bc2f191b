/** What core gives to entry points, which take the whole of it. It is put together in open-core.ts. */
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Config } from '../config/config.ts';
import type { Secrets } from '../config/secrets.ts';
import type { AccountEdits } from './accounts/account-edits.ts';
import type { AccountImports } from './accounts/account-import.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { Activity } from './accounts/activity.ts';
import type { Emails } from './accounts/emails.ts';
import type { Groups } from './accounts/groups.ts';
import type { ApiSessions } from './api-sessions/api-sessions.ts';
import type { ClientSessions } from './api-sessions/client-sessions.ts';
import type { Apis } from './apis/apis.ts';
import type { ChangeLog } from './changes/change-log.ts';
import type { AdminKeys } from './clients/admin-keys.ts';
import type { CachedClients } from './clients/cached-clients.ts';
import type { Unprotected } from './clients/unprotected.ts';
import type { Connections } from './consents/connections.ts';
import type { Factors } from './factors/factors.ts';
import type { Passkeys } from './factors/passkeys.ts';
import type { Audit } from './kernel/audit.ts';
import type { CredentialLimits } from './kernel/credential-limits.ts';
import type { Keys } from './keys/keys.ts';
import type { KnownBrowsers } from './known-browsers/known-browsers.ts';
import type { MailLimits } from './mail/mail-limits.ts';
import type { Mails } from './mail/mails.ts';
import type { PasswordHasher } from './passwords/password-hasher.ts';
import type { PasswordReset } from './recovery/password-reset.ts';
import type { Refusals } from './refusals/refusals.ts';
import type { Invitations } from './registration/invitations.ts';
import type { Setup } from './registration/setup.ts';
import type { SignUp } from './registration/sign-up.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { Passes } from './sign-in/passes.ts';
import type { SignIn } from './sign-in/sign-in.ts';
import type { Stores } from './stores/stores.ts';
import type { Throttle } from './stores/throttle.ts';
import type { Tokens } from './tokens/tokens.ts';

export interface Core {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly stores: Stores;
  readonly throttle: Throttle;
  readonly audit: Audit;
  readonly refusals: Refusals;
  readonly changes: ChangeLog;
  readonly keys: Keys;

  readonly accounts: Accounts;
  readonly accountEdits: AccountEdits;
  readonly accountImports: AccountImports;
  readonly activity: Activity;
  readonly groups: Groups;
  readonly emails: Emails;
  readonly mails: Mails;
  readonly mailLimits: MailLimits;

  readonly signUp: SignUp;
  readonly invitations: Invitations;
  readonly setup: Setup;
  readonly passwordReset: PasswordReset;

  readonly signIn: SignIn;
  readonly passes: Passes;
  readonly hasher: PasswordHasher;
  readonly factors: Factors;
  readonly passkeys: Passkeys;
  readonly knownBrowsers: KnownBrowsers;

  readonly sessions: Sessions;
  readonly apiSessions: ApiSessions;
  readonly clientSessions: ClientSessions;
  readonly tokens: Tokens;

  readonly cached: CachedClients;
  readonly apis: Apis;
  readonly connections: Connections;
  readonly adminKeys: AdminKeys;
  readonly credentials: CredentialLimits;
  readonly unprotected: Unprotected;
}
