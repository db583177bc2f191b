/** Finds the failed check by the engine's text: `error_detail` if there is one, otherwise the error's description. */
import { deviceGrant } from '../../core/clients/metadata/device-grant.ts';
import type { CheckName } from '../../core/refusals/checks.ts';

/** The first match wins. The patterns match texts of oidc-provider 9.13; a test raises each of them. */
const words: readonly (readonly [RegExp, CheckName])[] = [
  [/^client not found$|^client is invalid$/, 'client_unknown'],
  [/^no client authentication mechanism provided$/, 'client_missing'],
  [/^(missing )?DPoP proof JWT( not provided)?$|^this client must send a DPoP proof$/, 'proof_missing'],
  [/^DPoP proof key thumbprint does not match dpop_jkt$/, 'proof_other_key'],
  [/^the DPoP proof has been used before$/, 'proof_replayed'],
  [/^the DPoP header is empty$/, 'proof_missing'],
  [/nonce (is required )?in (the )?DPoP proof$/, 'proof_nonce'],
  [/^invalid DPoP key binding$/, 'proof_signature'],
  [
    /^client_id mismatch$|only be provided using one mechanism$|^invalid authorization header value format$/,
    'client_credentials_malformed',
  ],
  [
    /not properly encoded$|^client_secret must be provided in the Authorization header$/,
    'client_credentials_malformed',
  ],
  [/does not match the registered client authentication method$/, 'client_method'],
  [/^invalid secret provided$/, 'client_secret_wrong'],
  [/client_secret expired at/, 'client_secret_expired'],
  [
    /client.assertion|^alg mismatch$|\biss \(JWT issuer\)|\baud \(JWT audience\)|audience \(aud\)|sub \(JWT subject\)|\bjwt\b|JWT|^(aud|alg|exp|iat|sub|kid) must /i,
    'client_assertion',
  ],

  [
    /^missing required parameter(s|\(s\))? .*redirect_uri|redirect_uri must (only )?be|^redirect_uri is/,
    'redirect_uri_missing',
  ],
  [/^missing required parameter|^openid scope must be requested/, 'parameter_missing'],
  [/must not be provided twice$/, 'parameter_repeated'],
  [/content-type bodies are supported/, 'media_type'],
  [/^failed to parse the request body$/, 'body_malformed'],
  [/^the Authorization header comes twice$/, 'header_repeated'],
  [/larger than \d+ bytes$/, 'body_too_large'],
  [/^the body ended early$|^a form is expected$/, 'body_malformed'],
  [/^authorization request has expired$|session not found$|identifier mismatch$|session mismatch$/, 'stale'],

  [/^Pushed Authorization Request must be used$/, 'pushed_required'],
  [/^request_uri is invalid, expired, or was already used$|^invalid request_uri$/, 'pushed_unknown'],
  [/^request_uri must not be pushed$/, 'pushed_request_uri'],
  [/redirect_uri did not match|^post_logout_redirect_uri not registered$/, 'redirect_uri_unregistered'],
  [/^redirect_uri/, 'redirect_uri_unregistered'],
  [/^unsupported response_type requested$|^requested response_type is not allowed/, 'response_type'],
  [/^unsupported response_mode requested$|response_mode/i, 'response_mode'],
  [/^Authorization Server policy requires PKCE|^code_challenge must be provided/, 'pkce_missing'],
  [/code_challenge_method/, 'pkce_method'],
  [/^code_challenge (must|contains)/, 'pkce_challenge'],
  [/^code_verifier (must be a string|contains)/, 'verifier_malformed'],
  [
    /scope contains invalid characters|^none of the scopes|^no scope was granted$|but no scope was granted$/,
    'scope_unknown',
  ],
  [/^requested scope is not allowed$|^refresh token missing requested scope/, 'scope_not_allowed'],
  [/which the profile \w+ forbids$/, 'profile_forbids'],
  [/^only a single resource indicator|^resource indicator/, 'resource_unknown'],
  [/id_token_hint/, 'id_token_hint'],
  [
    /^(dpop_jkt must|unsupported prompt value|prompt none|invalid max_age|could not parse the claims|claims)/,
    'parameter_invalid',
  ],

  [/^unsupported grant_type requested$/, 'grant_type_unknown'],
  [/grant type is not allowed for this client$|^authorization_code is not allowed/, 'grant_type_not_allowed'],
  [/^authorization code not found$/, 'code_unknown'],
  [/^authorization code is expired$/, 'code_expired'],
  [/^authorization code already consumed$/, 'code_used'],
  [/^authorization code redirect_uri mismatch$/, 'code_redirect_uri'],
  [/^authorization code invalid/, 'code_ended'],
  [/^device code not found$/, 'device_code_unknown'],
  [/^device code is expired$/, 'device_code_expired'],
  [/^device code already consumed$/, 'device_code_used'],
  [/^device code invalid/, 'device_code_ended'],
  [/^refresh token not found$/, 'refresh_unknown'],
  [/^refresh token is expired$/, 'refresh_expired'],
  [/^refresh token already used$/, 'refresh_replayed'],
  [/^refresh token invalid/, 'refresh_ended'],

  [/^origin .* not allowed for client/, 'origin_not_allowed'],
];

