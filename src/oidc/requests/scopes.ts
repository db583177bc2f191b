/** The scopes that belong to no API, as the engine wants them. */
import { identityScopes } from '../../core/kernel/identity-scopes.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';

export const engineScopes: readonly string[] = [...identityScopes];

/** These, and every scope that an API has. */
export function knownScopes(apis: readonly Pick<ApiRecord, 'scopes'>[]): ReadonlySet<string> {
  return new Set([...engineScopes, ...apis.flatMap(({ scopes }) => scopes.map(({ name }) => name))]);
}
