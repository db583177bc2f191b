/**
 * The start page of the account: how well it is protected, what happened last, where it is signed in, which
 * applications it is connected to.
 */
import { displayName } from '../../core/kernel/names.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { AccountDeps } from './deps.ts';
import { type Advice, adviceFor, type Protection } from './kit/advice.ts';
import { clientNames } from './kit/client-names.ts';
import { type ConnectionView, connectionView } from './kit/connection-view.ts';
import { type EventView, eventView } from './kit/event-view.ts';
import { byUse, type SessionView, sessionView } from './kit/session-view.ts';
import type { AccountLocals } from './visit.ts';
import { type Show, showPage } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    account: AccountLocals & {
      readonly account: {
        /** How the page greets the person. */
        readonly name: string;
        readonly email?: string | undefined;
        readonly verified: boolean;
        readonly createdAt: number;
        readonly lastSeenAt?: number | undefined;
      };
      readonly advice: Advice;
      readonly events: readonly EventView[];
      readonly sessions: readonly SessionView[];
      readonly connections: readonly ConnectionView[];
      /** How many there are; at most `countMax` sessions are counted. */
      readonly counts: { readonly sessions: number; readonly connections: number };
    };
  }
}

/** The limit for counting sessions; beyond it the page shows "or more". */
const countMax = 100;
const shownOfEach = 3;

export function createOverview(deps: AccountDeps): Show {
  const adds = deps.passkeys.offered ? 'passkey' : deps.factors.enrols.length > 0 ? 'app' : undefined;

  /** Reads storage only if recovery codes are needed: a session without a password asks for none. */
  async function protection(account: Account): Promise<Protection> {
    const { subject, passwordHash, twoFactor, email, verified } = account;
    const hasPassword = passwordHash !== null;
    const needed = hasPassword && twoFactor;
    const codes = needed ? await deps.factors.list(subject) : undefined;
    const address = email === null ? 'none' : verified ? 'verified' : 'unverified';
    return {
      hasPassword,
      twoFactor,
      codesLeft: codes?.recoveryCodesLeft,
      codesSaved: codes?.recoveryCodesSaved ?? true,
      email: deps.mails.work ? address : undefined,
      adds,
    };
  }

  return async (visit) => {
    const { account, session } = visit;
    const { subject } = account;
    const [protectedBy, events, sessions, connections] = await Promise.all([
      protection(account),
      deps.stores.audit.list({ subject }, shownOfEach),
      deps.sessions.list(subject, { limit: countMax }),
      deps.connections.list(subject),
    ]);
    const nameOf = clientNames(deps);
    const [shownEvents, shownConnections] = await Promise.all([
      Promise.all(events.map((event) => eventView(event, nameOf))),
      Promise.all(connections.slice(0, shownOfEach).map((each) => connectionView(deps, each, 'overview'))),
    ]);
    return showPage(deps, visit, 'account', {
      account: {
        name: account.firstName || displayName(account),
        email: account.email ?? undefined,
        verified: account.verified,
        createdAt: account.createdAt,
        lastSeenAt: account.lastSeenAt ?? undefined,
      },
      advice: adviceFor(protectedBy),
      events: shownEvents,
      sessions: sessions
        .map((each) => sessionView(each, session.uid, 'overview'))
        .sort(byUse)
        .slice(0, shownOfEach),
      connections: shownConnections,
      counts: { sessions: sessions.length, connections: connections.length },
    });
  };
}
