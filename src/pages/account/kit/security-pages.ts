/** The page to which the forms about signing in lead back. */
export const securityPage = '/account/security';
