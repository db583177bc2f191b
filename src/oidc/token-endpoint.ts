/**
 * What the token endpoint adds to the standard: `authorization_code` is taken for `code`, and answers carry `success`, `username`
 * and `expiry` beside the standard members (contracts: OAuth clients and users). Standard clients ignore what they do not know
 * (RFC 6749, section 5.1).
 */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../base/clock.ts';
import { toldUsername } from '../core/told-names.ts';
import type { EnginePerson } from './claims.ts';

/** Renames the original's parameter in a form body. Both at once are left alone: the engine refuses what it does not know. */
export function acceptOldCodeName(form: string): string {
  if (!form.includes('authorization_code=')) return form;
  return form
    .split('&')
    .map((pair) => (pair.startsWith('authorization_code=') ? pair.replace('authorization_code=', 'code=') : pair))
    .join('&');
}

export function shapeTokenAnswer(ctx: KoaContextWithOIDC): void {
  const body = ctx.body as Record<string, unknown> | undefined;
  if (!body || typeof body !== 'object') return;
  // Into the object that is there: setting another body has Koa work out the headers again.
  if (typeof body.access_token !== 'string') {
    Object.assign(body, { success: false });
    return;
  }
  const person = (ctx.oidc.account as EnginePerson | undefined)?.record;
  // Programs of the user API know the account by its username, whatever it is; others are told what everyone may be told.
  const userApi = String(body.scope ?? '')
    .split(' ')
    .includes('user');
  const username = person && (userApi ? person.username : toldUsername(person));
  Object.assign(body, {
    success: true,
    ...(username === undefined ? {} : { username }),
    expiry: expiryOf(body.access_token) ?? nowSeconds() + Number(body.expires_in),
  });
}

/** The token's own `exp`, so that the two can never differ by a tick of the clock. */
function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return typeof exp === 'number' ? exp : undefined;
}
