/**
 * Addresses by which password managers find the account pages, without knowing this server: "A Well-Known URL for
 * Changing Passwords" and "A Well-Known URL for Relying Party Passkey Endpoints" (W3C).
 */
import type { Context } from 'koa';
import { hardenAnswer, seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { AccountDeps } from './deps.ts';

export function wellKnownPages({ issuer, secure, passkeys }: AccountDeps): readonly Route[] {
  const passkeyPage = `${issuer}/account/passkeys`;
  const when = { holds: passkeys.offered, says: 'with passkeys' };

  function showPasskeyPages(ctx: Context): void {
    hardenAnswer(ctx.res, secure);
    ctx.set({ 'Cache-Control': 'public, max-age=3600', 'Access-Control-Allow-Origin': '*' });
    ctx.body = { enroll: passkeyPage, manage: passkeyPage };
  }

  return pageRoutes('pages/account', [
    { path: '/.well-known/change-password', access: 'public', GET: (ctx) => seeOther(ctx, '/account/password') },
    { path: '/.well-known/passkey-endpoints', access: 'public', when, GET: showPasskeyPages },
  ]);
}
