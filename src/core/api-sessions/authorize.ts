/**
 * An authorization that a program asks for in a person's place, holding their token: the answer goes to the program, no
 * page is shown, and the call itself is the consent. The protocol implements it (oidc/requests/authorizer), so that
 * every check of its own authorization endpoint applies here as well.
 */
import type { Caller } from '../kernel/caller.ts';

export interface AuthorizationOnBehalf {
  /** As they were sent, in order; one that came twice is here twice, and is refused. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The person, and the session their token belongs to. The caller has verified the token. */
  readonly subject: string;
  readonly sessionUid: string;
  readonly caller: Caller;
}

export type AuthorizationOutcome =
  /** To the application: with a code, or with an error of which it may know. Both carry `iss` (RFC 9207) and the `state` that was sent. */
  | { readonly outcome: 'redirect'; readonly location: string }
  /**
   * Of this the application must not hear (RFC 6749, section 4.1.2.1), or cannot. 400: there is no such client, or it has no such
   * address. 401 `login_required`: the session has ended, or the person is disabled or gone. 413: longer than any browser's request.
   */
  | {
      readonly outcome: 'refused';
      readonly status: 400 | 401 | 413;
      readonly error: string;
      readonly description: string;
    };

export interface Authorizer {
  /**
   * `prompt` is passed over: nobody can be asked. What the request asks for is allowed to this client in this session, and nothing
   * of it is remembered as the person's consent. Throws `Unavailable`.
   */
  authorize(request: AuthorizationOnBehalf): Promise<AuthorizationOutcome>;
}
