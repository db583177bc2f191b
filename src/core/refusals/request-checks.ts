/** Checks of the client, of the form of a request, and of authorization requests. Part of checks.ts. */
import { type Check, check } from './check.ts';

export const requestChecks = {
  // The client and how it authenticates.
  client_missing: check(
    'RFC 6749, section 2.2',
    'The request has no client_id.',
    'Send the client_id, or authenticate with HTTP Basic.',
  ),
  client_unknown: check(
    'RFC 6749, section 2.2',
    'The client_id is not registered here.',
    'Correct the client_id, or register the application on this server.',
  ),
  client_document: check(
    'draft-ietf-oauth-client-id-metadata-document, section 5',
    'The document at the client_id could not be used.',
    'Serve a valid document at the client_id: https, status 200, application/json, without a redirect.',
  ),
  client_document_off: check(
    'draft-ietf-oauth-client-id-metadata-document, section 6',
    'The client_id is the address of a document, and this server does not read such documents.',
    'Register the application, or have an operator set MCP=true.',
  ),
  client_disabled: check(
    'RFC 6749, section 5.2',
    'The client is disabled.',
    'Enable it: clients enable ID. If its owner is disabled, enable the owner.',
  ),
  client_credentials_missing: check(
    'RFC 6749, section 3.2.1',
    'The client must authenticate, but sent no credentials.',
    'Send the client secret by HTTP Basic or in the body, or the assertion that the client registered.',
  ),
  client_credentials_malformed: check(
    'RFC 6749, section 2.3.1',
    'The client credentials are malformed, or were sent in two ways.',
    'Send one kind of credentials. In HTTP Basic, percent-encode the id and the secret before base64.',
  ),
  client_method: check(
    'RFC 7591, section 2',
    'The client used another authentication method than the one it registered.',
    'Use the registered token_endpoint_auth_method, or change it on this server.',
  ),
  client_secret_wrong: check(
    'RFC 6749, section 2.3.1',
    'The client secret is wrong.',
    'Copy the secret again, or rotate it: clients rotate ID.',
  ),
  client_secret_expired: check(
    'RFC 6749, section 2.3.1',
    'The client secret has expired or was rotated.',
    'Configure the new secret.',
  ),
  client_assertion: check(
    'RFC 7523, section 3',
    'The client assertion was refused.',
    'Sign a fresh JWT with a registered key: iss and sub the client_id, aud this server, a jti that was never used.',
  ),
  client_keys_unavailable: check(
    'OpenID Connect Core, section 10.1.1',
    'The keys of the client could not be fetched from its jwks_uri.',
    'Serve the keys over https at a public address, without a redirect. For reviewed clients, OUTBOUND_ALLOW adds networks.',
  ),
  client_throttled: check(
    'RFC 6585, section 4',
    'Too many wrong credentials came from this address.',
    'Correct the credentials and wait for the time in Retry-After.',
  ),

  // The form of a request.
  method: check(
    'RFC 9110, section 15.5.6',
    'This address does not support the method.',
    'Use a method that the Allow header lists.',
  ),
  media_type: check(
    'RFC 6749, section 3.2',
    'This endpoint does not support the media type of the body.',
    'Send application/x-www-form-urlencoded.',
  ),
  body_malformed: check('RFC 9110, section 15.5.1', 'The body cannot be read.', 'Send a well-formed body.'),
  body_too_large: check('RFC 9110, section 15.5.14', 'The request is too large.', 'Send less.'),
  parameter_missing: check('RFC 6749, section 3.1', 'A required parameter is missing.', 'Send the parameter.'),
  parameter_repeated: check(
    'RFC 6749, section 3.1',
    'A parameter was sent more than once.',
    'Send each parameter once.',
  ),
  parameter_invalid: check('RFC 6749, section 3.1', 'A parameter has an invalid value.', 'Correct the value.'),
  header_repeated: check('RFC 9110, section 5.3', 'A header was sent more than once.', 'Send it once.'),
  not_found: check(
    'RFC 9110, section 15.5.5',
    'There is nothing at this address.',
    'Check the address against the documentation.',
  ),

  // Authorization requests.
  redirect_uri_missing: check(
    'RFC 6749, section 3.1.2.3',
    'The request has no redirect_uri, and the client has several or none.',
    'Send the redirect_uri parameter.',
  ),
  redirect_uri_unregistered: check(
    'RFC 9700, section 4.1.3',
    'The redirect URI is not registered for this client.',
    'Send exactly a registered address, character by character, or register this one too.',
  ),
  redirect_uri_insecure: check(
    'RFC 9700, section 2.6',
    'The redirect URI is http on another machine, and the client is not allowed to use one.',
    'Use https. An operator may set allow_insecure_redirects for a reviewed client.',
  ),
  response_type: check(
    'RFC 6749, section 3.1.1',
    'The server does not support this response_type.',
    'Use response_type=code with PKCE (RFC 9700, section 2.1.2).',
  ),
  response_mode: check(
    'OAuth 2.0 Multiple Response Types, section 2.1',
    'The server does not support this response_mode here.',
    'Leave response_mode out, or use query or form_post.',
  ),
  pkce_missing: check(
    'RFC 9700, section 2.1.1',
    'The client must use PKCE, and the request has no code_challenge.',
    'Send code_challenge with code_challenge_method=S256.',
  ),
  pkce_method: check(
    'RFC 7636, section 4.3',
    'The code_challenge_method is not S256.',
    'Send code_challenge_method=S256 and the base64url SHA-256 of the verifier.',
  ),
  pkce_challenge: check(
    'RFC 7636, section 4.2',
    'The code_challenge is malformed.',
    'Send the base64url SHA-256 of the verifier without padding: 43 characters.',
  ),
  scope_unknown: check(
    'RFC 6749, section 3.3',
    'The server has none of the requested scopes.',
    'Send scopes that this server or one of its APIs has, separated by spaces.',
  ),
  scope_not_allowed: check(
    'RFC 6749, section 3.3',
    'The client may not request this scope.',
    'Leave the scope out, or allow it for the client.',
  ),
  scope_missing: check(
    'RFC 6749, section 3.3',
    'The request has no scope, and the API has no default scopes.',
    'Send the scope parameter, or mark default scopes: apis update.',
  ),
  scope_held: check(
    'RFC 6749, section 3.3',
    'The scope is granted only to people whose roles include it.',
    'Leave the scope out, or have an operator lift the restriction: apis update.',
  ),
  resource_unknown: check(
    'RFC 8707, section 2',
    'The resource is not an API of this server.',
    'Send the identifier of a registered API: apis list.',
  ),
  resource_missing: check(
    'RFC 8707, section 2',
    'The request could be for more than one API, and names none.',
    'Send the identifier of one API in the resource parameter.',
  ),
  profile_forbids: check(
    'FAPI 2.0 Security Profile, section 5.4.1',
    'The profile of the client forbids what the request needs.',
    'For an API: set its signing algorithm to ES256 (apis update --signing-alg ES256), or choose another profile.',
  ),
  resource_not_granted: check(
    'RFC 8707, section 2.2',
    'The resource was not granted.',
    'Request it in the authorization request.',
  ),
  pushed_required: check(
    'RFC 9126, section 5',
    'The client must push its authorization requests, and this one was not pushed.',
    'Send the parameters to pushed_authorization_request_endpoint, then only client_id and request_uri to the browser.',
  ),
  pushed_unknown: check(
    'RFC 9126, section 2.2',
    'This server has no pushed request with this request_uri.',
    'Send the request_uri exactly as the push returned it, within its expires_in.',
  ),
  pushed_expired: check(
    'RFC 9126, section 4',
    'The request_uri has expired.',
    'Push the request immediately before the browser goes to the authorization endpoint.',
  ),
  pushed_used: check(
    'RFC 9126, section 7.3',
    'The request_uri was already used for an authorization.',
    'Push each authorization request anew.',
  ),
  pushed_of_another_client: check(
    'RFC 9126, section 4',
    'The request_uri belongs to another client.',
    'Send the client_id of the client that pushed the request.',
  ),
  pushed_for_browsers: check(
    'RFC 9126, section 4',
    'A pushed request is for a browser, and this one came from a program with a token of the person.',
    'Send the parameters themselves.',
  ),
  pushed_request_uri: check(
    'RFC 9126, section 2.1',
    'A pushed request must not have a request_uri itself.',
    'Push the parameters of the authorization request without request_uri.',
  ),
  login_required: check(
    'OpenID Connect Core, section 3.1.2.6',
    'The person is not signed in, and prompt=none allows no sign-in page.',
    'Repeat the request without prompt=none.',
  ),
  consent_required: check(
    'OpenID Connect Core, section 3.1.2.6',
    'The person has not given consent, and prompt=none allows no consent page.',
    'Repeat the request without prompt=none.',
  ),
  interaction_required: check(
    'OpenID Connect Core, section 3.1.2.6',
    'The request needs a page, and prompt=none allows none.',
    'Repeat the request without prompt=none.',
  ),
  id_token_hint: check(
    'OpenID Connect Core, section 3.1.2.1',
    'The id_token_hint was refused.',
    'Send an ID token that this server issued to this client.',
  ),
  access_denied: check('RFC 6749, section 4.1.2.1', 'The person denied the request.', 'Let the person try again.'),
  feature_off: check(
    'RFC 6749, section 4.1.2.1',
    'The request uses a feature that this server does not offer.',
    'Read the metadata of this server and leave the parameter out.',
  ),
  unreviewed: check(
    'RFC 9700, section 4.11.2',
    'An unreviewed application gets errors by redirect only after the person has allowed it.',
    'Correct the request, or have an operator review the application: clients review ID.',
  ),
  stale: check(
    'OpenID Connect Core, section 3.1.2.3',
    'The sign-in that this address belongs to has ended or belongs to another browser.',
    'Start again in the application.',
  ),
} as const satisfies Record<string, Check>;
