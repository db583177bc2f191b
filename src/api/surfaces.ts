/** All API surfaces by their names in `SURFACES`. To delete a surface, delete its folder and its line. */

import { createIdentity } from './identity/identity.ts';
import type { Surface, SurfaceDeps } from './kit/surface.ts';
import { createOauthClients } from './oauth-clients/oauth-clients.ts';
import { createSecurityService } from './security-service/security-service.ts';
import { createSpaceGuard } from './space-guard/space-guard.ts';
import { createTinyoauth } from './tinyoauth/tinyoauth.ts';

export const surfaces: Readonly<Record<string, (deps: SurfaceDeps) => Surface>> = {
  'oauth-clients': createOauthClients,
  tinyoauth: createTinyoauth,
  identity: createIdentity,
  'security-service': createSecurityService,
  'space-guard': createSpaceGuard,
};
