/**
 * The JWTs of this server's own API surfaces, one kind for each (core/tokens/token-kinds): made, and looked at without
 * their session.
 */
import type { JWTPayload } from 'jose';
import { randomToken } from '../../base/secrets.ts';
import type { Keys } from '../keys/keys.ts';
import { signJwt, type VerifiedJwt, verifyJwt } from './jwt.ts';
import { type ApiSessionKind, apiSessionKinds } from './token-kinds.ts';

export interface ApiSessionClaims extends JWTPayload {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  /** The session, or this state of it: new with each refresh. */
  readonly sid: string;
  /** The session's own id, where `sid` is not it. */
  readonly session?: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly claims: ApiSessionClaims;
}

/** Signs a token of this kind; `iss`, `aud` and `jti` are added. */
export function issueToken(
  keys: Keys,
  issuer: string,
  kind: ApiSessionKind,
  claims: { sub: string; sid: string; iat: number; exp: number; [more: string]: string | number },
): IssuedToken {
  const { typ, path } = apiSessionKinds[kind];
  const all: ApiSessionClaims = { iss: issuer, aud: `${issuer}${path}`, ...claims, jti: randomToken(16) };
  return { token: signJwt(keys, typ, all), claims: all };
}

/** The token alone; whether its session holds is another question. */
export async function verifyApiSession(
  keys: Keys,
  issuer: string,
  kind: ApiSessionKind,
  token: string,
): Promise<VerifiedJwt<ApiSessionClaims>> {
  const { typ, path } = apiSessionKinds[kind];
  const verified = await verifyJwt<ApiSessionClaims>(keys, token, {
    issuer,
    audience: `${issuer}${path}`,
    typ,
    requiredClaims: ['sub', 'sid', 'iat', 'exp', 'jti'],
  });
  if (verified.outcome === 'refused') return verified;
  const { sub, sid, session = sid } = verified.claims;
  // What is looked up by them takes text.
  const text = [sub, sid, session].every((claim) => typeof claim === 'string');
  return text ? verified : { outcome: 'refused', reason: 'malformed' };
}
