/**
 * Profiles: one word that sets and enforces a whole set of rules for a client. Its single members may be stricter than
 * the profile, never looser. A client without the member has `standard`, which adds no rule.
 */
import type { JsonObject, JsonValue } from '../../../base/json.ts';

export const profiles = ['standard', 'fapi2', 'mcp-client'] as const;
export type Profile = (typeof profiles)[number];

/** For the signatures of clients and of this server (FAPI 2.0 Security Profile, section 5.4.1). */
export const fapi2Algorithms = ['PS256', 'ES256', 'EdDSA', 'Ed25519'] as const;

export const profileOf = (metadata: JsonObject): Profile =>
  profiles.find((profile) => profile === metadata.profile) ?? 'standard';

interface Registrant {
  /** The origin of the registration or change. */
  readonly by: string;
  /** The stored metadata, at a change. */
  readonly previous?: JsonObject;
  /** What the policy of this server gives a client that registers itself. */
  readonly granted?: { readonly profile?: Profile };
}

/** Clients that registered themselves, without a person or an operator. */
const selfRegistered: ReadonlySet<string> = new Set(['dynamic', 'metadata']);
const operators: ReadonlySet<string> = new Set(['admin', 'cli', 'built-in', 'register']);

/**
 * The profile after a registration or a change. An operator chooses it. Others may only move a client to a stricter
 * profile: from `standard` to another, and from `mcp-client` to `fapi2`. Without the member, a change keeps it.
 */
export function profileRule(asked: Profile | undefined, { by, previous, granted }: Registrant): Profile {
  const stored = previous === undefined ? (granted?.profile ?? firstProfile(by)) : profileOf(previous);
  if (asked === undefined) return stored;
  if (operators.has(by)) return asked;
  return stored === 'standard' || asked === 'fapi2' ? asked : stored;
}

const firstProfile = (by: string): Profile => (selfRegistered.has(by) ? 'mcp-client' : 'standard');

interface Demands {
  /** The value of a member that the request leaves out. */
  readonly sets: JsonObject;
  /** The values that a member may have. */
  readonly allows: Readonly<Record<string, readonly JsonValue[]>>;
}

const demands: Readonly<Record<Profile, Demands>> = {
  standard: { sets: {}, allows: {} },
  // FAPI 2.0 Security Profile, section 5.3.2. Mutual TLS, its other way, is not supported.
  fapi2: {
    sets: {
      token_endpoint_auth_method: 'private_key_jwt',
      require_pkce: true,
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
    },
    allows: {
      token_endpoint_auth_method: ['private_key_jwt'],
      token_endpoint_auth_signing_alg: fapi2Algorithms,
      require_pkce: [true],
      require_pushed_authorization_requests: [true],
      dpop_bound_access_tokens: [true],
      id_token_signed_response_alg: ['ES256'],
      userinfo_signed_response_alg: ['ES256'],
      introspection_signed_response_alg: ['ES256'],
      allow_insecure_redirects: [false],
    },
  },
  'mcp-client': {
    sets: { token_endpoint_auth_method: 'none' },
    allows: { token_endpoint_auth_method: ['none', 'private_key_jwt'] },
  },
};

/**
 * The metadata with what the profile sets. A change to another profile also replaces values that do not fit it and that
 * the change leaves as they were.
 */
export function withProfile<M extends object>(asked: M, profile: Profile, previous?: JsonObject): M {
  const { sets, allows } = demands[profile];
  const moves = previous !== undefined && profileOf(previous) !== profile;
  const isOld = ([member, value]: readonly [string, JsonValue]): boolean =>
    moves && allows[member] !== undefined && value === previous[member] && !allows[member].includes(value);
  const kept = Object.entries(asked).filter(([member, value]) => value !== undefined && !isOld([member, value]));
  return { ...sets, ...Object.fromEntries(kept) } as M;
}

/** The member that contradicts the profile, and what the profile allows, in one sentence. */
export function profileMistake(metadata: object, profile: Profile): string | undefined {
  const values = new Map<string, JsonValue | undefined>(Object.entries(metadata));
  for (const [member, allowed] of Object.entries(demands[profile].allows)) {
    const value = values.get(member);
    if (value !== undefined && !allowed.includes(value))
      return `${member} must be ${allowed.join(' or ')} for profile ${profile}`;
  }
  return undefined;
}
