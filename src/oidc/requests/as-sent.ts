/**
 * The parameters of an authorization request as the client sent them, after normalization. The engine changes its own
 * copy: it drops scopes and adds default APIs.
 */
import { decodeJwt } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';

export function asSent({ oidc, query }: KoaContextWithOIDC): Readonly<Record<string, unknown>> {
  if (oidc.route === 'pushed_authorization_request' || oidc.route === 'device_authorization') return oidc.body ?? {};
  const { PushedAuthorizationRequest: pushed } = oidc.entities;
  return pushed === undefined ? query : parametersOf(pushed);
}

const read = new WeakMap<object, Readonly<Record<string, unknown>>>();

/** Read once for each request: several rules ask. */
function parametersOf(pushed: { readonly request?: unknown }): Readonly<Record<string, unknown>> {
  const known = read.get(pushed) ?? decodeJwt(String(pushed.request));
  read.set(pushed, known);
  return known;
}

export function scopesSent(ctx: KoaContextWithOIDC): string[] {
  return String(asSent(ctx).scope ?? '')
    .split(' ')
    .filter((name) => name !== '');
}
