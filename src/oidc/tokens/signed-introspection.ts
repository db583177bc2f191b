/**
 * Introspection responses as JWTs (RFC 9701), for a client that is registered with `introspection_signed_response_alg`,
 * and for a request that accepts the media type. An application can pass such a response on as evidence.
 */
import { nowSeconds } from '../../base/clock.ts';
import { profileOf } from '../../core/clients/metadata/profiles.ts';
import { type Keys, signingAlgorithms } from '../../core/keys/keys.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Introspection } from '../../core/tokens/introspection.ts';
import { signJwt } from '../../core/tokens/jwt.ts';
import { introspectionJwt } from '../../http/media-types.ts';

interface SignedIntrospectionDeps {
  readonly keys: Keys;
  readonly issuer: string;
}

/** Whether the response to this client must be a JWT. `accept`: the header of the request. */
export function wantsSigned(client: Pick<ClientRecord, 'metadata'>, accept: string | undefined): boolean {
  return client.metadata.introspection_signed_response_alg !== undefined || accept?.includes(introspectionJwt) === true;
}

/**
 * Section 5. `aud` is the client that asks. The facts are one claim: with `sub` and `exp` at the top, the JWT could be
 * taken for the token itself.
 */
export function signedIntrospection(
  found: Introspection,
  client: Pick<ClientRecord, 'id' | 'metadata'>,
  { keys, issuer }: SignedIntrospectionDeps,
): string {
  const { introspection_signed_response_alg: wanted } = client.metadata;
  const usual = profileOf(client.metadata) === 'fapi2' ? 'ES256' : 'RS256';
  const algorithm = signingAlgorithms.find((known) => known === wanted) ?? usual;
  const claims = { iss: issuer, aud: client.id, iat: nowSeconds(), token_introspection: found };
  return signJwt(keys, 'token-introspection+jwt', claims, algorithm);
}
