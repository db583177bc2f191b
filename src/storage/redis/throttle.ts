/** Counts attempts in Redis, so that all nodes count together; while it is down each process counts for itself. */
import { digest } from '../../base/secrets.ts';
import type { Throttle } from '../../core/stores.ts';
import type { Connection } from './connection.ts';
import { countAttempt, giveBack } from './scripts.ts';

export function createRedisThrottle(connection: Connection, prefix: string, fallback: Throttle): Throttle {
  // Digests: the keys name people and addresses, which have no business in another program's memory.
  const keyOf = (key: string): string => `${prefix}attempts:${digest(key)}`;

  return {
    async attempt(keys, windowSeconds) {
      const limits = keys.map(({ limit }) => limit);
      const names = keys.map(({ key }) => keyOf(key));
      const wait = await connection.run(countAttempt, names, [windowSeconds * 1000, ...limits]);
      if (wait === undefined) return fallback.attempt(keys, windowSeconds);
      return wait === 0 ? { allowed: true } : { allowed: false, retryAfter: Math.ceil(wait / 1000) };
    },
    async giveBack(keys) {
      await Promise.all([connection.run(giveBack, keys.map(keyOf), []), fallback.giveBack(keys)]);
    },
    async clear(key) {
      await Promise.all([connection.ask((redis) => redis.del(keyOf(key))), fallback.clear(key)]);
    },
  };
}
