/** An OAuth token that is valid now, in either form, or the reason why it is not. */
import type { JWTPayload } from 'jose';
import type { JsonObject } from '../../base/json.ts';
import type { Account } from '../stores/accounts.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { GrantRow } from '../stores/engine.ts';
import type { ProofFault } from './dpop-proof.ts';
import type { JwtRefusal } from './jwt.ts';

/** RFC 9068, section 2.2. For an opaque token, the claims that a JWT would have. */
export interface AccessTokenClaims extends JWTPayload {
  readonly sub: string;
  readonly client_id: string;
  readonly scope?: string;
  /** The grant under which it was issued; absent for a client's own token. */
  readonly gid?: string;
  /** The session with which it ends; absent if it outlives every session. */
  readonly session?: string;
  /** The key that the holder must prove (RFC 7800); absent for a bearer token. */
  readonly cnf?: JsonObject;
}

/** A user's access token, a client's own, or a refresh token. */
export type LiveKind = 'person' | 'client' | 'refresh';

export interface LiveToken {
  readonly outcome: 'valid';
  readonly kind: LiveKind;
  readonly form: 'jwt' | 'opaque';
  readonly claims: AccessTokenClaims;
  readonly client: ClientRecord;
  /** Undefined for a client's own token, as is `grant`. */
  readonly account: Account | undefined;
  readonly grant: GrantRow | undefined;
  /**
   * What the `claims` parameter requested from userinfo (OpenID Connect Core, section 5.5). Undefined: the token does
   * not contain it.
   */
  readonly requested: JsonObject | undefined;
}

type TokenRefusal =
  | JwtRefusal
  /** The token or something that it depends on was ended, or never existed. */
  | 'ended'
  /** The token is bound to a key, and was sent as a Bearer token. */
  | 'bound'
  /** The token is not bound to a key, and was sent with the scheme DPoP. */
  | 'unbound'
  /** The proof of the key is missing or wrong; `fault` says how. */
  | 'proof'
  /** At userinfo: the scope openid is missing. */
  | 'scope';

export interface RefusedToken {
  readonly outcome: 'refused';
  readonly reason: TokenRefusal;
  /** With the reason `proof`. */
  readonly fault?: ProofFault;
  /** The client of a token that is live but not proven. */
  readonly client?: ClientRecord;
}

export type Looked = LiveToken | RefusedToken;

export const refused = (reason: TokenRefusal): Looked => ({ outcome: 'refused', reason });
