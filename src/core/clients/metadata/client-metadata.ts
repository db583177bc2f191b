/**
 * What an application may say about itself, at registration and at each change. client-policy holds the members that
 * only an admin sets.
 *
 * The order of checks: dropped and unsupported members; the shape of each member (client-members-shape); policy; URIs;
 * keys; combinations; defaults. The first mistake is the response.
 */
import type { JsonObject } from '../../../base/json.ts';
import { keyMistake } from './client-keys.ts';
import { type Members, metadataMembers, offered, shape } from './client-members-shape.ts';
import {
  adminMemberMistake,
  idTokenClaimsRule,
  isReviewed,
  loopbackPorts,
  type MetadataContext,
  mustPush,
  notTaken,
  pkceRule,
  redirectAllowances,
  refreshPolicyMistake,
  saidByAdmin,
  withoutAdminMembers,
} from './client-policy.ts';
import { promiseMistake, promises } from './client-promises.ts';
import { redirectUriKind, uriRules, webUriMistake } from './client-uris.ts';
import { inAscii, shortened } from './dropped-members.ts';
import { profileMistake, profileRule, withProfile } from './profiles.ts';
import { schemeMistake } from './redirect-schemes.ts';

type MetadataOutcome = ValidMetadata | InvalidMetadata;

interface ValidMetadata {
  readonly outcome: 'valid';
  readonly metadata: JsonObject;
  /** Members and values that were sent and are not used: printable ASCII, at most 51. */
  readonly dropped: readonly string[];
}

/** RFC 7591, section 3.2.2. `description` is printable ASCII without quotes and never repeats the input. */
export interface InvalidMetadata {
  readonly outcome: 'invalid';
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
  readonly description: string;
}

/** RFC 6749, section 3.3. */
const scopeList = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
/** The engine's pattern (HTML's definition of an e-mail address). */
const address = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;

/** Checks untrusted input and fills in all defaults, so that a later default changes no stored client. */
export function parseMetadata(input: unknown, context: MetadataContext): MetadataOutcome {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return invalid('the metadata must be a JSON object');
  const sorted = sortMembers(input, context.previous);
  if ('mistake' in sorted) return invalid(sorted.mistake);
  const parsed = shape.safeParse(sorted.given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const member = String(issue?.path[0] ?? 'metadata');
    return invalid(`${member} ${issue?.message ?? 'is not valid'}`, member === 'redirect_uris');
  }
  const asked = parsed.data;
  const mistake = policyMistake(asked, context) ?? uriMistake(asked, context) ?? memberMistake(asked);
  return mistake ?? completeInProfile(asked, context, sorted.dropped);
}

type Sorted =
  | { readonly given: Record<string, unknown>; readonly dropped: string[] }
  /** The member and what is wrong with it, in one sentence. */
  | { readonly mistake: string };

/**
 * Selects the members that are used. Unknown members and values are dropped (RFC 7591, section 2) and named, so that
 * the caller can see them. Members that promise protection are refused. `previous`: the stored metadata, at a change.
 */
function sortMembers(input: object, previous: JsonObject = {}): Sorted {
  const given: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const name of Object.keys(input)) {
    const value: unknown = Reflect.get(input, name);
    // RFC 7592, section 2.2: null means the same as a missing member.
    if (value === undefined || value === null) continue;
    const isPromise = promises.has(name);
    const mistake = isPromise ? promiseMistake(name, value) : undefined;
    // An older version stored such members without effect; the client can still change its other members.
    if (mistake !== undefined && !isStored(previous, name, value)) return { mistake: `${name} ${mistake}` };
    if (metadataMembers.includes(name)) given[name] = value;
    else if (mistake !== undefined || !isPromise) dropped.push(inAscii(name));
  }
  for (const [name, values] of Object.entries(offered)) {
    const asked = given[name];
    if (!Array.isArray(asked)) continue;
    const isOffered = (value: unknown) => typeof value !== 'string' || (values as readonly string[]).includes(value);
    const used = asked.filter(isOffered);
    if (asked.length > 0 && used.length === 0)
      return { mistake: `${name} has no supported value. Supported: ${values.join(', ')}` };
    given[name] = used;
    for (const value of asked) if (!isOffered(value)) dropped.push(`${name} ${inAscii(value)}`);
  }
  if (given.scope === '') {
    // Without scopes, the client would get all of them.
    if (previous.scope !== undefined) return { mistake: 'scope is empty. Name scopes, or remove scope to allow all' };
    delete given.scope;
    dropped.push('scope (it is empty)');
  }
  return { given, dropped: shortened(dropped) };
}

