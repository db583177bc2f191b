/**
 * The introspection response (RFC 7662). A client sees its own tokens and those of APIs that name it as introspector.
 */
import type { Apis } from '../apis/apis.ts';
import type { LiveToken } from './live-token.ts';

export type Introspection = { readonly active: boolean; readonly [member: string]: unknown };

const inactive: Introspection = { active: false };

export function introspectionOf(
  token: LiveToken | undefined,
  clientId: string,
  apis: Pick<Apis, 'find'>,
): Introspection {
  if (token === undefined || !mayAsk(token, clientId, apis)) return inactive;
  const { kind, form, claims } = token;
  const { sub, client_id, exp, iat, iss, jti, aud, scope, cnf, gid, ...more } = claims;
  return {
    // The response for an opaque token without a user has no `sub`; the one for a JWT has the claims of the JWT.
    ...((kind !== 'client' || form === 'jwt') && { sub }),
    ...(kind === 'refresh' ? {} : { gid, ...more }),
    active: true,
    client_id,
    exp,
    iat,
    iss,
    jti,
    aud,
    scope,
    cnf,
    ...(kind !== 'refresh' && { token_type: cnf?.jkt === undefined ? 'Bearer' : 'DPoP' }),
  };
}

/** The client's own tokens, and those of an API that names it as introspector (RFC 7662, section 4). */
function mayAsk({ kind, claims: { client_id, aud = [] } }: LiveToken, clientId: string, apis: Pick<Apis, 'find'>) {
  if (client_id === clientId) return true;
  if (kind === 'refresh') return false;
  return [aud].flat().some((api) => apis.find(api)?.introspectors.includes(clientId));
}
