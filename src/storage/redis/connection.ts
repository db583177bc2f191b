/**
 * A connection to Redis that may fail. A command has a deadline of 200 ms, and no command waits for a reconnection.
 * While Redis is down, one command a second is sent as a probe and all others fail at once. So a Redis that hangs costs
 * this process 200 ms a second, not 200 ms per request.
 */
import { Redis, type RedisOptions } from 'ioredis';
import { nowMs } from '../../base/clock.ts';
import { closedByIt, isRefusal, redisReason } from './reasons.ts';
import type { Script } from './scripts.ts';

export interface Connection {
  /** Returns the reply, or undefined if the command failed for any reason. Never rejects. */
  ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<number | undefined>;
  /** Opens another connection to the same server, for uses that need their own. */
  another(options: RedisOptions): Redis;
  up(): boolean;
  /** Called when the connection is lost: the next server may have less data than the one before. */
  onLoss(listener: () => void): void;
  close(): void;
}

const options = {
  commandTimeout: 200,
  connectTimeout: 1000,
  enableOfflineQueue: false,
  // A command in flight when the connection breaks is reported as failed. Sent again, it could undo a later command.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (times: number) => Math.min(25 * 2 ** Math.min(times, 8), 2000),
  // After a failover the old primary answers reads and refuses writes. Reconnecting resolves the host name again.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  // Detects a peer that vanished without closing the connection, in seconds instead of minutes.
  socketTimeout: 5000,
  keepAlive: 10_000,
  disableClientInfo: true,
  replyMapping: 'legacy',
} satisfies RedisOptions;

const probeEveryMs = 1000;

/** `reason` is a sentence, present if Redis is down. Called again if the reason changes while Redis is down. */
export type OnState = (up: boolean, reason?: string) => void;

/** Resolves when the first connection attempt succeeds or fails, after half a second at the latest. */
export async function openConnection(url: string, onState: OnState): Promise<Connection> {
  const redis = new Redis(url, options);
  let state: 'new' | 'up' | 'down' | 'closed' = 'new';
  let probeAt = 0;
  let probing = false;
  let failure: unknown;
  let told: string | undefined;
  const lost = new Set<() => void>();

  function become(next: 'up' | 'down', error?: unknown): void {
    if (next === 'down') probeAt = nowMs() + probeEveryMs;
    if (state === 'closed') return;
    const reason = next === 'up' ? undefined : redisReason(error, url);
    // While Redis is down, a probe fails because there is no connection; this is not a new reason.
    const news = state !== next || (next === 'down' && error !== undefined && reason !== told);
    state = next;
    if (!news) return;
    told = reason;
    if (reason === undefined) onState(true);
    else onState(false, reason);
  }

  redis.on('ready', () => {
    failure = undefined;
    become('up');
  });
  redis.on('close', () => {
    become('down', failure ?? new Error(closedByIt));
    for (const listener of lost) listener();
  });
  // Each error is followed by `close`. Without a listener ioredis prints the error.
  redis.on('error', (error) => {
    failure = error;
  });

  async function ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (state !== 'up') {
      const due = probeAt - nowMs();
      // A probe further away than the interval means that the clock was set back.
      if (state !== 'down' || probing || (due > 0 && due <= probeEveryMs)) return undefined;
      probing = true;
    }
    const probe = probing && state === 'down';
    try {
      const reply = await command(redis);
      become('up');
      return reply;
    } catch (error) {
      // An error reply (wrong type, out of memory) is still a quick reply, so other commands need not be held back.
      if (!isReply(error)) become('down');
      else if (isRefusal(error)) become('down', error);
      else become(error.message.startsWith('LOADING') ? 'down' : 'up');
      return undefined;
    } finally {
      if (probe) probing = false;
    }
  }

  await new Promise<void>((resolve) => {
    const limit = setTimeout(resolve, 500);
    const done = (): void => {
      clearTimeout(limit);
      resolve();
    };
    redis.once('ready', done);
    redis.once('close', done);
  });
  if (redis.status !== 'ready') become('down', failure);

  return {
    ask,
    run: (script, keys, args) =>
      ask(async () => {
        try {
          return Number(await redis.evalsha(script.sha, keys.length, ...keys, ...args));
        } catch (error) {
          // After a restart, Redis does not know the script yet.
          if (!isReply(error) || !error.message.startsWith('NOSCRIPT')) throw error;
          return Number(await redis.eval(script.text, keys.length, ...keys, ...args));
        }
      }),
    another: (more) => redis.duplicate(more),
    up: () => state === 'up',
    onLoss: (listener) => void lost.add(listener),
    close() {
      state = 'closed';
      redis.disconnect();
    },
  };
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
