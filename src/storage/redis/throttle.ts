/**
 * Counts attempts in Redis, so that all nodes share one count. While Redis is down, each process counts alone.
 *
 * An attacker can slow Redis down with many guesses at once. A process that then started its own count at zero would
 * allow as many guesses again. So each process always counts as well; for as long as its count may hold attempts that
 * Redis has not seen, both counts must allow the attempt.
 */
import { nowMs } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { Throttle } from '../../core/stores/volatile/throttle.ts';
import type { Connection } from './connection.ts';
import { countAttempt, giveBack } from './scripts.ts';

export function createRedisThrottle(connection: Connection, prefix: string, fallback: Throttle): Throttle {
  // Keys name users and addresses, so only their digests are stored in Redis.
  const keyOf = (key: string): string => `${prefix}attempts:${digest(key)}`;

  /** Time until which this process may hold attempts that Redis has not seen; milliseconds since the epoch. */
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
      // A count that another process cleared in Redis must not go on here.
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
