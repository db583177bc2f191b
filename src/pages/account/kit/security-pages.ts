/** The page to which the forms about signing in lead back. */
export const securityPage = '/account/security';
/** The page that shows recovery codes and asks for one of them. */
export const codesPage = '/account/factors/codes';
