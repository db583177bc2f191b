/**
 * What of the metadata that a client sent is used. Members and values that this server does not know are dropped (RFC 7591,
 * section 2), and named so that the caller who registers the client can be told; members that promise protection are refused.
 */
import type { JsonObject } from '../../base/json.ts';

export type Sorted =
  | { readonly given: Record<string, unknown>; readonly dropped: string[] }
  /** Member and what is wrong with it, in one sentence. */
  | { readonly mistake: string };

/** What is offered of the members that are lists of choices. */
export const offered = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  response_modes: ['query', 'fragment', 'form_post'],
} as const;

/** Named in answers and warnings: beyond these the rest is only counted. */
const namedMax = 50;

/** `known`: the members that are ever stored. `previous`: at a change, what is stored. */
export function sortMembers(input: object, known: readonly string[], previous: JsonObject = {}): Sorted {
  const given: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const name of Object.keys(input)) {
    const value: unknown = Reflect.get(input, name);
    // RFC 7592, section 2.2: null means the same as leaving the member out.
    if (value === undefined || value === null) continue;
    const mistake = promiseMistake(name, value);
    // A client from before goes on without what it never had: its other members can still be changed.
    if (mistake !== undefined && !isStored(previous, name, value)) return { mistake: `${name} ${mistake}` };
    if (known.includes(name)) given[name] = value;
    else if (mistake !== undefined || !Object.hasOwn(promises, name)) dropped.push(inAscii(name));
  }
  for (const [name, values] of Object.entries(offered)) {
    const asked = given[name];
    if (!Array.isArray(asked)) continue;
    const isOffered = (value: unknown) => typeof value !== 'string' || (values as readonly string[]).includes(value);
    const used = asked.filter(isOffered);
    if (asked.length > 0 && used.length === 0)
      return { mistake: `${name} has none that is offered: ${values.join(', ')}` };
    given[name] = used;
    for (const value of asked) if (!isOffered(value)) dropped.push(`${name} ${inAscii(value)}`);
  }
  if (given.scope === '') {
    // It had some: without any it would have all.
    if (previous.scope !== undefined)
      return { mistake: 'scope is empty, and without it every scope is allowed: remove it for that' };
    delete given.scope;
    dropped.push('scope (it is empty)');
  }
  return { given, dropped: shortened(dropped) };
}

const isStored = (previous: JsonObject, name: string, value: unknown): boolean =>
  Object.hasOwn(previous, name) && JSON.stringify(previous[name]) === JSON.stringify(value);

/** Anyone may send anything, and this is shown in terminals. */
const inAscii = (text: string): string => text.slice(0, 100).replaceAll(/[^\x21-\x7e]/g, '?');

function shortened(names: string[]): string[] {
  const named = [...new Set(names)];
  const more = named.length - namedMax;
  return more > 0 ? [...named.slice(0, namedMax), `and ${more} more`] : named;
}

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

/**
 * Members by which a client asks for protection that this server does not give. A client that believes in it would be less safe
 * than it thinks, so they are refused at every entry point and never dropped (RFC 7591, section 2 would allow to ignore them).
 */
const promises: Readonly<Record<string, Promised>> = {
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
};

/** What is wrong with the value of such a member; undefined: it asks for nothing. */
function promiseMistake(name: string, value: unknown): string | undefined {
  const promised = Object.hasOwn(promises, name) ? promises[name] : undefined;
  if (promised === undefined || value === undefined || value === null) return undefined;
  if (promised.asks === 'any' || value === true) return promised.reason;
  return value === false ? undefined : 'must be a boolean';
}

/** Those that a client from before has: they were stored and never enforced. */
export function brokenPromises(metadata: JsonObject): string[] {
  return Object.keys(metadata).filter((name) => promiseMistake(name, metadata[name]) !== undefined);
}
