import type { Authorizer } from '../../core/api-sessions/authorize.ts';
import type { Clients } from '../../core/clients/clients.ts';
import type { OwnClients } from '../../core/clients/own-clients.ts';
import type { Core } from '../../core/core.ts';
import type { SurfaceUse } from '../../core/stores/use.ts';
import type { NoteRefusal } from '../../http/note-refusal.ts';
import type { Alias, Route } from '../../http/routes.ts';
import type { Api } from './endpoints.ts';

export interface Surface {
  /** The name in `SURFACES`. */
  readonly name: string;
  /** Its description in the OpenAPI document. */
  readonly api: Api;
  readonly routes: readonly (Route | Alias)[];
  /** True if the database shows that the surface is in use, besides sessions that began at it. */
  readonly inUse?: (use: SurfaceUse) => boolean;
}

/** What an API surface receives. */
export interface SurfaceDeps extends Core {
  readonly noteRefusal: NoteRefusal;
  readonly clients: Clients;
  readonly ownClients: OwnClients;
  readonly authorizer: Authorizer;
}
