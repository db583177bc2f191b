/**
 * Records which clients use neither PKCE nor a nonce: if a stolen code is injected into another session, they do not
 * notice (RFC 9700, section 4.5.3). Noted when such a code is redeemed, because a request alone can be forged.
 *
 * The note is stored with the client, with the precision of a day, so it outlasts a restart and all nodes and commands
 * see it. Requests do not wait: notes are written about once a second, and a failed one is made again.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createLru } from '../../base/lru.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { ClientStore } from '../stores/clients.ts';

interface Unprotected {
  /** Does not wait. */
  note(clientId: string): void;
  /** Writes all notes made so far. */
  flush(): Promise<void>;
  /** As `flush`, at the end of the process. */
  close(): Promise<void>;
}

const everyMs = 1000;
const precision = 86_400;
const clientsMax = 1000;

export function createUnprotected(deps: {
  clients: Pick<ClientStore, 'find' | 'update'>;
  changes: Pick<ChangeLog, 'changed'>;
  log: Logger;
}): Unprotected {
  const { clients, changes, log } = deps;
  const noted = createLru<number>(clientsMax);
  let waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  /** Returns false if another write was faster. */
  async function mark(id: string, at: number): Promise<boolean> {
    const client = await clients.find(id);
    if (!client) return true;
    const before = client.metadata.unprotected_at;
    if (typeof before === 'number' && before > at - precision) return true;
    const metadata = { ...client.metadata, unprotected_at: at };
    if (!(await clients.update({ ...client, metadata, version: client.version + 1 }))) return false;
    await changes.changed();
    if (before === undefined)
      log.warn({ clientId: id }, 'the client sends neither PKCE nor a nonce: a stolen code would not be noticed');
    return true;
  }

  async function writeAll(): Promise<void> {
    const ids = waiting;
    waiting = new Set();
    for (const id of ids) {
      const kept = await mark(id, nowSeconds()).catch((err: unknown) => {
        log.debug({ err, clientId: id }, 'a client without PKCE and nonce could not be noted');
        return false;
      });
      if (!kept) noted.delete(id);
    }
  }

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(writeAll);
    return writing;
  }

  return {
    note(id) {
      const at = nowSeconds();
      if ((noted.get(id) ?? 0) > at - precision || waiting.size >= clientsMax) return;
      noted.set(id, at);
      waiting.add(id);
      timer ??= setTimeout(write, everyMs).unref();
    },
    flush: write,
    close: write,
  };
}
