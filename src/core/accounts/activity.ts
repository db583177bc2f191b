/**
 * When people and their sessions were last seen, and when applications last used what people have allowed them. Marks are collected and written together about once a second: they are worth
 * one write a person and moment, not one a request. A mark that could not be written is lost; the next request makes another.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createLru } from '../../base/lru.ts';
import type { AccountStore } from '../stores/accounts.ts';
import type { ConsentStore } from '../stores/consents.ts';
import type { EngineStore } from '../stores/engine.ts';

export interface Activity {
  /** Either may be missing: a person without a session (a sign-in), a program's session without a person. Never waits. */
  seen(subject: string | null, sessionUid?: string): void;
  /** The application was given a token. Written to ten minutes' precision: this is the busiest road. Never waits. */
  used(subject: string, clientId: string): void;
  /** Writes what is still to be written. */
  close(): Promise<void>;
}

const everyMs = 1000;
/** Marks of one write: whoever comes beyond them is marked by their next request. */
const marksMax = 10_000;
const usedPrecision = 600;

export function createActivity(deps: {
  accounts: Pick<AccountStore, 'touch'>;
  engine: Pick<EngineStore, 'touchSessions'>;
  consents: Pick<ConsentStore, 'touch'>;
  log: Logger;
}): Activity {
  let people = new Map<string, number>();
  let sessions = new Map<string, number>();
  let used = new Map<string, { subject: string; clientId: string; at: number }>();
  const marked = createLru<number>(marksMax);
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    const [seenPeople, seenSessions, nowUsed] = [people, sessions, [...used.values()]];
    people = new Map();
    sessions = new Map();
    used = new Map();
    try {
      if (seenPeople.size > 0) await deps.accounts.touch(Array.from(seenPeople, ([subject, at]) => ({ subject, at })));
      if (seenSessions.size > 0)
        await deps.engine.touchSessions(Array.from(seenSessions, ([uid, at]) => ({ uid, at })));
      if (nowUsed.length > 0) await deps.consents.touch(nowUsed);
    } catch (err) {
      deps.log.warn(
        { err, lost: seenPeople.size + seenSessions.size + nowUsed.length },
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
    close() {
      clearTimeout(timer);
      return write();
    },
  };
}
