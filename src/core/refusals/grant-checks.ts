/** Checks of grants and tokens, of administration, and of what people send. Part of checks.ts. */
import { type Check, check } from './check.ts';

export const grantChecks = {
  // The token endpoint.
  grant_type_unknown: check(
    'RFC 6749, section 5.2',
    'The grant_type is not offered.',
    'Use authorization_code, refresh_token or client_credentials.',
  ),
  grant_type_not_allowed: check(
    'RFC 6749, section 5.2',
    'The client may not use this grant type.',
    'Register the grant type for the client.',
  ),
  code_unknown: check(
    'RFC 6749, section 5.2',
    'There is no such authorization code.',
    'Send the code exactly as it came, and once.',
  ),
  code_expired: check(
    'RFC 6749, section 4.1.2',
    'The authorization code has expired.',
    'Redeem the code at once; AUTHORIZATION_CODE_TTL says how long it works.',
  ),
  code_used: check(
    'RFC 6749, section 4.1.2',
    'The authorization code was used before. Everything issued from it has ended.',
    'Redeem a code once. Look for a callback that runs twice.',
  ),
  code_of_another_client: check(
    'RFC 6749, section 5.2',
    'The authorization code was issued to another client.',
    'Redeem it with the client that asked for it.',
  ),
  code_redirect_uri: check(
    'RFC 6749, section 4.1.3',
    'The redirect_uri is not the one of the authorization request.',
    'Send the same redirect_uri at both endpoints.',
  ),
  code_ended: check(
    'RFC 6749, section 5.2',
    'What the authorization code stands for has ended: the session, the grant or the account.',
    'Send the person through the flow again.',
  ),
  verifier_missing: check(
    'RFC 7636, section 4.5',
    'The authorization request had a code_challenge, and the code_verifier is missing.',
    'Send the code_verifier.',
  ),
  verifier_wrong: check(
    'RFC 7636, section 4.6',
    'The code_verifier does not fit the code_challenge.',
    'Keep the verifier of this very request, and send it as it is.',
  ),
  verifier_malformed: check(
    'RFC 7636, section 4.1',
    'The code_verifier is malformed.',
    'Use 43 to 128 characters of A-Z, a-z, 0-9 and - . _ ~.',
  ),
  verifier_unexpected: check(
    'RFC 9700, section 2.1.1',
    'There is a code_verifier, and the authorization request had no code_challenge.',
    'Send code_challenge in the authorization request.',
  ),
  refresh_unknown: check(
    'RFC 6749, section 5.2',
    'There is no such refresh token.',
    'Send the newest refresh token of the grant.',
  ),
  refresh_expired: check(
    'RFC 6749, section 5.2',
    'The refresh token has expired.',
    'Send the person through the flow again.',
  ),
  refresh_replayed: check(
    'RFC 9700, section 4.14.2',
    'The refresh token was replaced before. Its whole grant has ended.',
    'Store each new refresh token before the old one is forgotten, and refresh in one place at a time.',
  ),
  refresh_of_another_client: check(
    'RFC 6749, section 6',
    'The refresh token was issued to another client.',
    'Send it with the client that got it.',
  ),
  refresh_ended: check(
    'RFC 6749, section 5.2',
    'What the refresh token stands for has ended: the session, the grant or the account.',
    'Send the person through the flow again. Ask for offline_access where access must outlive the session.',
  ),

  // Access tokens and what they open.
  token_missing: check('RFC 6750, section 3', 'The request has no access token.', 'Send Authorization: Bearer TOKEN.'),
  token_malformed: check(
    'RFC 6750, section 2.1',
    'The Authorization header holds no access token.',
    'Send one header: Authorization: Bearer TOKEN.',
  ),
  token_invalid: check(
    'RFC 6750, section 3.1',
    'The access token is unknown, has ended, or is not for this endpoint.',
    'Get a fresh token for this very API.',
  ),
  token_expired: check('RFC 6750, section 3.1', 'The access token has expired.', 'Refresh it.'),
  token_audience: check(
    'RFC 9068, section 4',
    'The access token is for another API.',
    'Ask for a token with the resource parameter of this API.',
  ),
  scope_insufficient: check(
    'RFC 6750, section 3.1',
    'The access token lacks a scope.',
    'Ask for the scope in the authorization request.',
  ),
  origin_not_allowed: check(
    'Fetch, section 3.3.2',
    'The page that asks is of another origin than the redirect URIs of the client.',
    'Register a redirect URI of this origin, or send the request from a server.',
  ),
  not_own_data: check(
    'RFC 6750, section 3.1',
    'The access token is of another person.',
    'Ask for the data of its own person.',
  ),

  // Registration and administration.
  admin_key: check(
    'RFC 9110, section 15.5.2',
    'The admin key is missing or wrong.',
    'Send ADMIN_KEY in the X-Admin-Key header.',
  ),
  metadata: check(
    'RFC 7591, section 3.2.2',
    'The client metadata was refused.',
    'Correct the member that the answer names.',
  ),

  // People: pages and the JSON surfaces.
  form: check(
    'OWASP ASVS 5.0, 3.5.1',
    'The form came without its token, or from another site.',
    'Open the page again and send it from there.',
  ),
  credentials: check('contracts', 'The name, the password or the token is wrong.', 'Send the right credentials.'),
  no_such_record: check(
    'contracts',
    'There is no such account, session or record.',
    'Compare what was sent with what this server issued.',
  ),
  second_factor: check('contracts', 'A second factor is needed.', 'Repeat the call with a current code in X-OTP.'),
  throttled: check('RFC 6585, section 4', 'Too many attempts.', 'Wait for the time in Retry-After.'),
  closed: check('contracts', 'Accounts are not made here by their owners.', 'Ask an operator, or set SIGN_UP.'),
  name: check('contracts', 'The name is taken or cannot be one.', 'Choose another name.'),
  password: check('NIST SP 800-63B-4, 3.1.1.2', 'The password is too weak.', 'Choose a longer one.'),
  forbidden: check('RFC 9110, section 15.5.4', 'The caller may not do this.', 'Ask an operator.'),

  /** Where no row above says more. */
  other: check('RFC 6749, section 5.2', 'The request was refused.', 'Read the error description.'),
} as const satisfies Record<string, Check>;
