/**
 * Members by which a client asks for protection that this server does not give. A client that believes in it would be less safe
 * than it thinks, so they are refused at every entry point and never dropped (RFC 7591, section 2 would allow to ignore them).
 */
import type { JsonObject } from '../../base/json.ts';

interface Promised {
  /** `true`: `false` asks for nothing. `any`: whatever the value is. */
  readonly asks: 'true' | 'any';
  readonly reason: string;
}

const ifTrue = (reason: string): Promised => ({ asks: 'true', reason });
const always = (reason: string): Promised => ({ asks: 'any', reason });

const encrypted = always('asks for encryption, which is not offered');
const signed = always('asks for signed answers, which are not offered');
const requests = always('asks for request objects, which are not offered');
const logout = 'asks for a notice of logouts, which is not offered';

export const promises: ReadonlyMap<string, Promised> = new Map<string, Promised>(
  Object.entries({
    require_pushed_authorization_requests: ifTrue('asks for pushed authorization requests, which are not offered'),
    dpop_bound_access_tokens: ifTrue('asks for DPoP, which is not offered'),
    tls_client_certificate_bound_access_tokens: ifTrue('asks for certificate-bound tokens, which are not offered'),
    require_signed_request_object: ifTrue(requests.reason),
    request_object_signing_alg: requests,
    request_object_encryption_alg: requests,
    request_object_encryption_enc: requests,
    backchannel_logout_uri: always(logout),
    backchannel_logout_session_required: ifTrue(logout),
    frontchannel_logout_uri: always(logout),
    frontchannel_logout_session_required: ifTrue(logout),
    introspection_signed_response_alg: signed,
    authorization_signed_response_alg: signed,
    ...Object.fromEntries(
      ['id_token', 'userinfo', 'introspection', 'authorization'].flatMap((answer) => [
        [`${answer}_encrypted_response_alg`, encrypted],
        [`${answer}_encrypted_response_enc`, encrypted],
      ]),
    ),
  }),
);

/** What is wrong with the value of such a member; undefined: it asks for nothing. */
export function promiseMistake(name: string, value: unknown): string | undefined {
  const promised = promises.get(name);
  if (promised === undefined || value === undefined || value === null) return undefined;
  if (promised.asks === 'any' || value === true) return promised.reason;
  return value === false ? undefined : 'must be a boolean';
}

/** Those that a client from before has: they were stored and never enforced. */
export function brokenPromises(metadata: JsonObject): string[] {
  return Object.keys(metadata).filter((name) => promiseMistake(name, metadata[name]) !== undefined);
}
