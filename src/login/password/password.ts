/**
 * Passwords as Argon2id hashes (RFC 9106), in PHC strings with their parameters. Hashing runs on libuv's threads, at
 * most `parallel` at once, so that the event loop stays free, memory is bounded, and file, DNS and key work get a
 * thread.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { Unavailable } from '../../base/errors.ts';
import type { PasswordHasher } from '../../core/passwords/password-hasher.ts';
import { normalisePassword } from '../../core/passwords/password-rules.ts';
import { readForeignHash } from './foreign-hashes.ts';

/**
 * Marks a stored hash of another system. Own Argon2id hashes are only of normalised passwords, so the two must differ.
 */
const importedMark = 'imported:';
/** Marks the hash of a password that is long enough only together with a second factor. */
const shortMark = 'short:';

export interface PasswordHasherSettings {
  readonly memoryKiB: number;
  /** Passes over the memory. */
  readonly timeCost: number;
  /** Passwords that may wait; more are refused as busy. */
  readonly queue: number;
  /** Passwords hashed at once. Default: one less than the number of cores, or of libuv threads. */
  readonly parallel?: number | undefined;
}

export function createPasswordHasher(settings: PasswordHasherSettings): PasswordHasher {
  const { memoryKiB, timeCost, queue } = settings;
  const inTurn = createTurns(settings.parallel ?? defaultParallel(), queue);
  const options = { memoryCost: memoryKiB, timeCost, parallelism: 1 };
  // Matches no password. Checking it takes as long as a real hash, so timing does not reveal unknown accounts.
  const unmatchable = `$argon2id$v=19$m=${memoryKiB},t=${timeCost},p=1$${unpadded(16)}$${unpadded(32)}`;

  return {
    async hash(password, { standsAlone } = { standsAlone: true }) {
      const normal = normalisePassword(password);
      if (normal === undefined) throw new Error('The password was not validated before it was hashed.');
      // Bytes, because a C string would end at U+0000.
      const made = await inTurn(() => hash(Buffer.from(normal), options));
      return standsAlone ? made : shortMark + made;
    },

    async verify(stored, password) {
      const normal = normalisePassword(password);
      if (stored?.startsWith(importedMark)) {
        const foreign = readForeignHash(stored.slice(importedMark.length));
        if (foreign.outcome === 'unusable')
          throw new Error(`A stored password hash cannot be used. ${foreign.sentence}`);
        // Other systems hash the text as typed. The normalised form comes first: keyboards send it, and the two rarely
        // differ.
        const forms = normal === undefined || normal === password ? [normal ?? ''] : [normal, password];
        return inTurn(async () => {
          for (const form of forms) if (await foreign.verify(Buffer.from(form))) return normal !== undefined;
          return false;
        });
      }
      const right = await inTurn(() => verify(withoutMark(stored ?? unmatchable), Buffer.from(normal ?? '')));
      return right && stored !== null && normal !== undefined;
    },

    standsAlone: (stored) => !stored.startsWith(shortMark),

    needsRehash(stored) {
      const bare = withoutMark(stored);
      if (!bare.startsWith('$argon2id$')) return true;
      const made = parseOptions(bare);
      return made.memoryCost !== memoryKiB || made.timeCost !== timeCost || made.parallelism !== 1;
    },

    foreign(hash) {
      const read = readForeignHash(hash);
      if (read.outcome === 'unusable') return read;
      return { outcome: 'usable', stored: `${importedMark}${hash}`, algorithm: read.algorithm };
    },
  };
}

function withoutMark(stored: string): string {
  return stored.startsWith(shortMark) ? stored.slice(shortMark.length) : stored;
}

function unpadded(bytes: number): string {
  return randomBytes(bytes).toString('base64').replaceAll('=', '');
}

function defaultParallel(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4) || 4;
  return Math.max(1, Math.min(availableParallelism(), threads) - 1);
}

/** Runs at most `parallel` tasks with `queue` waiting, first come, first served. */
function createTurns(parallel: number, queue: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy < parallel) busy++;
    else if (waiting.length < queue) await new Promise<void>((resolve) => waiting.push(resolve));
    else throw new Unavailable('busy', { retryAfter: 1 });
    try {
      return await work();
    } finally {
      // The place is handed over, not freed and taken again, so that a new task cannot overtake.
      const next = waiting.shift();
      if (next === undefined) busy--;
      else next();
    }
  };
}
