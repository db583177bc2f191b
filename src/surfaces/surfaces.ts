/** The API surfaces, one line each. They can be switched off by `SURFACES`, or deleted with their folder. */
import type { Surface, SurfaceDeps } from '../http/surface.ts';
import { createIdentity } from './identity/identity.ts';
import { createOauthClients } from './oauth-clients/oauth-clients.ts';
import { createSecurityService } from './security-service/security-service.ts';
import { createSpaceGuard } from './space-guard/space-guard.ts';
import { createTinyoauth } from './tinyoauth/tinyoauth.ts';

export const surfaces: readonly ((deps: SurfaceDeps) => Surface)[] = [
  createOauthClients,
  createTinyoauth,
  createIdentity,
  createSecurityService,
  createSpaceGuard,
];
