/** Policy beyond the application's own metadata: members that only an admin sets, and values that a change keeps. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../../base/json.ts';
import type { ClientRecord } from '../../stores/clients.ts';
import { type ConsentPolicy, consentPolicyOf } from '../consent-policy.ts';
import type { Members } from './client-members-shape.ts';
import type { RedirectAllowances } from './client-uris.ts';
import { type IdTokenClaims, idTokenClaimRules } from './id-token-claims.ts';
import type { Profile } from './profiles.ts';
import { refreshReuseMistake } from './refresh-reuse.ts';

export interface MetadataContext {
  /**
   * Who registers or changes. Only `admin`, `cli` and `built-in` may relax a policy; a `person` may not register a
   * service.
   */
  readonly by: ClientRecord['origin'];
  /** The stored metadata, at a change. */
  readonly previous?: JsonObject;
  /** An operator has reviewed the client. Default: true, if an operator made it. */
  readonly reviewed?: boolean;
  /** For a client that registered itself. */
  readonly granted?: Granted;
}

/** What the policy of this server gives a client that registers itself, whatever the client asks for. */
export interface Granted {
  /** The profile of a new client. */
  readonly profile?: Profile;
  /** Private-use schemes beyond the known ones. */
  readonly redirectSchemes?: readonly string[];
}

const isAdmin = (by: MetadataContext['by']): boolean => by === 'admin' || by === 'cli' || by === 'built-in';

/** `register` is a caller with `X-Admin-Key`, so an operator. Only what an operator makes is reviewed at once. */
export const isOperator = (by: MetadataContext['by']): boolean => isAdmin(by) || by === 'register';

/**
 * The look of this server's pages on the way to the application, because they speak for this server; the second factor
 * of its users, which the application must not weaken; redirect URIs beyond the rule; how long replaced refresh tokens
 * are forgiven; and consent.
 */
export function saidByAdmin(asked: Members, context: MetadataContext): JsonObject {
  const before = saidBefore(context);
  return {
    ...only(operatorMembers, isAdmin(context.by) ? asked : before),
    ...only(refreshMembers, isOperator(context.by) ? asked : before),
    consent: consentRule(asked.consent, context),
  };
}

type OperatorMember = (typeof operatorMembers | typeof refreshMembers)[number];

function only(names: readonly OperatorMember[], said: Members | JsonObject): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])));
}

function saidBefore({ previous = {}, granted }: MetadataContext): JsonObject {
  const schemes = granted?.redirectSchemes ?? [];
  return schemes.length === 0 ? previous : { ...previous, redirect_schemes: [...schemes] };
}

const operatorMembers = [
  'brand_accent',
  'brand_background',
  'second_factor',
  'allow_insecure_redirects',
  'redirect_schemes',
] as const;

/** Callers with `X-Admin-Key` set these too. */
const refreshMembers = ['refresh_reuse', 'refresh_reuse_seconds'] as const;

/**
 * Requested members that were not applied, because they are an operator's or do not fit this client. Values that are
 * already stored do not count.
 */
export function notTaken(asked: Members, metadata: JsonObject, { previous = {} }: MetadataContext): string[] {
  const names = [...operatorMembers, ...refreshMembers, 'consent', 'loopback_ports', 'require_pkce'] as const;
  return names.filter(
    (name) =>
      asked[name] !== undefined &&
      ![metadata[name], previous[name]].some((value) => isDeepStrictEqual(value, asked[name])),
  );
}

/** The redirect URIs that are allowed beyond the rule. */
export function redirectAllowances(asked: Members, context: MetadataContext): RedirectAllowances {
  const { redirect_schemes: schemes, allow_insecure_redirects: insecure } = saidByAdmin(asked, context);
  return {
    ours: context.by === 'built-in',
    operator: isAdmin(context.by),
    schemes: Array.isArray(schemes) ? schemes.map(String) : [],
    insecure: insecure === true && isReviewed(context),
  };
}

/** Every caller may choose. A change without it keeps the value; clients older than this rule have `minimal`. */
export function idTokenClaimsRule(asked: IdTokenClaims | undefined, { previous }: MetadataContext): IdTokenClaims {
  if (asked !== undefined) return asked;
  if (previous === undefined) return 'standard';
  return idTokenClaimRules.find((rule) => rule === previous.id_token_claims) ?? 'minimal';
}

export const isReviewed = ({ by, reviewed = isOperator(by) }: MetadataContext): boolean => reviewed;

/** The requested members without those of an operator, which `saidByAdmin` decides. */
export function withoutAdminMembers(asked: Members): JsonObject {
  return Object.fromEntries(Object.entries(asked).filter(([name]) => !isOperatorMember(name))) as JsonObject;
}

/** Only an operator may set it. */
export const isOperatorMember = (name: string): boolean =>
  name === 'consent' || [...operatorMembers, ...refreshMembers].some((member) => member === name);

/** Why an admin's member is refused, or undefined. */
export function adminMemberMistake(asked: Members, context: MetadataContext): string | undefined {
  if (asked.consent !== 'never' || isReviewed(context)) return undefined;
  return 'consent never is for reviewed clients: have an operator review the client first';
}

/** Others' wishes are dropped, so only an operator's can be wrong. */
export function refreshPolicyMistake(asked: Members, isPublic: boolean, { by }: MetadataContext): string | undefined {
  return isOperator(by) ? refreshReuseMistake(asked, isPublic) : undefined;
}

/** The metadata of a client after its review is revoked. */
export function unreviewedMetadata(metadata: JsonObject): JsonObject {
  return metadata.consent === 'never' ? { ...metadata, consent: 'new' } : metadata;
}

function consentRule(asked: ConsentPolicy | undefined, context: MetadataContext): ConsentPolicy {
  const said = isOperator(context.by) ? (asked ?? 'new') : consentPolicyOf(context.previous?.consent);
  return said === 'never' && !isReviewed(context) ? 'new' : said;
}

/**
 * Public clients must use PKCE. A confidential client may require it, and only an admin may turn that off again.
 * Unreviewed clients need it in browsers all the same (oidc/requests/policy).
 */
export function pkceRule(asked: boolean | undefined, isPublic: boolean, { by, previous }: MetadataContext): boolean {
  if (isPublic || asked === true) return true;
  if (isAdmin(by) && asked === false) return false;
  return previous?.require_pkce === true;
}

/** A client may require it of itself, and only an admin may turn that off again. Only `true` is stored. */
export function mustPush(asked: boolean | undefined, { by, previous }: MetadataContext): boolean {
  if (asked === true || (asked === false && isAdmin(by))) return asked;
  return previous?.require_pushed_authorization_requests === true;
}

/**
 * Whether a loopback redirect URI may have any port (RFC 8252, section 7.3): for public clients; for confidential ones
 * if an admin says so. A stored native client without this member keeps any port.
 */
export function loopbackPorts(
  asked: Members,
  isPublic: boolean,
  { by, previous }: MetadataContext,
): 'any' | 'registered' {
  // An agent's document names no port, whether or not it authenticates.
  if (isPublic || by === 'metadata') return 'any';
  if (isAdmin(by) && asked.loopback_ports !== undefined) return asked.loopback_ports;
  return previous && previous.token_endpoint_auth_method !== 'none' ? storedLoopbackPorts(previous) : 'registered';
}

export function storedLoopbackPorts(metadata: JsonObject): 'any' | 'registered' {
  const { loopback_ports: ports, token_endpoint_auth_method: method, application_type: type } = metadata;
  if (method === 'none' || ports === 'any') return 'any';
  return ports === undefined && type === 'native' ? 'any' : 'registered';
}
