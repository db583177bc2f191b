/** The scopes that belong to no API, as the engine wants them. */
import { identityScopes } from '../core/identity-scopes.ts';

export const engineScopes: readonly string[] = [...identityScopes];
