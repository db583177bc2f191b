/**
 * Scopes that speak of a person or of the protocol, and so belong to no API (OpenID Connect Core, sections 3.1.2.1, 5.4
 * and 11). Discovery names them in this order.
 */
export const identityScopes: ReadonlySet<string> = new Set([
  ...['openid', 'offline_access', 'profile', 'email', 'phone', 'address'],
  // Of this server: the names of a person's groups.
  'groups',
]);
