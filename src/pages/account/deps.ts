/** What the account pages are given by the rest of the server. */
import type { Context } from 'koa';
import type { Accounts } from '../../core/accounts/accounts.ts';
import type { Activity } from '../../core/accounts/activity.ts';
import type { Emails } from '../../core/accounts/emails.ts';
import type { Apis } from '../../core/apis/apis.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import type { Clients } from '../../core/clients/clients.ts';
import type { Connections } from '../../core/consents/connections.ts';
import type { Factors } from '../../core/factors/factors.ts';
import type { Passkeys } from '../../core/factors/passkeys.ts';
import type { Audit } from '../../core/kernel/audit.ts';
import type { KnownBrowsers } from '../../core/known-browsers/known-browsers.ts';
import type { Mails } from '../../core/mail/mails.ts';
import type { PasswordHasher } from '../../core/passwords/password-hasher.ts';
import type { Sessions } from '../../core/sessions/sessions.ts';
import type { SignIn } from '../../core/sign-in/sign-in.ts';
import type { Stores } from '../../core/stores/stores.ts';
import type { Upstream } from '../../core/upstream/upstream.ts';
import type { BrowserSession } from '../kit/browser-session.ts';
import type { Csrf } from '../kit/csrf.ts';
import type { Pages } from '../kit/page.ts';
import type { FlashMessages } from './flash-messages.ts';

export interface AccountDeps {
  readonly issuer: string;
  readonly flashMessages: FlashMessages;
  readonly pages: Pages;
  readonly csrf: Csrf;
  /** Who is signed in in this browser; undefined: nobody, or somebody disabled. */
  readonly session: (ctx: Context) => Promise<BrowserSession | undefined>;
  /** Tags of the languages there are. */
  readonly locales: readonly string[];
  readonly accounts: Accounts;
  readonly signIn: Pick<SignIn, 'provePassword'>;
  readonly hasher: Pick<PasswordHasher, 'standsAlone'>;
  readonly sessions: Sessions;
  readonly factors: Factors;
  readonly passkeys: Passkeys;
  readonly emails: Pick<Emails, 'requestChange'>;
  readonly mails: Pick<Mails, 'work' | 'send'>;
  readonly knownBrowsers: Pick<KnownBrowsers, 'forgetOthers'>;
  readonly connections: Connections;
  readonly clients: Pick<Clients, 'find' | 'remove'>;
  readonly cached: Pick<CachedClients, 'find'>;
  readonly apis: Apis;
  readonly upstream: Upstream;
  readonly activity: Activity;
  readonly audit: Audit;
  readonly stores: Pick<Stores, 'audit' | 'clients' | 'knownBrowsers' | 'groups'>;
  readonly passwordMinLength: { readonly alone: number; readonly withSecondFactor: number };
}
