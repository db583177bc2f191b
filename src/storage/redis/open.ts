/**
 * The client cache, the change channel and the throttle in Redis. Redis is optional: if it is down, hangs, is flushed
 * or holds foreign values, the server is slower but stays correct. Nothing here throws.
 */
import type { ChangeChannel } from '../../core/stores/volatile/change-channel.ts';
import type { ClientCache } from '../../core/stores/volatile/client-cache.ts';
import type { Throttle } from '../../core/stores/volatile/throttle.ts';
import { createRedisChannel } from './channel.ts';
import { createClientCache } from './client-cache.ts';
import { type OnState, openConnection } from './connection.ts';
import { createRedisThrottle } from './throttle.ts';

export interface RedisStorage {
  readonly cache: ClientCache;
  readonly channel: ChangeChannel;
  readonly throttle: Throttle;
  /** True if the last command was answered. */
  healthy(): boolean;
  close(): void;
}

export interface RedisSettings {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Prefix of every key and channel name. */
  readonly prefix: string;
  /** 32 bytes. A value sealed under another key is a miss. */
  readonly sealKey: Buffer;
  /** Counts while Redis is down. */
  readonly fallbackThrottle: Throttle;
  /** Called when Redis is first reached or missed, and at each change. */
  readonly onState: OnState;
}

/** Resolves within half a second, with or without Redis. Reconnects on its own. */
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
