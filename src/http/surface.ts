/** What a surface is to the composition root: a name to switch it by, and its routes. */
import type { Middleware } from 'koa';

export interface Surface {
  /** As in `SURFACES`. */
  readonly name: string;
  /** Answers the paths it owns and calls `next` for all others. */
  readonly routes: Middleware;
}
