/** The message of a back-channel logout (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.5). */
import { nowSeconds } from '../../base/clock.ts';
import { randomToken } from '../../base/secrets.ts';
import type { Keys, SigningAlgorithm } from '../keys/keys.ts';
import { signJwt } from '../tokens/jwt.ts';
import type { DeliveryKind } from './delivery-kind.ts';
import type { LogoutFacts } from './logout-notice.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds. A later attempt gets a new token. */
const lifetime = 120;

/** The token is signed at the time of sending, by the current key and as the client's ID tokens are. */
export function createLogoutMessages({ keys, issuer }: { keys: Keys; issuer: string }): DeliveryKind {
  return ({ clientId, facts }, { metadata }) => {
    const url = metadata.backchannel_logout_uri;
    if (typeof url !== 'string') return { dropped: 'the client has no backchannel_logout_uri any more' };
    const { sub, sid } = facts as unknown as LogoutFacts;
    const iat = nowSeconds();
    const claims = {
      iss: issuer,
      aud: clientId,
      iat,
      exp: iat + lifetime,
      jti: randomToken(16),
      events: { [event]: {} },
      sub,
      ...(sid !== null && { sid }),
    };
    const alg: SigningAlgorithm = metadata.id_token_signed_response_alg === 'ES256' ? 'ES256' : 'RS256';
    return {
      url,
      purpose: 'back-channel logout',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: signJwt(keys, 'logout+jwt', claims, alg) }).toString(),
    };
  };
}
