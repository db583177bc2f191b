/** The mistake in a client assertion (RFC 7523). Reads it without verification, and shows single members only. */
import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { nowSeconds } from '../../base/clock.ts';
import { fapi2Algorithms } from '../../core/clients/metadata/profiles.ts';
import { shapeOf, shown } from '../../core/refusals/shown.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Facts } from './recorded.ts';

/** `said`: the engine's text. `issuer`: the audience that is accepted. */
export function assertionFacts(
  assertion: unknown,
  client: ClientRecord | undefined,
  issuer: string,
  said: string | undefined,
): Facts {
  const read = typeof assertion === 'string' ? decode(assertion) : undefined;
  if (!read) return { expected: 'a signed JWT', received: shapeOf(assertion) };
  const { claims, header } = read;
  const now = nowSeconds();
  if (said?.includes('aud'))
    return { expected: issuer, received: `aud ${shown(claims.aud ?? 'nothing')}`, nearest: issuer };
  if (said?.includes('iss') || said?.includes('sub')) {
    return {
      expected: `iss and sub ${client?.id ?? 'the client_id'}`,
      received: `iss ${shown(claims.iss ?? 'nothing')}, sub ${shown(claims.sub ?? 'nothing')}`,
    };
  }
  if (said?.includes('only be used once'))
    return { expected: 'a jti that was never used', received: 'a jti that was used before' };
  if (said?.startsWith('alg must'))
    return { expected: fapi2Algorithms.join(', '), received: `alg ${shown(header.alg ?? 'nothing')}` };
  const { exp, iat, nbf } = claims;
  if (typeof exp === 'number' && exp < now)
    return { expected: 'exp in the future', received: `expired ${now - exp} seconds ago` };
  if (typeof exp === 'number' && exp > now + 600)
    return { expected: 'exp at most 600 seconds ahead', received: `exp ${exp - now} seconds ahead` };
  const ahead = Math.max(iat ?? 0, nbf ?? 0) - now;
  if (ahead > 0) {
    return {
      expected: 'iat and nbf not in the future',
      received: `${ahead} seconds ahead`,
      advice: `Set the clock: it is ${ahead} seconds fast.`,
    };
  }
  const kids = kidsOf(client);
  if (kids.length > 0 && header.kid !== undefined && !kids.includes(header.kid)) {
    return { expected: `kid ${kids.slice(0, 10).join(', ')}`, received: `kid ${shown(header.kid)}` };
  }
  return {
    expected: 'a signature of a registered key',
    received: `alg ${shown(header.alg ?? 'nothing')}, kid ${shown(header.kid ?? 'nothing')}`,
  };
}

function decode(assertion: string): { claims: JWTPayload; header: ProtectedHeaderParameters } | undefined {
  try {
    return { claims: decodeJwt(assertion), header: decodeProtectedHeader(assertion) };
  } catch {
    return undefined;
  }
}

function kidsOf(client: ClientRecord | undefined): string[] {
  const jwks = client?.metadata.jwks as { keys?: readonly { kid?: unknown }[] } | undefined;
  return (jwks?.keys ?? []).flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []));
}
