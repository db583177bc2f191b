/**
 * Stores when users and sessions were last seen, and when clients last used a consent. Marks are collected and written
 * together about once a second. A mark that cannot be written is lost; the next request makes another.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createLru } from '../../base/lru.ts';
import type { AccountStore } from '../stores/accounts.ts';
import type { ConsentStore } from '../stores/consents.ts';
import type { EngineStore } from '../stores/engine.ts';
import type { RegistrationStore } from '../stores/registrations.ts';

export interface Activity {
  /** Either may be missing: a sign-in has no session yet, and a program's session has no user. Never waits. */
  seen(subject: string | null, sessionUid?: string): void;
  /** The client got a token. Written with a precision of ten minutes, because this path is the busiest. Never waits. */
  used(subject: string, clientId: string): void;
  /** A client that registered itself got a token. Written with a precision of an hour. Never waits. */
  clientUsed(clientId: string): void;
  /** Writes the remaining marks. */
  close(): Promise<void>;
}

const everyMs = 1000;
/** Marks per write. Further ones are dropped; the next request makes another. */
const marksMax = 10_000;
const usedPrecision = 600;
const clientPrecision = 3600;

export function createActivity(deps: {
  accounts: Pick<AccountStore, 'touch'>;
  engine: Pick<EngineStore, 'touchSessions'>;
  consents: Pick<ConsentStore, 'touch'>;
  registrations: Pick<RegistrationStore, 'touch'>;
  log: Logger;
}): Activity {
  let people = new Map<string, number>();
  let sessions = new Map<string, number>();
  let used = new Map<string, { subject: string; clientId: string; at: number }>();
  let clients = new Map<string, number>();
  const marked = createLru<number>(marksMax);
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    const [seenPeople, seenSessions, nowUsed, usedClients] = [people, sessions, [...used.values()], clients];
    people = new Map();
    sessions = new Map();
    used = new Map();
    clients = new Map();
    try {
      if (seenPeople.size > 0) await deps.accounts.touch(Array.from(seenPeople, ([subject, at]) => ({ subject, at })));
      if (seenSessions.size > 0)
        await deps.engine.touchSessions(Array.from(seenSessions, ([uid, at]) => ({ uid, at })));
      if (nowUsed.length > 0) await deps.consents.touch(nowUsed);
      if (usedClients.size > 0)
        await deps.registrations.touch(Array.from(usedClients, ([clientId, at]) => ({ clientId, at })));
    } catch (err) {
      deps.log.warn(
        { err, lost: seenPeople.size + seenSessions.size + nowUsed.length + usedClients.size },
        'last-seen times could not be written',
      );
    }
  }

  function write(): Promise<void> {
    timer = undefined;
    writing = writing.then(flush);
    return writing;
  }

  return {
    seen(subject, sessionUid) {
      const at = nowSeconds();
      if (subject !== null && people.size < marksMax) people.set(subject, at);
      if (sessionUid !== undefined && sessions.size < marksMax) sessions.set(sessionUid, at);
      timer ??= setTimeout(write, everyMs).unref();
    },
    used(subject, clientId) {
      const at = nowSeconds();
      const key = `${subject} ${clientId}`;
      if ((marked.get(key) ?? 0) > at - usedPrecision || used.size >= marksMax) return;
      marked.set(key, at);
      used.set(key, { subject, clientId, at });
      timer ??= setTimeout(write, everyMs).unref();
    },
    clientUsed(clientId) {
      const at = nowSeconds();
      const key = `client ${clientId}`;
      if ((marked.get(key) ?? 0) > at - clientPrecision || clients.size >= marksMax) return;
      marked.set(key, at);
      clients.set(clientId, at);
      timer ??= setTimeout(write, everyMs).unref();
    },
    close() {
      clearTimeout(timer);
      return write();
    },
  };
}
