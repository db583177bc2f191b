/**
 * Everything that may live in Redis: the client cache, the change channel and the throttle. Redis is never needed. Down,
 * hanging, flushed or full of somebody else's values, it costs a little speed, never a request and never a right answer;
 * nothing here throws.
 */
import type { ChangeChannel } from '../../core/stores/change-channel.ts';
import type { ClientCache } from '../../core/stores/client-cache.ts';
import type { Throttle } from '../../core/stores/throttle.ts';
import { createRedisChannel } from './channel.ts';
import { createClientCache } from './client-cache.ts';
import { type OnState, openConnection } from './connection.ts';
import { createRedisThrottle } from './throttle.ts';

export interface RedisStorage {
  readonly cache: ClientCache;
  readonly channel: ChangeChannel;
  readonly throttle: Throttle;
  /** The last command was answered. */
  healthy(): boolean;
  close(): void;
}

export interface RedisSettings {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Before every key and channel name. */
  readonly prefix: string;
  /** 32 bytes; what is sealed under another key is a miss. */
  readonly sealKey: Buffer;
  /** Counts while Redis cannot. */
  readonly fallbackThrottle: Throttle;
  /** Called when Redis is first reached or missed, and whenever that changes. */
  readonly onState: OnState;
}

/** Resolves within half a second, with or without Redis; it connects, and connects again, by itself. */
export async function openRedis(settings: RedisSettings): Promise<RedisStorage> {
  const { prefix } = settings;
  const connection = await openConnection(settings.url, settings.onState);
  const channel = createRedisChannel(connection, prefix);
  return {
    cache: createClientCache(connection, prefix, settings.sealKey),
    channel,
    throttle: createRedisThrottle(connection, prefix, settings.fallbackThrottle),
    healthy: connection.up,
    close() {
      channel.close();
      connection.close();
    },
  };
}
