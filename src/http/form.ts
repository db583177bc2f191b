/** HTML form bodies: each field once, as text. */
import type { Context } from 'koa';
import { Refusal } from '../base/errors.ts';
import { bodyLimit, readBody } from './body.ts';

/** Throws `Refusal` for another content type, a body that is too large or ends early, or a field that comes twice. */
export async function readForm(ctx: Context): Promise<ReadonlyMap<string, string>> {
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new Refusal('unsupported_media_type', 'a form is expected (application/x-www-form-urlencoded)');
  }
  const body = await readBody(ctx.req);
  if (body === undefined)
    throw new Refusal('payload_too_large', `the body is larger than ${bodyLimit} bytes`, { Connection: 'close' });
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    if (fields.has(name))
      throw new Refusal('invalid_request', `the field ${JSON.stringify(name.slice(0, 40))} comes twice`);
    fields.set(name, value);
  }
  return fields;
}
