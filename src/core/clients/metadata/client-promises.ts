/**
 * Members that ask for protection that this server does not give. A server may ignore them (RFC 7591, section 2), but
 * then the client would be less safe than it assumes. So every entry point refuses them.
 */
import type { JsonObject } from '../../../base/json.ts';

interface Promised {
  /** `true`: only the value true asks for protection. `any`: every value does. */
  readonly asks: 'true' | 'any';
  readonly reason: string;
}

const ifTrue = (reason: string): Promised => ({ asks: 'true', reason });
const always = (reason: string): Promised => ({ asks: 'any', reason });

const encrypted = always('asks for encryption, which is not supported');
const signed = always('asks for signed responses, which are not supported');
const requests = always('asks for request objects, which are not supported');
const logout = 'asks for front-channel logout, which is not supported';

export const promises: ReadonlyMap<string, Promised> = new Map<string, Promised>(
  Object.entries({
    tls_client_certificate_bound_access_tokens: ifTrue('asks for certificate-bound tokens, which are not supported'),
    require_signed_request_object: ifTrue(requests.reason),
    request_object_signing_alg: requests,
    request_object_encryption_alg: requests,
    request_object_encryption_enc: requests,
    frontchannel_logout_uri: always(logout),
    frontchannel_logout_session_required: ifTrue(logout),
    authorization_signed_response_alg: signed,
    ...Object.fromEntries(
      ['id_token', 'userinfo', 'introspection', 'authorization'].flatMap((answer) => [
        [`${answer}_encrypted_response_alg`, encrypted],
        [`${answer}_encrypted_response_enc`, encrypted],
      ]),
    ),
  }),
);

/** What is wrong with the value, or undefined if it asks for nothing. */
export function promiseMistake(name: string, value: unknown): string | undefined {
  const promised = promises.get(name);
  if (promised === undefined || value === undefined || value === null) return undefined;
  if (promised.asks === 'any' || value === true) return promised.reason;
  return value === false ? undefined : 'must be a boolean';
}

/** Such members of a stored client: an older version stored them and never enforced them. */
export function brokenPromises(metadata: JsonObject): string[] {
  return Object.keys(metadata).filter((name) => promiseMistake(name, metadata[name]) !== undefined);
}
