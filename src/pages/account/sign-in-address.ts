/**
 * The way in: an ordinary authorization request of the account pages' own client, so that whoever comes is signed in as for any
 * application, and back to the page. What can give an account away needs a sign-in of the last minutes (`max_age`), and
 * the second factor of whoever has one (`acr`).
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import { accountCallback, accountClient } from '../../core/clients/account-client.ts';
import { acrNames, assuranceOf, freshSeconds } from '../../core/factors/assurance.ts';
import type { Factors } from '../../core/factors/factors.ts';
import type { BrowserSession } from '../kit/browser-session.ts';

/**
 * Whoever has a second factor gives it before anything can be taken from them here, another factor put beside it included: a session
 * may be from before it was added, and then the password may be all that its browser's user knows (security.md B11).
 */
export async function lacksFactor(
  { account, amr }: BrowserSession,
  factors: Pick<Factors, 'methods'>,
): Promise<boolean> {
  if (!account.twoFactor || assuranceOf(amr) !== 'single') return false;
  return (await factors.methods(account.subject)).required;
}

/** As the engine compares it with `max_age`, so that it never sends somebody back who is sent on again. */
export function isFresh({ signedInAt }: BrowserSession): boolean {
  return nowSeconds() - signedInAt <= freshSeconds;
}

/** What a session is to have in the end. */
export interface Wanted {
  readonly of: BrowserSession;
  readonly fresh: boolean;
  readonly factor: boolean;
}

/** `page`: where to be afterwards. `wanted`: of a session that there is, and that is not enough. */
export function signInAddress(issuer: string, page: string, wanted?: Wanted): string {
  const { of: known, fresh = false, factor = false } = wanted ?? {};
  const acr = { essential: true, values: [acrNames(issuer).nameOf('multi')] };
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: accountClient,
    redirect_uri: `${issuer}${accountCallback}`,
    scope: 'openid',
    state: page,
    // Of a verifier that nobody keeps: the code that comes back can be redeemed by nobody.
    code_challenge: digest(randomToken()),
    code_challenge_method: 'S256',
    ...(known && { login_hint: known.account.username }),
    ...(fresh && { max_age: String(freshSeconds) }),
    ...(factor && { claims: JSON.stringify({ id_token: { acr } }) }),
  });
  return `/oauth/authorize?${query}`;
}
