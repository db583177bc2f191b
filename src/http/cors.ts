/**
 * Cross-origin requests of browser applications (security.md A13). A preflight names no client and may be answered to any
 * origin; the answer itself may be read by an origin of the client's redirect URIs, on this machine with any port where they
 * may have any. Never with credentials, never by `null`.
 */
import type { Context } from 'koa';
import { withoutLoopbackPort } from '../base/loopback.ts';
import { storedLoopbackPorts } from '../core/clients/client-policy.ts';
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

/** Call it as soon as the client is known, so that its applications can read errors too. */
export function allowOriginOf(ctx: Context, client: ClientRecord): void {
  const origin = ctx.get('Origin');
  if (!isOriginOf(client, origin)) return;
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': 'WWW-Authenticate' });
}

/** Whether a page of this origin may be the client's. */
export function isOriginOf({ metadata }: Pick<ClientRecord, 'metadata'>, origin: string): boolean {
  const { redirect_uris: uris } = metadata;
  const texts = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
  return isOriginAmong(texts, origin, storedLoopbackPorts(metadata));
}

/** Whether a page of this origin may be one of the client with these redirect URIs. `ports`: on loopback. */
export function isOriginAmong(uris: readonly string[], origin: string, ports: 'any' | 'registered'): boolean {
  if (!isOrigin(origin)) return false;
  const origins = uris.map((uri) => URL.parse(uri)?.origin ?? '');
  if (origins.includes(origin)) return true;
  const bare = ports === 'any' ? withoutLoopbackPort(origin) : undefined;
  return bare !== undefined && origins.some((known) => withoutLoopbackPort(known) === bare);
}

/** As a browser sends it; a private-use scheme and a sandboxed page have the origin `null`, and so would each other's. */
function isOrigin(origin: string): boolean {
  return /^https?:\/\//.test(origin) && URL.parse(origin)?.origin === origin;
}
