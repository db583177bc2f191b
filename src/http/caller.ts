/** Who sends a request, as core asks it of all entry points. */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../core/kernel/caller.ts';
import { factsOf } from './front-door.ts';

/** `via`: the entry point. Takes a Koa context, or anything else that holds Node's request. */
export function callerOf({ req }: { readonly req: IncomingMessage }, via: string) {
  const { address, id: requestId } = factsOf(req);
  return { via, address, userAgent: req.headers['user-agent'] ?? '', requestId } satisfies Caller;
}
