/** The API surfaces, one line each. They can be switched off by `SURFACES`, or deleted with their folder. */
import type { Surface, SurfaceDeps } from '../http/surface.ts';
import { createOauthClients } from './oauth-clients/oauth-clients.ts';

export const surfaces: readonly ((deps: SurfaceDeps) => Surface)[] = [createOauthClients];
