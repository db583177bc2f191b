/** What this server answers itself: a route over one of these would hide it, one beneath it would hide a part of it. */
export const ownPaths: readonly string[] = [
  '/.well-known',
  '/account',
  '/admin',
  '/authorize',
  '/brand',
  '/client',
  '/clients',
  '/dev/security',
  '/docs',
  '/favicon.ico',
  '/gallery',
  '/gateway',
  '/healthz',
  '/interaction',
  '/internal',
  '/language',
  '/login',
  '/mail',
  '/metrics',
  '/oauth',
  '/openapi',
  '/openapi.json',
  '/playground',
  '/public',
  '/qa/security',
  '/readyz',
  '/register',
  '/security',
  '/setup',
  '/sign-up',
  '/space-guard',
  '/staging/security',
  '/token',
  '/upstream',
  '/user',
  '/v1',
];

/** The path of this server that a prefix would get in the way of. */
export function ownPathAt(prefix: string): string | undefined {
  const folded = `${prefix.toLowerCase()}/`;
  return ownPaths.find((own) => folded.startsWith(`${own}/`) || `${own}/`.startsWith(folded));
}
