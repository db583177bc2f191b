/** Tokens that end with the session in which they were issued: JWTs and opaque ones. */
import { isOver, type SessionLimits } from '../sessions/session-limits.ts';
import type { StoredSession } from '../stores/engine.ts';

export interface HeldSessionDeps {
  readonly sessionLimits: SessionLimits;
  /** A session has just been used. */
  readonly seen: (subject: string, sessionUid: string) => void;
}

/** The ids that the token holds beside its session; null: none. */
interface Holder {
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly grantId: string | null;
}

/** Returns true if the session is live, belongs to this subject, and has this grant of this client. */
export function sessionHolds(session: StoredSession | undefined, of: Holder, deps: HeldSessionDeps): boolean {
  const { subject, clientId, grantId } = of;
  if (!session || session.subject !== subject || isOver(session, deps.sessionLimits)) return false;
  if (clientId === null || session.grants[clientId] !== grantId) return false;
  // An application that uses a token of this session uses the session too.
  if (subject !== null && deps.sessionLimits.sessionIdle > 0) deps.seen(subject, session.uid);
  return true;
}