/** The check by error code, if no pattern matches the text. */
const codes: Readonly<Record<string, CheckName>> = {
  login_required: 'login_required',
  consent_required: 'consent_required',
  interaction_required: 'interaction_required',
  access_denied: 'access_denied',
  request_not_supported: 'feature_off',
  request_uri_not_supported: 'feature_off',
  registration_not_supported: 'feature_off',
  invalid_target: 'resource_unknown',
  invalid_scope: 'scope_unknown',
  invalid_client: 'client_unknown',
  invalid_redirect_uri: 'redirect_uri_unregistered',
  unsupported_response_type: 'response_type',
  unsupported_response_mode: 'response_mode',
  unsupported_grant_type: 'grant_type_unknown',
  unauthorized_client: 'grant_type_not_allowed',
  invalid_dpop_proof: 'proof_malformed',
  use_dpop_nonce: 'proof_nonce',
};

/** The value that each grant presents. */
const kinds: Readonly<Record<string, 'refresh' | 'device_code'>> = {
  refresh_token: 'refresh',
  [deviceGrant]: 'device_code',
};

interface EngineError {
  readonly error: string;
  readonly description?: string | undefined;
  readonly detail?: string | undefined;
}

/** `route`: the engine's name of the route. `params`: the parameters of the request. */
export function checkOf(
  { error, description, detail }: EngineError,
  route: string | undefined,
  params: Readonly<Record<string, unknown>>,
): CheckName {
  // Texts that both grants share.
  if (route === 'token' && error === 'invalid_grant' && detail !== undefined) {
    const kind = kinds[String(params.grant_type)] ?? 'code';
    if (detail === 'client mismatch') return `${kind}_of_another_client`;
    if (/^grant |^accountId mismatch$/.test(detail)) return `${kind}_ended`;
    if (detail === 'failed jkt verification') return 'proof_other_key';
    if (detail === 'unsupported code_challenge_method') return 'verifier_unexpected';
    if (detail === 'code_verifier must be provided') return 'verifier_missing';
    if (detail === 'code_verifier does not match code_challenge') return 'verifier_wrong';
  }
  if (route === 'token' && error === 'access_denied' && params.grant_type === deviceGrant) return 'device_denied';
  // The detail of a proof is the text of a library.
  for (const said of error === 'invalid_dpop_proof' ? [description] : [detail, description]) {
    const found = said === undefined ? undefined : words.find(([pattern]) => pattern.test(said));
    if (found) return found[1];
  }
  if (error === 'invalid_client' && params.client_assertion !== undefined) return 'client_assertion';
  return codes[error] ?? 'other';
}
