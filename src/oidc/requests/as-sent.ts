/**
 * The parameters of an authorization request as the client sent them, after normalization. The engine changes its own
 * copy: it drops scopes and adds default APIs.
 */
import { decodeJwt } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';

export function asSent({ oidc, query }: KoaContextWithOIDC): Readonly<Record<string, unknown>> {
  if (oidc.route === 'pushed_authorization_request' || oidc.route === 'device_authorization') return oidc.body ?? {};
  const pushed = (oidc.entities.PushedAuthorizationRequest as { request?: unknown } | undefined)?.request;
  return typeof pushed === 'string' ? decodeJwt(pushed) : query;
}

export function scopesSent(ctx: KoaContextWithOIDC): string[] {
  return String(asSent(ctx).scope ?? '')
    .split(' ')
    .filter((name) => name !== '');
}
