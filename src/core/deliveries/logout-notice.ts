/** The facts of a back-channel logout (OpenID Connect Back-Channel Logout 1.0), stored when a session ends. */
import { nowMs } from '../../base/clock.ts';
import type { EndedPart, NewDelivery } from '../stores/deliveries.ts';

export const logoutKind = 'back-channel-logout';

/** Seconds for which deliveries are tried. */
export const tryFor = 86_400;

export interface LogoutFacts {
  readonly sub: string;
  readonly sid: string | null;
}

export function logoutNotice({ clientId, subject, sid }: EndedPart): NewDelivery {
  const dueMs = nowMs();
  const createdAt = Math.floor(dueMs / 1000);
  return {
    kind: logoutKind,
    clientId,
    mergeKey: `${logoutKind} ${clientId} ${sid === null ? `sub ${subject}` : `sid ${sid}`}`,
    facts: { sub: subject, sid },
    createdAt,
    giveUpAt: createdAt + tryFor,
    dueMs,
  };
}
