/**
 * The way in: an ordinary authorization request of the account pages' own client, so that whoever comes is signed in as for any
 * application, and back to the page. What can give an account away needs a sign-in of the last minutes (`max_age`).
 */
import { nowSeconds } from '../base/clock.ts';
import { digest, randomToken } from '../base/secrets.ts';
import { accountCallback, accountClient } from '../core/account-client.ts';
import { freshSeconds } from '../core/assurance.ts';
import type { BrowserSession } from './visit.ts';

/** As the engine compares it with `max_age`, so that it never sends somebody back who is sent on again. */
export function isFresh({ signedInAt }: BrowserSession): boolean {
  return nowSeconds() - signedInAt <= freshSeconds;
}

/** `page`: where to be afterwards. `known`: whose fresh sign-in it is to be. */
export function signInAddress(issuer: string, page: string, known?: BrowserSession): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: accountClient,
    redirect_uri: `${issuer}${accountCallback}`,
    scope: 'openid',
    state: page,
    // Of a verifier that nobody keeps: the code that comes back can be redeemed by nobody.
    code_challenge: digest(randomToken()),
    code_challenge_method: 'S256',
    ...(known && { max_age: String(freshSeconds), login_hint: known.account.username }),
  });
  return `/oauth/authorize?${query}`;
}
