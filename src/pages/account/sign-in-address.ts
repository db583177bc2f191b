/**
 * The sign-in for account pages: an authorization request of their own client, so that people sign in as for any
 * application and return to the page. Pages that could give the account away need a sign-in of the last minutes
 * (`max_age`) and the second factor, if there is one (`acr`).
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import { accountCallback, accountClient } from '../../core/clients/account-client.ts';
import { acrNames, assuranceOf, freshSeconds } from '../../core/factors/assurance.ts';
import type { Factors } from '../../core/factors/factors.ts';
import type { BrowserSession } from '../kit/browser-session.ts';

/**
 * Whether the session lacks the account's second factor. Pages that could take the account over need it, also to add a
 * factor: a session may be older than the factor, and its user may know only the password (security.md B11).
 */
export async function lacksFactor(
  { account, amr }: BrowserSession,
  factors: Pick<Factors, 'methods'>,
): Promise<boolean> {
  if (!account.twoFactor || assuranceOf(amr) !== 'single') return false;
  return (await factors.methods(account.subject)).required;
}

/** Compares as the engine does with `max_age`, so that the two never redirect in a loop. */
export function isFresh({ signedInAt }: BrowserSession): boolean {
  return nowSeconds() - signedInAt <= freshSeconds;
}

/** What the session must be after the sign-in. */
interface Wanted {
  readonly of: BrowserSession;
  readonly fresh: boolean;
  readonly factor: boolean;
}

/** `page`: the page to return to. `wanted`: set if there is a session that does not suffice. */
export function signInAddress(issuer: string, page: string, wanted?: Wanted): string {
  const { of: known, fresh = false, factor = false } = wanted ?? {};
  const acr = { essential: true, values: [acrNames(issuer).nameOf('multi')] };
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: accountClient,
    redirect_uri: `${issuer}${accountCallback}`,
    scope: 'openid',
    state: page,
    // The verifier is discarded, so the returned code cannot be redeemed.
    code_challenge: digest(randomToken()),
    code_challenge_method: 'S256',
    ...(known && { login_hint: known.account.username }),
    ...(fresh && { max_age: String(freshSeconds) }),
    ...(factor && { claims: JSON.stringify({ id_token: { acr } }) }),
  });
  return `/oauth/authorize?${query}`;
}
