/** When a stored session is over by itself. One rule for the engine, for tokens that end with it, and for lists. */
import { nowSeconds } from '../../base/clock.ts';
import type { StoredSession } from '../stores/engine.ts';

/** Seconds. */
export interface SessionLimits {
  /** From the sign-in on: where the person chose to be remembered, and where not. */
  readonly session: number;
  readonly sessionUnremembered: number;
  /** Without being used; 0: it does not matter. */
  readonly sessionIdle: number;
}

/** What a stored session says of its own times: the engine's members, and `begunAt` of this server's. */
interface Times {
  readonly loginTs?: number;
  readonly begunAt?: number;
  readonly transient?: boolean;
}

/** Seconds from the sign-in on. */
export function sessionLifetime(
  { session, sessionUnremembered }: Pick<SessionLimits, 'session' | 'sessionUnremembered'>,
  { transient }: { readonly transient?: boolean | undefined },
): number {
  return transient ? sessionUnremembered : session;
}

/** A browser's session also ends by the settings of now; one begun through an API by its row alone. */
export function isOver(session: StoredSession, limits: SessionLimits): boolean {
  const now = nowSeconds();
  if (session.expiresAt <= now) return true;
  if (session.origin.door !== 'browser') return false;
  const times: Times = JSON.parse(session.payload);
  // Absolute: using a session does not make it longer (the engine alone would let it roll on).
  const since = times.begunAt ?? times.loginTs ?? session.createdAt;
  return since + sessionLifetime(limits, times) <= now || isIdle(session, limits.sessionIdle, times);
}

/** Not used for so long that it has ended, whatever its row says. `idle`: seconds; 0: it does not matter. */
export function isIdle(session: StoredSession, idle: number, times?: Times): boolean {
  if (idle === 0 || session.origin.door !== 'browser') return false;
  const { loginTs = 0, begunAt = loginTs } = times ?? (JSON.parse(session.payload) as Times);
  return Math.max(session.createdAt, session.lastSeenAt ?? 0, begunAt) + idle <= nowSeconds();
}
