/**
 * Finds the client of an interaction by its id, for pages that a person reaches from a sign-in. Undefined if the id is
 * unknown.
 */
import { digest } from '../../base/secrets.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import type { EngineStore } from '../../core/stores/engine.ts';
import { openInteraction } from '../../oidc/adapter/interactions.ts';
import { formTargets, requestOf } from '../kit/interaction/authorization-request.ts';
import { clientView } from '../kit/interaction/client-view.ts';
import type { ClientView } from '../kit/view-parts.ts';

export function createCameFrom({ engine, clients }: { engine: EngineStore; clients: CachedClients }) {
  return async (
    uid: string,
  ): Promise<{ readonly client: ClientView | undefined; readonly formTargets: readonly string[] } | undefined> => {
    const bundle = await engine.readToken(digest(uid));
    const payload = bundle?.token.kind === 'Interaction' ? openInteraction(bundle, uid) : undefined;
    if (!payload?.params) return undefined;
    const request = requestOf({ params: payload.params });
    return { client: clientView(await clients.find(request.clientId)), formTargets: formTargets(request) };
  };
}
