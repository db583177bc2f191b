/**
 * The JWTs of this server's API surfaces, one kind for each (core/tokens/token-kinds). They are issued and verified
 * here, without their session.
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
  /** The session, or a value that changes with each refresh. */
  readonly sid: string;
  /** The session's id, if `sid` is another value. */
  readonly session?: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly claims: ApiSessionClaims;
}

/** Signs a token of this kind, and adds `iss`, `aud` and `jti`. */
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

/** Verifies the token only. The caller checks its session. */
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
  // These claims are used as keys, so they must be strings.
  const text = [sub, sid, session].every((claim) => typeof claim === 'string');
  return text ? verified : { outcome: 'refused', reason: 'malformed' };
}
