/**
 * Scopes about a user or about the protocol, which belong to no API (OpenID Connect Core, sections 3.1.2.1, 5.4 and
 * 11). Discovery lists them in this order.
 */
export const identityScopes: ReadonlySet<string> = new Set([
  'openid',
  'offline_access',
  'profile',
  'email',
  'phone',
  'address',
  // Not a standard scope: the names of a user's groups.
  'groups',
]);
