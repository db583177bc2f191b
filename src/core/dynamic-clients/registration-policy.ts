/**
 * What a client that registers itself gets of what it asks for. A server may replace or leave out values (RFC 7591,
 * section 3.2.1), so a value beyond the policy is dropped and named, and the client still works. The rest of the
 * request is checked as for all clients (core/clients/metadata/client-metadata).
 *
 * Dropped: scopes and grants beyond the policy, redirect URIs of other hosts and unknown schemes, empty texts, members
 * that only an operator sets.
 * Refused: a fetched address that is not on a public name, a redirect URI that is malformed or would reach a browser's
 * own schemes, and a list that becomes empty.
 */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../base/json.ts';
import { isLoopbackHost } from '../../base/loopback.ts';
import type { InvalidMetadata } from '../clients/metadata/client-metadata.ts';
import { type Granted, isOperatorMember } from '../clients/metadata/client-policy.ts';
import { redirectUriKind } from '../clients/metadata/client-uris.ts';
import { inAscii } from '../clients/metadata/dropped-members.ts';
import { identityScopes } from '../kernel/identity-scopes.ts';
import type { ApiRecord } from '../stores/apis.ts';
import type { RegistrationPolicy } from '../stores/registrations.ts';

/** The settings, and the policy of an initial access token over them. */
export interface AppliedPolicy {
  /** Undefined: every scope that a person can allow. */
  readonly scopes: readonly string[] | undefined;
  /** Undefined: all. */
  readonly redirectHosts: readonly string[] | undefined;
  readonly redirectSchemes: readonly string[];
  readonly grants: readonly string[];
  readonly reviewed: boolean;
}

type PolicySettings = Pick<AppliedPolicy, 'scopes' | 'redirectHosts' | 'redirectSchemes'>;

/** Not `client_credentials`: a client that anyone can register must not act without a person. */
const usualGrants: readonly string[] = ['authorization_code', 'refresh_token'];

export function appliedPolicy(settings: PolicySettings, of: RegistrationPolicy | null): AppliedPolicy {
  const reviewed = of?.reviewed ?? false;
  const scopes = of?.scopes ?? settings.scopes;
  return {
    // The ceiling of the settings holds for all unreviewed clients (core/clients/metadata/scope-ceiling).
    scopes: reviewed ? scopes : scopes?.filter((name) => settings.scopes?.includes(name) !== false),
    redirectHosts: of?.redirectHosts ?? settings.redirectHosts,
    redirectSchemes: [...settings.redirectSchemes, ...(of?.redirectSchemes ?? [])],
    grants: of?.grants ?? usualGrants,
    reviewed,
  };
}

interface Fitted {
  readonly outcome: 'fitted';
  /** For `parseMetadata`. */
  readonly input: object;
  readonly granted: Granted;
  readonly dropped: readonly string[];
}

/** Answers repeat these, and clients send the whole answer back (RFC 7592, section 2.2). They are never metadata. */
const ofTheAnswer: readonly string[] = [
  'client_id',
  'client_secret',
  'client_id_issued_at',
  'client_secret_expires_at',
  'registration_access_token',
  'registration_client_uri',
  'dropped',
];

/**
 * The request as the policy allows it. `asked` is untrusted; `apis` are all APIs of this server. `previous`: the stored
 * metadata, at a change; a client that forgets to say how it authenticates must not become weaker.
 */
export function fitted(
  asked: object,
  policy: AppliedPolicy,
  apis: readonly ApiRecord[],
  previous: JsonObject = {},
): Fitted | InvalidMetadata {
  const dropped: string[] = [];
  // As a map, so that a member named `__proto__` is a member like others.
  const members = new Map<string, unknown>(Object.entries(asked).filter(([name]) => !ofTheAnswer.includes(name)));
  for (const [name, value] of members)
    if (value === '' || (isOperatorMember(name) && value !== null)) {
      members.delete(name);
      // The answer told it, and the client sends the answer back.
      if (!isDeepStrictEqual(value, previous[name])) dropped.push(inAscii(name));
    }
  const refused =
    fetchedMistake(members, policy) ?? fitGrants(members, policy, dropped) ?? fitRedirects(members, policy, dropped);
  if (refused !== undefined) return refused;
  const noScope = fitScopes(members, policy, apis, dropped);
  if (noScope !== undefined) return noScope;
  const { token_endpoint_auth_method: stored = 'client_secret_basic' } = previous;
  const method = members.get('token_endpoint_auth_method') ?? stored;
  members.set('token_endpoint_auth_method', method);
  const usesSecret = method !== 'none' && method !== 'private_key_jwt';
  // The operator vouches for a reviewed client; all others need PKCE (RFC 9700, section 2.1.1).
  if (!policy.reviewed) members.set('require_pkce', true);
  return {
    outcome: 'fitted',
    input: Object.fromEntries(members),
    granted: {
      profile: usesSecret ? 'standard' : 'mcp-client',
      redirectSchemes: [...new Set(policy.redirectSchemes)],
    },
    dropped,
  };
}

type Members = Map<string, unknown>;

/** This server fetches them, or sends messages there. */
const fetched = ['jwks_uri', 'logo_uri', 'sector_identifier_uri', 'backchannel_logout_uri'] as const;

