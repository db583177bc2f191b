import type { Authorizer } from '../../core/api-sessions/authorize.ts';
import type { Clients } from '../../core/clients/clients.ts';
import type { OwnClients } from '../../core/clients/own-clients.ts';
import type { Core } from '../../core/core.ts';
import type { SurfaceUse } from '../../core/stores/use.ts';
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
export interface SurfaceDeps extends Core {
  readonly noteRefusal: NoteRefusal;
  readonly clients: Clients;
  readonly ownClients: OwnClients;
  readonly authorizer: Authorizer;
}
