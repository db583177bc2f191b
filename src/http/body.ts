/** Request bodies: their size, their deadline, and how they are read: as bytes, a form or JSON. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { isPlainText } from '../core/kernel/names.ts';

/** In bytes. Every entry point answers 413 to a larger body. */
export const bodyLimit = 65_536;

/** Whether a body is announced (RFC 9112, section 6); it may still be empty. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Returns undefined if the body is larger than `limit`. Throws `Refusal` if it ends early. */
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
    // The sender is gone, or sends invalid HTTP: not a failure of this server.
    const early = () => reject(new Refusal('invalid_request', 'the body ended early'));
    req.on('error', early);
    req.on('close', () => {
      if (!req.complete) early();
    });
  });
}

/** Kept on the request itself, which costs the garbage collector less than a WeakMap. */
const once = Symbol('body');
type Read = IncomingMessage & { [once]?: Promise<Buffer | undefined> };

/** Like `readBody`, but reads once for all callers. */
export function bodyOnce(req: Read): Promise<Buffer | undefined> {
  req[once] ??= readBody(req);
  return req[once];
}

/** Kept on the request itself, which costs the garbage collector less than a WeakMap. */
const deadline = Symbol('deadline');
type Timed = IncomingMessage & { [deadline]?: NodeJS.Timeout };

/**
 * Sets the deadline of the request's body, from now on (security.md L4), and replaces an earlier one. Node's own
 * `requestTimeout` is one value for the whole server and would cut off uploads through the gateway.
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
  // If the response was sent before the body was complete, the request does not see the connection close.
  socket.once('close', over);
}

function cutOff(req: IncomingMessage): void {
  const { socket } = req;
  if (req.complete || socket.destroyed) return;
  // The same text as Node's. If a response is on its way, the client reads that response first.
  socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  socket.destroySoon();
}

/**
 * The fields of an HTML form. Throws `Refusal` for a wrong content type, a repeated field, or a large or incomplete
 * body.
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
 * Reads one JSON object. Throws `Refusal` for content type and encoding (415), size (413), syntax (400), and then for
 * what `JSON.parse` accepts (400): deep nesting, repeated members, text that Postgres cannot store.
 */
export async function readJson(ctx: Context): Promise<JsonObject> {
  const unsupported = !isJson(ctx) || ctx.get('Content-Encoding') !== '';
  // Without a body, the mistake is the missing body and not its type.
  if (unsupported && hasBody(ctx.req)) {
    throw new Refusal('unsupported_media_type', 'the body must be application/json in UTF-8, not compressed');
  }
  return parseObject(decoded(await wholeBody(ctx)));
}

/** Parses one JSON object by the rules of `readJson`. Throws `Refusal`; its text speaks of a body. */
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

/** Reads and drops a body that this endpoint does not use. Throws `Refusal`. */
export async function ignoreBody(ctx: Context): Promise<void> {
  await wholeBody(ctx);
}

async function wholeBody(ctx: Context): Promise<Buffer> {
  const body = await readBody(ctx.req);
  if (body !== undefined) return body;
  throw new Refusal('payload_too_large', `the body is larger than ${bodyLimit} bytes`, { Connection: 'close' });
}

/**
 * Clients send `charset=utf-8`, although JSON has no parameters (RFC 8259, section 11). No type is accepted too:
 * programs of the original services send none (RFC 9110, section 8.3), and these endpoints take no cookie.
 */
function isJson({ method, req }: Context): boolean {
  const headers = req.headersDistinct['content-type'] ?? [];
  if (headers.length === 0) return true;
  const type = method === 'PATCH' ? patchType : jsonType;
  return headers.length === 1 && type.test(headers[0] ?? '');
}

const jsonType = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?;?$/i;
/** RFC 7396, section 4, names the type of a merge patch; clients also send `application/json`. */
const patchType = /^application\/(?:json|merge-patch\+json)\s*(;\s*charset="?utf-8"?\s*)?;?$/i;

function decoded(body: Buffer): string {
  try {
    return strictUtf8.decode(body);
  } catch {
    throw new Refusal('invalid_request', 'the body is not valid UTF-8');
  }
}

/** `json` must be valid JSON. Does not recurse. */
function mistakeIn(json: string): string | undefined {
  /** The member names seen in each enclosing object; null for an array. */
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
