/**
 * An authorization that a program requests with the user's token. The program gets the response, no page is shown, and
 * the call itself is the consent. oidc/requests/authorizer implements it, so each check of the authorization endpoint
 * applies.
 */
import type { Caller } from '../kernel/caller.ts';

export interface AuthorizationOnBehalf {
  /** As sent, in order. Repeated parameters are kept, and refused later. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The user and the session of their token. The caller has verified the token. */
  readonly subject: string;
  readonly sessionUid: string;
  readonly caller: Caller;
}

export type AuthorizationOutcome =
  /** To the client, with a code or an error. Both carry `iss` (RFC 9207) and the `state` of the request. */
  | { readonly outcome: 'redirect'; readonly location: string }
  /**
   * The client must not see this error (RFC 6749, section 4.1.2.1). 400: unknown client or redirect URI. 401
   * `login_required`: the session has ended, or the account is disabled or deleted. 413: longer than a browser's
   * request.
   */
  | {
      readonly outcome: 'refused';
      readonly status: 400 | 401 | 413;
      readonly error: string;
      readonly description: string;
    };

export interface Authorizer {
  /**
   * Ignores `prompt`, because there is no page. Grants the request to this client in this session only, and stores no
   * consent. Throws `Unavailable`.
   */
  authorize(request: AuthorizationOnBehalf): Promise<AuthorizationOutcome>;
}
