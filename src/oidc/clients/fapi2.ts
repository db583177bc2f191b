/**
 * What the profile `fapi2` enforces at each request (FAPI 2.0 Security Profile, section 5.3.2), beyond the members that
 * it sets (core/clients/metadata/profiles). Everything else of that profile holds for all clients: `iss` in the
 * response, S256 alone, codes for one use, redirects by 303, and no rotation for clients that authenticate.
 */
import { type Client, errors } from 'oidc-provider';
import { fapi2Algorithms, profileOf } from '../../core/clients/metadata/profiles.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';

const isFapi2 = (client: Client | undefined): boolean =>
  client !== undefined && profileOf({ profile: String(client.profile) }) === 'fapi2';

/** The engine's feature. It demands `redirect_uri` of such a client. */
export const fapiFeature = {
  enabled: true,
  profile: (_ctx: unknown, client: Client) => (isFapi2(client) ? '2.0' : undefined),
} as const;

const longestCode = 60;

/** Of an authorization code, in seconds. */
export function codeLifetime(configured: number, client: Client | undefined): number {
  return isFapi2(client) ? Math.min(configured, longestCode) : configured;
}

/** Throws `invalid_client`. The profile knows one audience, as a string, and no RSA of PKCS #1. */
export function checkFapiAssertion(
  client: Client,
  issuer: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
): void {
  if (!isFapi2(client)) return;
  if (claims.aud !== issuer) throw new errors.InvalidClientAuth('aud must be the issuer, as one string');
  if (!fapi2Algorithms.some((alg) => alg === header.alg))
    throw new errors.InvalidClientAuth(`alg must be one of ${fapi2Algorithms.join(', ')}`);
}

/** Throws `invalid_target`: the tokens of this API would have a signature that the profile does not allow. */
export function checkFapiApi(client: Client, api: Pick<ApiRecord, 'tokenFormat' | 'signingAlg'>): void {
  if (isFapi2(client) && api.tokenFormat === 'jwt' && api.signingAlg === 'RS256')
    throw new errors.InvalidTarget('this API signs with RS256, which the profile fapi2 forbids');
}