const isStored = (previous: JsonObject, name: string, value: unknown): boolean =>
  Object.hasOwn(previous, name) && JSON.stringify(previous[name]) === JSON.stringify(value);

function policyMistake(asked: Members, context: MetadataContext): InvalidMetadata | undefined {
  const { redirect_schemes: schemes, allow_insecure_redirects: insecure } = saidByAdmin(asked, context);
  const mistake = Array.isArray(schemes) ? schemes.map(String).map(schemeMistake).find(Boolean) : undefined;
  if (mistake !== undefined) return invalid(`redirect_schemes ${mistake}`);
  if (insecure === true && asked.allow_insecure_redirects === true && !isReviewed(context))
    return invalid('allow_insecure_redirects needs a reviewed client');
  const refused = adminMemberMistake(asked, context);
  return refused === undefined ? undefined : invalid(refused);
}

function uriMistake(asked: Members, context: MetadataContext): InvalidMetadata | undefined {
  const allowed = redirectAllowances(asked, context);
  for (const member of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    for (const uri of asked[member] ?? []) {
      const kind = redirectUriKind(uri, allowed);
      if (typeof kind !== 'string') return invalid(`${member} ${kind.reason}`, member === 'redirect_uris');
    }
  }
  for (const member of Object.keys(uriRules) as (keyof typeof uriRules)[]) {
    const uri = asked[member];
    const mistake = uri === undefined ? undefined : webUriMistake(uri, uriRules[member]);
    if (mistake) return invalid(`${member} ${mistake}`);
  }
  return undefined;
}

function memberMistake(asked: Members): InvalidMetadata | undefined {
  if (asked.scope !== undefined && !scopeList.test(asked.scope))
    return invalid('scope must be scope names with one space between them');
  if (asked.contacts?.some((contact) => !address.test(contact))) return invalid('contacts must be e-mail addresses');
  if (asked.backchannel_logout_session_required && asked.backchannel_logout_uri === undefined)
    return invalid('backchannel_logout_session_required needs backchannel_logout_uri');
  if (asked.jwks && asked.jwks_uri) return invalid('jwks and jwks_uri must not be used together');
  const mistake = asked.jwks?.keys.map(keyMistake).find((found) => found !== undefined);
  return mistake === undefined ? undefined : invalid(`jwks ${mistake}`);
}

/** A profile sets what the request leaves out, and refuses what contradicts it. */
function completeInProfile(given: Members, context: MetadataContext, dropped: readonly string[]): MetadataOutcome {
  const { profile: asked, ...members } = given;
  const profile = profileRule(asked, context);
  const { require_pushed_authorization_requests: pushes, ...more } = withProfile(members, profile, context.previous);
  const mistake = profileMistake({ ...more, require_pushed_authorization_requests: pushes }, profile);
  if (mistake !== undefined) return invalid(mistake);
  const made = complete(more, context, dropped);
  if (made.outcome === 'invalid') return made;
  const metadata: JsonObject = {
    ...made.metadata,
    ...(mustPush(pushes, context) && { require_pushed_authorization_requests: true }),
    ...(profile !== 'standard' && { profile }),
  };
  const unused = asked === undefined || asked === profile ? [] : ['profile'];
  if (pushes === false && metadata.require_pushed_authorization_requests === true)
    unused.push('require_pushed_authorization_requests');
  return { outcome: 'valid', metadata, dropped: [...made.dropped, ...unused] };
}

