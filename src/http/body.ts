/** A request's body: how large it may be, how long it may take to arrive, and how it is read: bytes, a form or JSON. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { isPlainText } from '../core/kernel/names.ts';

/** Bytes: more is answered with 413 at every door. */
export const bodyLimit = 65_536;

/** Whether one is announced (RFC 9112, section 6); it may still turn out to be of no bytes. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The whole body, or undefined where it is larger than the limit. Throws `Refusal` where it ends early. */
export async function readBody(req: IncomingMessage, limit = bodyLimit): Promise<Buffer | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > limit) return undefined;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        req.removeAllListeners('data');
        req.resume();
        resolve(undefined);
      } else chunks.push(chunk);
    });
    req.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // The sender has gone, or what it sends is no HTTP any more: nothing here has failed.
    const early = () => reject(new Refusal('invalid_request', 'the body ended early'));
    req.on('error', early);
    req.on('close', () => {
      if (!req.complete) early();
    });
  });
}

/** On the request itself, for the sake of the garbage collector. */
const once = Symbol('body');
type Read = IncomingMessage & { [once]?: Promise<Buffer | undefined> };

/** As `readBody`, read once for all who look at it. */
export function bodyOnce(req: Read): Promise<Buffer | undefined> {
  req[once] ??= readBody(req);
  return req[once];
}

/** On the request itself, for the sake of the garbage collector. */
const deadline = Symbol('deadline');
type Timed = IncomingMessage & { [deadline]?: NodeJS.Timeout };

/**
 * How long a request's body may take to arrive, from now on (security.md L4); in place of a deadline given before.
 * Node's own `requestTimeout` is one figure for a whole server, and would cut off an upload that the gateway passes on.
 */
export function limitBodyTime(req: Timed, ms: number): void {
  const { headers, socket } = req;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return;
  const before = req[deadline];
  clearTimeout(before);
  if (req.complete || socket.destroyed) return;
  const timer = setTimeout(() => cutOff(req), ms);
  req[deadline] = timer;
  if (before !== undefined) return;
  const over = () => {
    clearTimeout(req[deadline]);
    socket.off('close', over);
  };
  req.once('close', over);
  // A request that was answered before its body was there hears nothing of the connection's end.
  socket.once('close', over);
}

function cutOff(req: IncomingMessage): void {
  const { socket } = req;
  if (req.complete || socket.destroyed) return;
  // As Node words it. Where an answer is already on its way the client reads that one first.
  socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  socket.destroySoon();
}

/**
 * The fields of an HTML form, each once, as text. Throws `Refusal` for another content type, a body that is too large
 * or ends early, or a field that comes twice.
 */
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

const depthLimit = 32;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * JSON request bodies: one object, in UTF-8, whose text can be stored. In this order: content type and encoding (415), size
 * (413), UTF-8, syntax, that it is an object, then nesting, repeated members and text (400).
 *
 * `JSON.parse` itself takes any depth, keeps the last of two members of one name, and lets `\u0000` and half a surrogate pair
 * through. What works on the result afterwards overflows on the first, disagrees about the second with whatever stands in
 * front of this server, and cannot be stored in Postgres for the third.
 *
 * Throws `Refusal`.
 */
export async function readJson(ctx: Context): Promise<JsonObject> {
  const unsupported = !isJson(ctx) || ctx.get('Content-Encoding') !== '';
  // Where nothing is sent that is what is wrong, whatever it is called.
  if (unsupported && hasBody(ctx.req)) {
    throw new Refusal('unsupported_media_type', 'the body must be application/json in UTF-8, not compressed');
  }
  return parseObject(decoded(await wholeBody(ctx)));
}

/** One JSON object, by the same rules wherever its text stands. Throws `Refusal`, in words for a body. */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('invalid_request', 'the body is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('invalid_request', 'the body must be a JSON object');
  }
  const mistake = mistakeIn(text);
  if (mistake !== undefined) throw new Refusal('invalid_request', `the body ${mistake}`);
  return value as JsonObject;
}

/** Reads a body that says nothing to this endpoint, as far as the limit. Throws `Refusal`. */
export async function ignoreBody(ctx: Context): Promise<void> {
  await wholeBody(ctx);
}

async function wholeBody(ctx: Context): Promise<Buffer> {
  const body = await readBody(ctx.req);
  if (body !== undefined) return body;
  throw new Refusal('payload_too_large', `the body is larger than ${bodyLimit} bytes`, { Connection: 'close' });
}

/**
 * RFC 8259, section 11: JSON has no parameters; `charset=utf-8` is sent all the same and does no harm. A body of no type is
 * taken for what the endpoint takes (RFC 9110, section 8.3): the originals' programs name none. Another site's page can send
 * that too, and a form as well, but at none of these endpoints does a cookie count.
 */
function isJson({ method, req }: Context): boolean {
  const headers = req.headersDistinct['content-type'] ?? [];
  if (headers.length === 0) return true;
  const type = method === 'PATCH' ? patchType : jsonType;
  return headers.length === 1 && type.test(headers[0] ?? '');
}

const jsonType = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?;?$/i;
/** RFC 7396, section 4, names the type of a merge patch; `application/json` is sent all the same. */
const patchType = /^application\/(?:json|merge-patch\+json)\s*(;\s*charset="?utf-8"?\s*)?;?$/i;

function decoded(body: Buffer): string {
  try {
    return strictUtf8.decode(body);
  } catch {
    throw new Refusal('invalid_request', 'the body is not valid UTF-8');
  }
}

/** Looks through text that is known to be JSON, without recursion. */
function mistakeIn(json: string): string | undefined {
  /** The member names seen in each object around this place; null for an array. */
  const around: (Set<string> | null)[] = [];
  for (const [, bracket, quoted = '', colon] of json.matchAll(/([{}[\]])|("(?:[^"\\]|\\.)*")\s*(:)?/g)) {
    if (bracket === '{' || bracket === '[') {
      around.push(bracket === '{' ? new Set() : null);
      if (around.length > depthLimit) return `is nested more than ${depthLimit} levels deep`;
    } else if (bracket !== undefined) {
      around.pop();
    } else {
      const text = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
      if (!isPlainText(text)) return 'holds U+0000 or half of a surrogate pair';
      if (colon === undefined) continue;
      const names = around.at(-1);
      if (names?.has(text)) return 'has a member twice';
      names?.add(text);
    }
  }
  return undefined;
}
