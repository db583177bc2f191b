/** What is decided about an application beyond its own word: what only an admin says, and what outlasts a change. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../base/json.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { Members } from './client-members-shape.ts';
import type { RedirectAllowances } from './client-uris.ts';
import { type ConsentPolicy, consentPolicyOf } from './consent-policy.ts';
import { type IdTokenClaims, idTokenClaimRules } from './id-token-claims.ts';

export interface MetadataContext {
  /** Who asks. Only `admin`, `cli` and `built-in` may relax a policy; a `person` may not register a machine. */
  readonly by: ClientRecord['origin'];
  /** At a change: what is stored. */
  readonly previous?: JsonObject;
  /** An operator answers for it. Left out: whatever a person did not make. */
  readonly reviewed?: boolean;
}

const isAdmin = (by: MetadataContext['by']): boolean => by === 'admin' || by === 'cli' || by === 'built-in';

/** `X-Admin-Key` is an operator's too. */
const isOperator = (by: MetadataContext['by']): boolean => isAdmin(by) || by === 'register';

/**
 * How this server's own pages look while a person goes on to the application, which speaks for the server; the second factor
 * its people need, which an application must not be able to weaken; and where codes may be sent beyond the rule.
 */
export function saidByAdmin(asked: Members, context: MetadataContext): JsonObject {
  const { by, previous = {} } = context;
  const said = isAdmin(by) ? asked : previous;
  const members = operatorMembers.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]]));
  return { ...Object.fromEntries(members), consent: consentRule(asked.consent, context) };
}

const operatorMembers = [
  'brand_accent',
  'brand_background',
  'second_factor',
  'allow_insecure_redirects',
  'redirect_schemes',
] as const;

/** Those that were asked for and are not so: what is an operator's, or does not fit this client. What was so before is not asked for. */
export function notTaken(asked: Members, metadata: JsonObject, { previous = {} }: MetadataContext): string[] {
  const names = [...operatorMembers, 'consent', 'loopback_ports', 'require_pkce'] as const;
  return names.filter(
    (name) =>
      asked[name] !== undefined &&
      ![metadata[name], previous[name]].some((value) => isDeepStrictEqual(value, asked[name])),
  );
}

/** Where its redirect URIs may lead beyond the rule. */
export function redirectAllowances(asked: Members, context: MetadataContext): RedirectAllowances {
  const { redirect_schemes: schemes, allow_insecure_redirects: insecure } = saidByAdmin(asked, context);
  return {
    ours: context.by === 'built-in',
    operator: isAdmin(context.by),
    schemes: Array.isArray(schemes) ? schemes.map(String) : [],
    insecure: insecure === true && isReviewed(context),
  };
}

/** Everyone may choose. A change that leaves it out keeps it; a client of a time before this rule has had `minimal`. */
export function idTokenClaimsRule(asked: IdTokenClaims | undefined, { previous }: MetadataContext): IdTokenClaims {
  if (asked !== undefined) return asked;
  if (previous === undefined) return 'standard';
  return idTokenClaimRules.find((rule) => rule === previous.id_token_claims) ?? 'minimal';
}

export const isReviewed = ({ by, reviewed = by !== 'person' }: MetadataContext): boolean => reviewed;

/** The members that are an operator's, taken out of what was asked: `saidByAdmin` decides on them. */
export function withoutAdminMembers(asked: Members): JsonObject {
  const theirs: readonly string[] = [...operatorMembers, 'consent'];
  return Object.fromEntries(Object.entries(asked).filter(([name]) => !theirs.includes(name))) as JsonObject;
}

/** Why an admin's member is refused; undefined: it is not. */
export function adminMemberMistake(asked: Members, context: MetadataContext): string | undefined {
  if (asked.consent !== 'never' || isReviewed(context)) return undefined;
  return 'consent never is for reviewed clients: have an operator review the client first';
}

/** What is left of a client's metadata once its review is taken back. */
export function unreviewedMetadata(metadata: JsonObject): JsonObject {
  return metadata.consent === 'never' ? { ...metadata, consent: 'new' } : metadata;
}

function consentRule(asked: ConsentPolicy | undefined, context: MetadataContext): ConsentPolicy {
  const said = isOperator(context.by) ? (asked ?? 'new') : consentPolicyOf(context.previous?.consent);
  return said === 'never' && !isReviewed(context) ? 'new' : said;
}

/**
 * PKCE is due from every public client. A confidential one may leave it out: anyone may ask for it, and only an admin may drop
 * what a client once had. Unreviewed clients need it in the browser all the same (oidc/requests/policy).
 */
export function pkceRule(asked: boolean | undefined, isPublic: boolean, { by, previous }: MetadataContext): boolean {
  if (isPublic || asked === true) return true;
  if (isAdmin(by) && asked === false) return false;
  return previous?.require_pkce === true;
}

/**
 * Whether a redirect to this machine may name any port (RFC 8252, section 7.3): for public clients; for one that authenticates
 * where an admin says so. A native one from before, which has no such member, keeps any port.
 */
export function loopbackPorts(
  asked: Members,
  isPublic: boolean,
  { by, previous }: MetadataContext,
): 'any' | 'registered' {
  if (isPublic) return 'any';
  if (isAdmin(by) && asked.loopback_ports !== undefined) return asked.loopback_ports;
  return previous && previous.token_endpoint_auth_method !== 'none' ? storedLoopbackPorts(previous) : 'registered';
}

export function storedLoopbackPorts(metadata: JsonObject): 'any' | 'registered' {
  const { loopback_ports: ports, token_endpoint_auth_method: method, application_type: type } = metadata;
  if (method === 'none' || ports === 'any') return 'any';
  return ports === undefined && type === 'native' ? 'any' : 'registered';
}
