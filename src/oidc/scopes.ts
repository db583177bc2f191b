/** The scopes that belong to no API: the protocol's own and those of a person's claims (OpenID Connect Core, sections 3.1.2.1, 5.4 and 11). */
export const engineScopes: readonly string[] = [
  ...['openid', 'offline_access', 'profile', 'email', 'phone', 'address'],
  // Of this server: the names of a person's groups.
  'groups',
];
