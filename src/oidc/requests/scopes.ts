/** The scopes that belong to no API, in the engine's form. */
import { identityScopes } from '../../core/kernel/identity-scopes.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';

export const engineScopes: readonly string[] = [...identityScopes];

/** These scopes, and all scopes of the APIs. */
export function knownScopes(apis: readonly Pick<ApiRecord, 'scopes'>[]): ReadonlySet<string> {
  return new Set([...engineScopes, ...apis.flatMap(({ scopes }) => scopes.map(({ name }) => name))]);
}
