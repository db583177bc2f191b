/** What a surface is to the composition root: a name to switch it by, its routes, and what it may be given. */
import type { Middleware } from 'koa';
import type { Logger } from '../base/log.ts';
import type { AdminKeys } from '../core/admin-keys.ts';
import type { Audit } from '../core/audit.ts';
import type { Clients } from '../core/clients.ts';
import type { Tokens } from '../core/tokens.ts';

export interface Surface {
  /** As in `SURFACES`. */
  readonly name: string;
  /** Answers the paths it owns and calls `next` for all others. */
  readonly routes: Middleware;
}

/** The parts of the core that an API surface may need; each takes those that it uses. */
export interface SurfaceDeps {
  readonly config: { readonly issuer: string };
  readonly log: Logger;
  readonly adminKeys: AdminKeys;
  readonly audit: Audit;
  readonly clients: Clients;
  readonly tokens: Tokens;
  /** Re-reads every client; how many there are. */
  readonly reloadClients: () => Promise<number>;
}
