/** Who sends a request, as core asks it of everybody who signs in. */
import type { Context } from 'koa';
import { factsOf } from './front-door.ts';

export function callerOf(ctx: Context): { address: string; userAgent: string; requestId: string } {
  const { address, id: requestId } = factsOf(ctx.req);
  return { address, userAgent: ctx.get('User-Agent'), requestId };
}
