/** What a surface is to the composition root: a name to switch it by, its routes, and what it may be given. */
import type { Middleware } from 'koa';
import type { Logger } from '../base/log.ts';
import type { AdminKeys } from '../core/admin-keys.ts';
import type { Audit } from '../core/audit.ts';
import type { Authorizer } from '../core/authorize.ts';
import type { ClientSessions } from '../core/client-sessions.ts';
import type { Clients } from '../core/clients.ts';
import type { FirstParty } from '../core/first-party.ts';
import type { OwnClients } from '../core/own-clients.ts';
import type { SignUp } from '../core/sign-up.ts';
import type { SurfaceUse } from '../core/stores/use.ts';
import type { Tokens } from '../core/tokens.ts';
import type { Api } from './endpoints.ts';
import type { NoteRefusal } from './note-refusal.ts';

export interface Surface {
  /** As in `SURFACES`. */
  readonly name: string;
  /** What the OpenAPI document says of it. */
  readonly api: Api;
  /** Answers the paths it owns and calls `next` for all others. */
  readonly routes: Middleware;
  /** Addresses of this surface at which the protocol answers, each with the protocol's own path. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** What shows that it is in use, beside sessions whose door is its name. */
  readonly inUse?: (use: SurfaceUse) => boolean;
}

/** The parts of the core that an API surface may need; each takes those that it uses. */
export interface SurfaceDeps {
  readonly config: { readonly issuer: string; readonly hideAccountExistence: boolean };
  readonly log: Logger;
  readonly noteRefusal: NoteRefusal;
  readonly adminKeys: AdminKeys;
  readonly audit: Audit;
  readonly clients: Clients;
  readonly ownClients: OwnClients;
  readonly tokens: Tokens;
  readonly firstParty: FirstParty;
  readonly clientSessions: ClientSessions;
  readonly signUp: SignUp;
  readonly authorizer: Authorizer;
  /** Re-reads every client; how many there are. */
  readonly reloadClients: () => Promise<number>;
}
