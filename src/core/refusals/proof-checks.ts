/** Checks of DPoP proofs (RFC 9449), at the token endpoint and where bound tokens are used. Part of checks.ts. */
import { type Check, check } from './check.ts';

export const proofChecks = {
  proof_missing: check(
    'RFC 9449, section 5',
    'A DPoP proof is needed, and the request has none.',
    'Send a proof of the bound key in one DPoP header.',
  ),
  proof_repeated: check(
    'RFC 9449, section 4.3',
    'The request has more than one DPoP header.',
    'Send one DPoP header with one proof.',
  ),
  proof_malformed: check(
    'RFC 9449, section 4.2',
    'The DPoP proof is not a JWT with the required members.',
    'Sign a JWT with typ dpop+jwt, alg, jwk, jti, htm, htu and iat.',
  ),
  proof_algorithm: check(
    'RFC 9449, section 4.3',
    'The DPoP proof is signed with an algorithm that this server does not support.',
    'Use one of dpop_signing_alg_values_supported in the metadata of this server.',
  ),
  proof_key: check(
    'RFC 9449, section 4.3',
    'The jwk of the DPoP proof is not a public key that this server supports.',
    'Send the public key alone, never a private or a symmetric one.',
  ),
  proof_signature: check(
    'RFC 9449, section 4.3',
    'The signature of the DPoP proof does not match its jwk.',
    'Sign with the private key of the jwk, and with the alg of the header.',
  ),
  proof_method: check(
    'RFC 9449, section 4.3',
    'The htm of the DPoP proof is not the method of the request.',
    'Make a proof for each request, with its method in capital letters.',
  ),
  proof_address: check(
    'RFC 9449, section 4.3',
    'The htu of the DPoP proof is not the address of the request.',
    'Use the address that the client calls, without query and fragment.',
  ),
  proof_time: check(
    'RFC 9449, section 4.3',
    'The iat of the DPoP proof is too far from the time of this server.',
    'Make a proof for each request, and set the clock of the client.',
  ),
  proof_token: check(
    'RFC 9449, section 7',
    'The ath of the DPoP proof is missing or of another access token.',
    'Put the base64url SHA-256 of the access token into ath.',
  ),
  proof_nonce: check(
    'RFC 9449, section 8',
    'The nonce of the DPoP proof is missing, wrong or too old.',
    'Repeat the request with a proof that has the nonce of the DPoP-Nonce header.',
  ),
  proof_replayed: check(
    'RFC 9449, section 11.1',
    'The DPoP proof has been used before.',
    'Make a new proof with a new jti for each request, a repeated one included.',
  ),
  proof_other_key: check(
    'RFC 9449, section 6',
    'The DPoP proof is of another key than the one that the token, the code or the refresh token is bound to.',
    'Sign with the key that was used first. If it is lost, start a new authorization request.',
  ),
  token_bound: check(
    'RFC 9449, section 7.2',
    'The access token is bound to a key, and was sent as a Bearer token.',
    'Send Authorization: DPoP TOKEN, and a proof in the DPoP header.',
  ),
  token_unbound: check(
    'RFC 9449, section 7.1',
    'The access token is not bound to a key, and was sent with the scheme DPoP.',
    'Send Authorization: Bearer TOKEN, or get a bound token with a proof at the token endpoint.',
  ),
} as const satisfies Record<string, Check>;