function complete(asked: Members, context: MetadataContext, dropped: readonly string[]): MetadataOutcome {
  const grants = unique(asked.grant_types ?? ['authorization_code', 'refresh_token']);
  const codeGrant = grants.includes('authorization_code');
  const responses = unique(asked.response_types ?? (codeGrant ? ['code'] : []));
  const redirectUris = asked.redirect_uris ?? [];
  const logoutUris = asked.post_logout_redirect_uris ?? [];
  const method = asked.token_endpoint_auth_method ?? 'client_secret_basic';

  const unfit = grantsMistake({ grants, responses, redirectUris, method }, context);
  if (unfit !== undefined) return unfit;
  const mistake = adminMemberMistake(asked, context) ?? refreshPolicyMistake(asked, method === 'none', context);
  if (mistake !== undefined) return invalid(mistake);
  const hasKeys = asked.jwks !== undefined || asked.jwks_uri !== undefined;
  if (method === 'private_key_jwt' && !hasKeys) return invalid('private_key_jwt needs jwks or jwks_uri');
  if (asked.token_endpoint_auth_signing_alg && method !== 'private_key_jwt') {
    return invalid('token_endpoint_auth_signing_alg needs private_key_jwt');
  }

  // RFC 8252: a private-use scheme means a native application, whose https URIs are claimed, never loopback.
  const allowed = redirectAllowances(asked, context);
  const kinds = [...redirectUris, ...logoutUris].map((uri) => redirectUriKind(uri, allowed));
  const privateUse = kinds.includes('private-use');
  const type = asked.application_type ?? (privateUse ? 'native' : 'web');
  if (privateUse && type === 'web')
    return invalid('redirect_uris with a private-use scheme need application_type native', true);
  if (type === 'native' && kinds.includes('https-loopback')) {
    return invalid('redirect_uris of a native application must not be https on loopback', true);
  }

  // The engine has native and web clients, and allows http on other host names for web clients only.
  if (privateUse && (kinds.includes('http-loopback-name') || kinds.includes('http-elsewhere')))
    return invalid('redirect_uris must not combine a private-use scheme with http on a host name', true);

  const isPublic = method === 'none';
  const metadata: JsonObject = {
    ...withoutAdminMembers(asked),
    ...saidByAdmin(asked, context),
    ...unprotectedAt(context.previous),
    redirect_uris: redirectUris,
    post_logout_redirect_uris: logoutUris,
    application_type: type,
    grant_types: grants,
    response_types: responses,
    token_endpoint_auth_method: method,
    subject_type: asked.subject_type ?? 'public',
    id_token_signed_response_alg: asked.id_token_signed_response_alg ?? 'RS256',
    id_token_claims: idTokenClaimsRule(asked.id_token_claims, context),
    require_pkce: pkceRule(asked.require_pkce, isPublic, context),
    loopback_ports: loopbackPorts(asked, isPublic, context),
  };
  if (asked.scope !== undefined) metadata.scope = unique(asked.scope.split(' ')).join(' ');
  return { outcome: 'valid', metadata, dropped: [...dropped, ...notTaken(asked, metadata, context)] };
}

interface Grants {
  readonly grants: readonly string[];
  readonly responses: readonly string[];
  readonly redirectUris: readonly string[];
  readonly method: string;
}

function grantsMistake({ grants, responses, redirectUris, method }: Grants, { by }: MetadataContext) {
  const codeGrant = grants.includes('authorization_code');
  // RFC 7591, section 2.1: the two lists must agree.
  if (codeGrant !== responses.includes('code')) return invalid('grant_types and response_types do not fit together');
  if (codeGrant && redirectUris.length === 0) return invalid('redirect_uris must have at least one member', true);
  if (grants.length === 1 && grants[0] === 'refresh_token') return invalid('refresh_token needs another grant type');
  if (!grants.includes('client_credentials')) return undefined;
  // RFC 6749, section 4.4: for confidential clients only. Users cannot register clients that act without a user.
  if (method === 'none') return invalid('client_credentials needs a client that authenticates');
  return by === 'person' ? invalid('client_credentials is not available here') : undefined;
}

/** core/clients/unprotected stores this note in the metadata. No request can set it, and other changes keep it. */
function unprotectedAt({ unprotected_at: at }: JsonObject = {}): { unprotected_at?: number } {
  return typeof at === 'number' ? { unprotected_at: at } : {};
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function invalid(description: string, redirect = false): InvalidMetadata {
  return { outcome: 'invalid', error: redirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', description };
}
