/** Who sends a request, as core asks it of everybody who signs in. */
import type { Context } from 'koa';
import type { Sender } from '../core/kernel/credential-limits.ts';
import { factsOf } from './front-door.ts';

export function callerOf(ctx: Context): { address: string; userAgent: string; requestId: string } {
  const { address, id: requestId } = factsOf(ctx.req);
  return { address, userAgent: ctx.get('User-Agent'), requestId };
}

/** Of a credential, for its limits and its record. */
export function senderOf(ctx: Context, via: string): Sender {
  const { address, id: requestId } = factsOf(ctx.req);
  return { address, requestId, via };
}