/** A stranger names no address within a network: where a name leads is checked by each fetch (core/outgoing). */
function fetchedMistake(members: Members, { reviewed }: AppliedPolicy): InvalidMetadata | undefined {
  if (reviewed) return undefined;
  for (const name of fetched) {
    const value = members.get(name);
    if (typeof value !== 'string') continue;
    const url = URL.parse(value);
    const host = url?.hostname ?? '';
    const isName = /\.[a-z][a-z0-9-]*$/.test(host) && !isLoopbackHost(host);
    if (url?.protocol !== 'https:' || !isName) return invalid(`${name} must be https on a public host name`);
  }
  return undefined;
}

function fitGrants(members: Members, { grants }: AppliedPolicy, dropped: string[]): InvalidMetadata | undefined {
  const asked = members.get('grant_types');
  if (asked === undefined || asked === null) {
    const defaults = usualGrants.filter((grant) => grants.includes(grant));
    members.set('grant_types', defaults.length > 0 ? defaults : [...grants]);
    return undefined;
  }
  if (!Array.isArray(asked) || asked.length === 0) return undefined;
  const allowed = asked.filter((grant) => typeof grant !== 'string' || grants.includes(grant));
  if (allowed.length === 0)
    return invalid(`grant_types has no value that a client may register for itself: ${grants.join(', ')}`);
  for (const grant of asked) if (!allowed.includes(grant)) dropped.push(`grant_types ${inAscii(String(grant))}`);
  members.set('grant_types', allowed);
  return undefined;
}

function fitScopes(members: Members, policy: AppliedPolicy, apis: readonly ApiRecord[], dropped: string[]) {
  const asked = members.get('scope');
  if (asked !== undefined && asked !== null && typeof asked !== 'string') return undefined;
  const known = new Set([...identityScopes, ...apis.flatMap(({ scopes }) => scopes.map(({ name }) => name))]);
  const isAllowed = (name: string) => (policy.scopes === undefined ? known.has(name) : policy.scopes.includes(name));
  const names = (asked ?? '').split(' ').filter((name) => name !== '');
  for (const name of names) if (!isAllowed(name)) dropped.push(`scope ${inAscii(name)}`);
  const kept = names.filter(isAllowed);
  // Without a scope that it may have, the client gets what others get that name none.
  const registered = kept.length > 0 ? kept : policy.scopes;
  // An empty text would count as none, which means all.
  if (registered?.length === 0) return invalid('scope has no value that this client may have');
  if (registered === undefined) members.delete('scope');
  else members.set('scope', registered.join(' '));
  return undefined;
}

function fitRedirects(members: Members, policy: AppliedPolicy, dropped: string[]): InvalidMetadata | undefined {
  const kinds = new Set<string>();
  for (const member of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    const asked = members.get(member);
    if (!Array.isArray(asked)) continue;
    const kept: unknown[] = [];
    for (const uri of asked) {
      const judged = typeof uri === 'string' ? judge(uri, policy) : ({ verdict: 'kept', kind: '' } as const);
      if (judged.verdict === 'refused') return invalid(`${member} ${judged.reason}`, member === 'redirect_uris');
      if (judged.verdict === 'dropped') dropped.push(`${member} ${inAscii(String(uri))}`);
      else {
        kept.push(uri);
        kinds.add(judged.kind);
      }
    }
    if (member === 'redirect_uris' && asked.length > 0 && kept.length === 0)
      return invalid('redirect_uris has no address that this server allows', true);
    members.set(member, kept);
  }
  fitType(members, kinds);
  return undefined;
}

type Verdict =
  | { readonly verdict: 'kept'; readonly kind: string }
  /** Harmless, but beyond the policy. */
  | { readonly verdict: 'dropped' }
  | { readonly verdict: 'refused'; readonly reason: string };

function judge(uri: string, { redirectHosts, redirectSchemes }: AppliedPolicy): Verdict {
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(uri)?.[1] ?? '';
  const kind = redirectUriKind(uri, { schemes: redirectSchemes });
  if (typeof kind !== 'string') {
    // With all allowances: what is refused even then is malformed, or a scheme that browsers handle.
    const known = redirectUriKind(uri, { insecure: true, schemes: [scheme] });
    return typeof known === 'string' ? { verdict: 'dropped' } : { verdict: 'refused', reason: kind.reason };
  }
  if (redirectHosts === undefined) return { verdict: 'kept', kind };
  const isAllowed =
    kind === 'private-use' ? redirectSchemes.includes(scheme) : redirectHosts.some((host) => isHost(host, uri, kind));
  return isAllowed ? { verdict: 'kept', kind } : { verdict: 'dropped' };
}

function isHost(allowed: string, uri: string, kind: string): boolean {
  if (allowed === 'loopback') return kind.includes('loopback');
  const { hostname } = new URL(uri);
  return allowed.startsWith('*.') ? hostname.endsWith(allowed.slice(1)) : hostname === allowed;
}

/**
 * Older clients send no `application_type`, and some send `web` beside a scheme of their own. Loopback and private-use
 * schemes mean a native application (RFC 8252, section 7).
 */
function fitType(members: Members, kinds: ReadonlySet<string>): void {
  const given = members.get('application_type');
  const isMissing = given === undefined || given === null;
  if (kinds.has('private-use') && (isMissing || given === 'web')) members.set('application_type', 'native');
  else if (isMissing && kinds.size > 0 && [...kinds].every((kind) => kind === 'http-loopback'))
    members.set('application_type', 'native');
}

function invalid(description: string, redirect = false): InvalidMetadata {
  return { outcome: 'invalid', error: redirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', description };
}
