/** Tokens that end with the session they were made in, of either form. */
import { isOver, type SessionLimits } from '../sessions/session-limits.ts';
import type { StoredSession } from '../stores/engine.ts';

export interface HeldSessionDeps {
  readonly sessionLimits: SessionLimits;
  /** A person's session has just been used. */
  readonly seen: (subject: string, sessionUid: string) => void;
}

/** What the token names beside its session; null: nothing. */
interface Holder {
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly grantId: string | null;
}

/** Whether the session is there, is this person's, and has this grant of this client. */
export function sessionHolds(session: StoredSession | undefined, of: Holder, deps: HeldSessionDeps): boolean {
  const { subject, clientId, grantId } = of;
  if (!session || session.subject !== subject || isOver(session, deps.sessionLimits)) return false;
  if (clientId === null || session.grants[clientId] !== grantId) return false;
  // An application that goes on with what hangs on this session uses it, too.
  if (subject !== null && deps.sessionLimits.sessionIdle > 0) deps.seen(subject, session.uid);
  return true;
}
