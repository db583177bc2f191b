/** What the account pages are given by the rest of the server. */
import type { Context } from 'koa';
import type { Accounts } from '../core/accounts.ts';
import type { Activity } from '../core/activity.ts';
import type { Apis } from '../core/apis.ts';
import type { Audit } from '../core/audit.ts';
import type { CachedClients } from '../core/cached-clients.ts';
import type { Clients } from '../core/clients.ts';
import type { Connections } from '../core/connections.ts';
import type { Devices } from '../core/devices.ts';
import type { EmailCodes } from '../core/email-codes.ts';
import type { Emails } from '../core/emails.ts';
import type { Factors } from '../core/factors.ts';
import type { Mails } from '../core/mails.ts';
import type { Passkeys } from '../core/passkeys.ts';
import type { PasswordHasher } from '../core/password-hasher.ts';
import type { Sessions } from '../core/sessions.ts';
import type { SignIn } from '../core/sign-in.ts';
import type { Stores } from '../core/stores/stores.ts';
import type { Upstream } from '../core/upstream.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Pages } from '../http/page.ts';
import type { Notes } from './notes.ts';
import type { BrowserSession } from './visit.ts';

export interface AccountDeps {
  readonly issuer: string;
  readonly notes: Notes;
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
  readonly emailCodes: Pick<EmailCodes, 'switchOn' | 'reaches'>;
  readonly emails: Pick<Emails, 'requestChange'>;
  readonly mails: Pick<Mails, 'work' | 'send'>;
  readonly devices: Pick<Devices, 'forgetOthers'>;
  readonly connections: Connections;
  readonly clients: Pick<Clients, 'find' | 'remove'>;
  readonly cached: Pick<CachedClients, 'find'>;
  readonly apis: Apis;
  readonly upstream: Upstream;
  readonly activity: Activity;
  readonly audit: Audit;
  readonly stores: Pick<Stores, 'audit' | 'clients' | 'devices' | 'groups'>;
  readonly passwordMinLength: { readonly alone: number; readonly withSecondFactor: number };
}
