/** Finds the authorization request of a finished or foreign interaction, so that its page can offer to start again. */

import { digest } from '../../base/secrets.ts';
import type { EngineStore } from '../../core/stores/engine.ts';
import { openInteraction } from '../../oidc/adapter/interactions.ts';
import { plainAddress } from '../../oidc/requests/restart.ts';

/** The address starts a new sign-in. Only the full random id opens the record, so nothing is revealed beyond it. */
export function createStartAgain(engine: EngineStore) {
  return async (uid: string): Promise<string | undefined> => {
    const bundle = await engine.readToken(digest(uid));
    const payload = bundle?.token.kind === 'Interaction' ? openInteraction(bundle, uid) : undefined;
    return (
      payload?.params &&
      plainAddress({ params: payload.params, parJti: payload.parJti, deviceCode: payload.deviceCode })
    );
  };
}
