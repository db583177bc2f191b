/**
 * Profiles: one word that sets and enforces a whole set of rules for a client. Its single members may be stricter than
 * the profile, never looser. A client without the member has `standard`, which adds no rule.
 */
import type { JsonObject, JsonValue } from '../../base/json.ts';

const profiles = ['standard', 'fapi2', 'mcp-client'] as const;
export type Profile = (typeof profiles)[number];

/** Those that a client can have today. */
export const offeredProfiles = ['standard', 'mcp-client'] as const satisfies readonly Profile[];
export const profileReasons = { fapi2: 'fapi2 is not supported yet: use standard' };

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
 * The profile after a registration or a change. An operator chooses it. Others may only move a `standard` client to a
 * stricter profile. Without the member, a change keeps the profile.
 */
export function profileRule(asked: Profile | undefined, { by, previous, granted }: Registrant): Profile {
  const stored = previous === undefined ? (granted?.profile ?? firstProfile(by)) : profileOf(previous);
  if (asked === undefined) return stored;
  if (operators.has(by)) return asked;
  return stored === 'standard' ? asked : stored;
}

const firstProfile = (by: string): Profile => (selfRegistered.has(by) ? 'mcp-client' : 'standard');

/** What a profile demands of one member: the values that it allows. The first is the default of the profile. */
type Demands = Readonly<Record<string, readonly JsonValue[]>>;

const demands: Readonly<Record<Profile, Demands>> = {
  standard: {},
  fapi2: {},
  'mcp-client': { token_endpoint_auth_method: ['none', 'private_key_jwt'] },
};

/** The metadata with the members that the profile sets where the request leaves them out. */
export function withProfile<M extends object>(asked: M, profile: Profile): M {
  const set = Object.entries(demands[profile]).map(([member, [first]]) => [member, first]);
  return { ...Object.fromEntries(set), ...asked };
}

/** The member that contradicts the profile, and what the profile allows, in one sentence. */
export function profileMistake(metadata: JsonObject, profile: Profile): string | undefined {
  for (const [member, allowed] of Object.entries(demands[profile])) {
    const value = metadata[member];
    if (value !== undefined && !allowed.includes(value))
      return `${member} must be ${allowed.join(' or ')} for profile ${profile}`;
  }
  return undefined;
}
