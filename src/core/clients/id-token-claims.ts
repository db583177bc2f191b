/** Which claims of a person a client's ID tokens carry (oidc/tokens/claims says which those are). */
export const idTokenClaimRules = ['standard', 'all', 'minimal'] as const;
export type IdTokenClaims = (typeof idTokenClaimRules)[number];
