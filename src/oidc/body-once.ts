/** The body of a request, read once however many look at it. */
import type { IncomingMessage } from 'node:http';
import { readBody } from '../http/body.ts';

/** On the request itself, for the sake of the garbage collector. */
const body = Symbol('body');
type WithBody = { [body]?: Promise<Buffer | undefined> };

/** As `readBody` gives it: undefined where it is larger than the limit. Throws `Refusal` where it ends early. */
export function bodyOnce(req: IncomingMessage): Promise<Buffer | undefined> {
  const known = req as WithBody;
  known[body] ??= readBody(req);
  return known[body];
}
