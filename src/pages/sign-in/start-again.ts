/** Finds the request behind a finished or foreign interaction link, so that its page can offer to start again. */

import { digest } from '../../base/secrets.ts';
import type { EngineStore } from '../../core/stores/engine.ts';
import { openInteraction } from '../../oidc/adapter/interactions.ts';
import { restartAddress } from '../kit/interaction/authorization-request.ts';

/**
 * The address is the application's own request from its beginning; whoever opens it signs in anew. It gives away nothing that
 * the link itself did not, since only its full, random value opens the record.
 */
export function createStartAgain(engine: EngineStore) {
  return async (uid: string): Promise<string | undefined> => {
    const bundle = await engine.readToken(digest(uid));
    const payload = bundle?.token.kind === 'Interaction' ? openInteraction(bundle, uid) : undefined;
    return payload?.params && restartAddress(payload.params);
  };
}
