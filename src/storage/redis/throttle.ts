/**
 * Counts attempts in Redis, so that all nodes count together; while it is down each process counts for itself.
 *
 * A Redis that is slow for a moment is down for that moment, and whoever guesses much at once can bring that about: then a process
 * that began at nothing would look at as many guesses again. So it counts along with Redis all the time; and for as long as
 * attempts may lie in its own count that Redis has not seen, both must allow.
 */
import { nowMs } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { Throttle } from '../../core/stores/throttle.ts';
import type { Connection } from './connection.ts';
import { countAttempt, giveBack } from './scripts.ts';

export function createRedisThrottle(connection: Connection, prefix: string, fallback: Throttle): Throttle {
  // Digests: the keys name people and addresses, which have no business in another program's memory.
  const keyOf = (key: string): string => `${prefix}attempts:${digest(key)}`;

  /** Until when an attempt may count that Redis knows nothing of; milliseconds since the epoch. */
  let aloneUntil = 0;

  return {
    async attempt(keys, windowSeconds) {
      const limits = keys.map(({ limit }) => limit);
      const names = keys.map(({ key }) => keyOf(key));
      const wait = await connection.run(countAttempt, names, [windowSeconds * 1000, ...limits]);
      if (wait !== undefined && wait > 0) return { allowed: false, retryAfter: Math.ceil(wait / 1000) };
      const here = await fallback.attempt(keys, windowSeconds);
      if (wait === undefined) {
        aloneUntil = Math.max(aloneUntil, nowMs() + windowSeconds * 1000);
        return here;
      }
      // Otherwise a count of another process that was cleared there would go on here.
      if (here.allowed || nowMs() >= aloneUntil) return { allowed: true };
      await connection.run(giveBack, names, []);
      return here;
    },
    async giveBack(keys) {
      await Promise.all([connection.run(giveBack, keys.map(keyOf), []), fallback.giveBack(keys)]);
    },
    async clear(key) {
      await Promise.all([connection.ask((redis) => redis.del(keyOf(key))), fallback.clear(key)]);
    },
  };
}
