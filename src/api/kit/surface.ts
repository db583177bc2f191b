/** What a surface is to the composition root: a name to switch it by, its routes, and what it may be given. */
import type { Logger } from '../../base/log.ts';
import type { ApiSessions } from '../../core/api-sessions/api-sessions.ts';
import type { Authorizer } from '../../core/api-sessions/authorize.ts';
import type { ClientSessions } from '../../core/api-sessions/client-sessions.ts';
import type { AdminKeys } from '../../core/clients/admin-keys.ts';
import type { Clients } from '../../core/clients/clients.ts';
import type { OwnClients } from '../../core/clients/own-clients.ts';
import type { Audit } from '../../core/kernel/audit.ts';
import type { SignUp } from '../../core/registration/sign-up.ts';
import type { SurfaceUse } from '../../core/stores/use.ts';
import type { Tokens } from '../../core/tokens/tokens.ts';
import type { NoteRefusal } from '../../http/note-refusal.ts';
import type { Alias, Route } from '../../http/routes.ts';
import type { Api } from './endpoints.ts';

export interface Surface {
  /** As in `SURFACES`. */
  readonly name: string;
  /** What the OpenAPI document says of it. */
  readonly api: Api;
  readonly routes: readonly (Route | Alias)[];
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
  readonly apiSessions: ApiSessions;
  readonly clientSessions: ClientSessions;
  readonly signUp: SignUp;
  readonly authorizer: Authorizer;
  /** Re-reads every client; how many there are. */
  readonly reloadClients: () => Promise<number>;
}
