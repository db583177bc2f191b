/**
 * Every check that can refuse a request: its source, its public explanation, and what to do. The code, the metrics, the
 * page `/why` and docs/refusals.md use this list. `says` and `advice` are public, so they contain no values.
 */
import { deviceChecks } from './device-checks.ts';
import { grantChecks } from './grant-checks.ts';
import { proofChecks } from './proof-checks.ts';
import { requestChecks } from './request-checks.ts';

export const checks = { ...requestChecks, ...grantChecks, ...proofChecks, ...deviceChecks };

export type CheckName = keyof typeof checks;

/** The place of a refusal. */
const endpoints = [
  'authorize',
  'par',
  'token',
  'device',
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
  par: 'par',
  token: 'token',
  device: 'device',
  userinfo: 'userinfo',
  logout: 'logout',
  register: 'registration',
};

/** For a path of the protocol: `/oauth/token` -> `token`. Any other path is an authorization. */
export function endpointOfPath(path: string): EndpointName {
  if (path.startsWith('/.well-known/')) return 'discovery';
  if (path === '/device' || path.startsWith('/device/')) return 'device';
  return byPath[path.split('/')[2] ?? ''] ?? 'authorize';
}
