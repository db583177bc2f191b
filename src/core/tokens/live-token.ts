/** A token of OAuth that is good at this moment, whatever its form, and why another is not. */
import type { JWTPayload } from 'jose';
import type { JsonObject } from '../../base/json.ts';
import type { Account } from '../stores/accounts.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { GrantRow } from '../stores/engine.ts';
import type { JwtRefusal } from './jwt.ts';

/** RFC 9068, section 2.2; of an opaque token what a JWT would say. */
export interface AccessTokenClaims extends JWTPayload {
  readonly sub: string;
  readonly client_id: string;
  readonly scope?: string;
  /** The grant it was issued under; absent in a client's own token. */
  readonly gid?: string;
  /** The session that it ends with; absent: it outlives every session. */
  readonly session?: string;
  /** What its holder must prove (RFC 7800); absent: nothing. */
  readonly cnf?: JsonObject;
}

/** A person's access token, a client's own, or a refresh token. */
export type LiveKind = 'person' | 'client' | 'refresh';

export interface LiveToken {
  readonly outcome: 'valid';
  readonly kind: LiveKind;
  readonly form: 'jwt' | 'opaque';
  readonly claims: AccessTokenClaims;
  readonly client: ClientRecord;
  /** Both undefined for a client's own. */
  readonly account: Account | undefined;
  readonly grant: GrantRow | undefined;
  /**
   * What the `claims` parameter asked of userinfo (OpenID Connect Core, section 5.5); undefined: the token does not
   * say.
   */
  readonly requested: JsonObject | undefined;
}

export type TokenRefusal =
  | JwtRefusal
  /** It, or something that it hangs on, was ended, or never was. */
  | 'ended'
  /** It is bound to a key of its holder, and nothing here checks the proof. */
  | 'bound'
  /** At userinfo, without the scope openid. */
  | 'scope';

export type Looked = LiveToken | { readonly outcome: 'refused'; readonly reason: TokenRefusal };

export const refused = (reason: TokenRefusal): Looked => ({ outcome: 'refused', reason });
