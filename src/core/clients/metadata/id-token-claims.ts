/** Which claims about the user a client's ID tokens carry; oidc/tokens/claims lists them. */
export const idTokenClaimRules = ['standard', 'all', 'minimal'] as const;
export type IdTokenClaims = (typeof idTokenClaimRules)[number];
