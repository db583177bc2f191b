/** Checks of grants and tokens, of administration, and of forms and calls by people. Part of checks.ts. */
import { type Check, check } from './check.ts';

export const grantChecks = {
  // The token endpoint.
  grant_type_unknown: check(
    'RFC 6749, section 5.2',
    'The server does not support this grant_type.',
    'Use authorization_code, refresh_token, client_credentials or urn:ietf:params:oauth:grant-type:device_code.',
  ),
  grant_type_not_allowed: check(
    'RFC 6749, section 5.2',
    'The client may not use this grant type.',
    'Register the grant type for the client.',
  ),
  code_unknown: check(
    'RFC 6749, section 5.2',
    'There is no such authorization code.',
    'Send the code exactly as received, and only once.',
  ),
  code_expired: check(
    'RFC 6749, section 4.1.2',
    'The authorization code has expired.',
    'Redeem the code at once. AUTHORIZATION_CODE_TTL sets how long it works.',
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
    'The redirect_uri differs from the one in the authorization request.',
    'Send the same redirect_uri at both endpoints.',
  ),
  code_ended: check(
    'RFC 6749, section 5.2',
    'The session, the grant or the account of the authorization code has ended.',
    'Start a new authorization request.',
  ),
  verifier_missing: check(
    'RFC 7636, section 4.5',
    'The authorization request had a code_challenge, and the code_verifier is missing.',
    'Send the code_verifier.',
  ),
  verifier_wrong: check(
    'RFC 7636, section 4.6',
    'The code_verifier does not match the code_challenge.',
    'Keep the verifier of this request, and send it unchanged.',
  ),
  verifier_malformed: check(
    'RFC 7636, section 4.1',
    'The code_verifier is malformed.',
    'Use 43 to 128 characters of A-Z, a-z, 0-9 and - . _ ~.',
  ),
  verifier_unexpected: check(
    'RFC 9700, section 2.1.1',
    'The request has a code_verifier, but the authorization request had no code_challenge.',
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
    'Start a new authorization request.',
  ),
  refresh_replayed: check(
    'RFC 9700, section 4.14.2',
    'The refresh token was already replaced. Its whole grant has ended.',
    'Store each new refresh token before you discard the old one. Programs that share a token read it just before they refresh.',
  ),
  refresh_differs: check(
    'RFC 9700, section 4.14.2',
    'The refresh token was just replaced, and this request asks for another scope, resource or DPoP key.',
    'Use the replacement, or repeat the request that replaced it, unchanged.',
  ),
  refresh_of_another_client: check(
    'RFC 6749, section 6',
    'The refresh token was issued to another client.',
    'Send it with the client that got it.',
  ),
  refresh_ended: check(
    'RFC 6749, section 5.2',
    'The session, the grant or the account of the refresh token has ended.',
    'Start a new authorization request. Request offline_access if access must outlive the session.',
  ),

  // Access tokens.
  token_missing: check('RFC 6750, section 3', 'The request has no access token.', 'Send Authorization: Bearer TOKEN.'),
  token_malformed: check(
    'RFC 6750, section 2.1',
    'The Authorization header contains no access token.',
    'Send one header: Authorization: Bearer TOKEN.',
  ),
  token_invalid: check(
    'RFC 6750, section 3.1',
    'The access token is unknown, has ended, or is not for this endpoint.',
    'Get a new access token for this API.',
  ),
  token_expired: check('RFC 6750, section 3.1', 'The access token has expired.', 'Refresh it.'),
  token_audience: check(
    'RFC 9068, section 4',
    'The access token is for another API.',
    'Request a token with the identifier of this API in the resource parameter.',
  ),
  scope_insufficient: check(
    'RFC 6750, section 3.1',
    'The access token lacks a scope.',
    'Ask for the scope in the authorization request.',
  ),
  origin_not_allowed: check(
    'Fetch, section 3.3.2',
    'The calling page has another origin than the redirect URIs of the client.',
    'Register a redirect URI of this origin, or send the request from a server.',
  ),
  not_own_data: check(
    'RFC 6750, section 3.1',
    'The access token belongs to another person.',
    'Request only the data of that person.',
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
    'Correct the member that the response names.',
  ),
  initial_token_missing: check(
    'RFC 7591, section 3',
    'A client may register itself only with an initial access token.',
    'Ask the operator for one (registration-tokens create), and send Authorization: Bearer TOKEN.',
  ),
  initial_token_invalid: check(
    'RFC 7591, section 3',
    'The initial access token is unknown, expired, revoked or used up.',
    'Ask the operator for a new one: registration-tokens create.',
  ),
  registration_token_invalid: check(
    'RFC 7592, section 2',
    'The client does not exist, or the registration access token is not its own.',
    'Send the registration_access_token from the registration of this client. If the client is gone, register again.',
  ),
  registrations_full: check(
    'RFC 7591, section 5',
    'As many clients are registered as this server allows.',
    'Try again later. An operator can raise DYNAMIC_CLIENT_MAX, or let unused clients expire sooner.',
  ),

  // People: pages and the JSON surfaces.
  form: check(
    'OWASP ASVS 5.0, 3.5.1',
    'The form has no valid token, or came from another site.',
    'Open the page again and submit the form from there.',
  ),
  credentials: check('contracts', 'The name, the password or the token is wrong.', 'Send the right credentials.'),
  no_such_record: check(
    'contracts',
    'There is no such account, session or record.',
    'Compare what was sent with what this server issued.',
  ),
  second_factor: check('contracts', 'A second factor is needed.', 'Repeat the call with a current code in X-OTP.'),
  throttled: check('RFC 6585, section 4', 'Too many attempts.', 'Wait for the time in Retry-After.'),
  closed: check('contracts', 'People cannot create accounts here.', 'Ask an operator for an account, or set SIGN_UP.'),
  name: check('contracts', 'The name is taken or not allowed.', 'Choose another name.'),
  password: check('NIST SP 800-63B-4, 3.1.1.2', 'The password is too weak.', 'Choose a longer one.'),
  forbidden: check('RFC 9110, section 15.5.4', 'The caller may not do this.', 'Ask an operator.'),

  /** For refusals without a check of their own. */
  other: check('RFC 6749, section 5.2', 'The request was refused.', 'Read the error description.'),
} as const satisfies Record<string, Check>;
