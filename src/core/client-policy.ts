/** What is decided about an application beyond its own word: what only an admin says, and what outlasts a change. */
import type { JsonObject } from '../base/json.ts';
import type { Members } from './client-members-shape.ts';
import { type IdTokenClaims, idTokenClaimRules } from './id-token-claims.ts';
import type { ClientRecord } from './stores/clients.ts';

export interface MetadataContext {
  /** Who asks. Only `admin`, `cli` and `built-in` may relax a policy; a `person` may not register a machine. */
  readonly by: ClientRecord['origin'];
  /** At a change: what is stored. */
  readonly previous?: JsonObject;
}

const isAdmin = (by: MetadataContext['by']): boolean => by === 'admin' || by === 'cli' || by === 'built-in';

/**
 * How this server's own pages look while somebody goes on to the application, which speaks for the server; and the second factor
 * its people need, which whoever registered it must not be able to weaken.
 */
export function saidByAdmin(asked: Members, { by, previous = {} }: MetadataContext): JsonObject {
  const {
    brand_accent: accent,
    brand_background: background,
    second_factor: secondFactor,
  } = isAdmin(by) ? asked : previous;
  return {
    ...(accent !== undefined && { brand_accent: accent }),
    ...(background !== undefined && { brand_background: background }),
    ...(secondFactor !== undefined && { second_factor: secondFactor }),
  };
}

/** Everyone may choose. A change that leaves it out keeps it; a client of a time before this rule has had `minimal`. */
export function idTokenClaimsRule(asked: IdTokenClaims | undefined, { previous }: MetadataContext): IdTokenClaims {
  if (asked !== undefined) return asked;
  if (previous === undefined) return 'standard';
  return idTokenClaimRules.find((rule) => rule === previous.id_token_claims) ?? 'minimal';
}

/**
 * PKCE is due from every public client, and from a confidential one unless an admin has said otherwise. Programs made by
 * `POST /clients/register` or by a person may leave it out, as they always did. Anybody may ask for it; only an admin may drop it.
 */
export function pkceRule(asked: boolean | undefined, isPublic: boolean, { by, previous }: MetadataContext): boolean {
  if (isPublic || asked === true) return true;
  const strict = isAdmin(by);
  if (strict && asked === false) return false;
  if (typeof previous?.require_pkce === 'boolean') return previous.require_pkce;
  return strict;
}
