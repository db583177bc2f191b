/** When a stored session ends by time. The engine, the tokens that end with a session, and lists share this rule. */
import { nowSeconds } from '../../base/clock.ts';
import type { StoredSession } from '../stores/engine.ts';

/** Seconds. */
export interface SessionLimits {
  /** From the sign-in on; the second if the user did not choose to stay signed in. */
  readonly session: number;
  readonly sessionUnremembered: number;
  /** Without use; 0: no limit. */
  readonly sessionIdle: number;
}

/** The times in a session's payload: the engine's members, and this server's `begunAt`. */
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

/** A browser's session also ends by the current settings; a session of an API ends by its row alone. */
export function isOver(session: StoredSession, limits: SessionLimits): boolean {
  const now = nowSeconds();
  if (session.expiresAt <= now) return true;
  if (session.origin.door !== 'browser') return false;
  const times: Times = JSON.parse(session.payload);
  // An absolute limit: use does not extend a session (the engine alone would let it).
  const since = times.begunAt ?? times.loginTs ?? session.createdAt;
  return since + sessionLifetime(limits, times) <= now || isIdle(session, limits.sessionIdle, times);
}

/** The session has not been used for `idle` seconds; 0: no limit. */
export function isIdle(session: StoredSession, idle: number, times?: Times): boolean {
  if (idle === 0 || session.origin.door !== 'browser') return false;
  const { loginTs = 0, begunAt = loginTs } = times ?? (JSON.parse(session.payload) as Times);
  return Math.max(session.createdAt, session.lastSeenAt ?? 0, begunAt) + idle <= nowSeconds();
}
