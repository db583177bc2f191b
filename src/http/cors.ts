/**
 * Cross-origin requests of browser applications (security.md A13). A preflight names no client, so every origin gets an
 * answer. Only an origin of the client's redirect URIs may read the response itself; a loopback origin may have any
 * port if the client's redirect URIs may. Credentials and the origin `null` are never allowed.
 */
import type { Context } from 'koa';
import { withoutLoopbackPort } from '../base/loopback.ts';
import { storedLoopbackPorts } from '../core/clients/metadata/client-policy.ts';
import type { ClientRecord } from '../core/stores/clients.ts';

export function answerPreflight(ctx: Context, methods: string, headers: string): void {
  const origin = ctx.get('Origin');
  ctx.vary('Origin');
  ctx.status = 204;
  if (ctx.get('Access-Control-Request-Method') === '') {
    ctx.set('Allow', `${methods}, OPTIONS`);
  } else if (isOrigin(origin)) {
    ctx.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Allow-Headers': headers,
      'Access-Control-Max-Age': '3600',
    });
  }
}

/** The response headers that a page needs to go on after a refusal. */
export const exposedHeaders = 'WWW-Authenticate, DPoP-Nonce';
/** For an endpoint without cookies that every page may call: the response holds nothing that the page did not send. */
export function allowAnyOrigin(ctx: Context): void {
  ctx.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After, X-Request-Id',
  });
}

/** Call it as soon as the client is known, so that its pages can read errors too. */
export function allowOriginOf(ctx: Context, client: ClientRecord): void {
  const origin = ctx.get('Origin');
  if (!isOriginOf(client, origin)) return;
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': exposedHeaders });
}

/** Whether `origin` belongs to the client. */
export function isOriginOf({ metadata }: Pick<ClientRecord, 'metadata'>, origin: string): boolean {
  const { redirect_uris: uris } = metadata;
  const texts = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
  return isOriginAmong(texts, origin, storedLoopbackPorts(metadata));
}

/** Whether `origin` belongs to one of the redirect URIs. `ports`: which ports are allowed on loopback. */
export function isOriginAmong(uris: readonly string[], origin: string, ports: 'any' | 'registered'): boolean {
  if (!isOrigin(origin)) return false;
  const origins = uris.map((uri) => URL.parse(uri)?.origin ?? '');
  if (origins.includes(origin)) return true;
  const bare = ports === 'any' ? withoutLoopbackPort(origin) : undefined;
  return bare !== undefined && origins.some((known) => withoutLoopbackPort(known) === bare);
}

/** The form that browsers send. Private-use schemes and sandboxed pages all share the origin `null`. */
function isOrigin(origin: string): boolean {
  return /^https?:\/\//.test(origin) && URL.parse(origin)?.origin === origin;
}
