/**
 * Every check that can refuse a request, once: where the rule is written, what it says in public, and what to do. Code, metrics,
 * the page `/why` and docs/refusals.md read this list. `says` and `advice` may be shown to anyone: they name no value.
 */
import { grantChecks } from './grant-checks.ts';
import { requestChecks } from './request-checks.ts';

export const checks = { ...requestChecks, ...grantChecks };

export type CheckName = keyof typeof checks;

/** Where a request was refused. */
export const endpoints = [
  'authorize',
  'token',
  'userinfo',
  'introspection',
  'revocation',
  'logout',
  'registration',
  'discovery',
  'page',
  'gateway',
  'oauth-clients',
  'identity',
  'security-service',
  'tinyoauth',
  'space-guard',
  'operations',
] as const;

export type EndpointName = (typeof endpoints)[number];

const byPath: Readonly<Record<string, EndpointName>> = {
  introspect: 'introspection',
  revoke: 'revocation',
  jwks: 'discovery',
  token: 'token',
  userinfo: 'userinfo',
  logout: 'logout',
  register: 'registration',
};

/** Of a path of the protocol: `/oauth/token` -> `token`. What is none of the others is an authorization. */
export function endpointOfPath(path: string): EndpointName {
  if (path.startsWith('/.well-known/')) return 'discovery';
  return byPath[path.split('/')[2] ?? ''] ?? 'authorize';
}
