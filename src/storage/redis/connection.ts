/**
 * One connection that is allowed to fail: a command has 200 ms, nothing waits for a connection to come back, and after a
 * failure the rest is spared the wait. While Redis is down one command a second is sent to see whether it is back; all others
 * fail at once. So a Redis that hangs costs this process one wait of 200 ms a second, not one per request.
 */
import { Redis, type RedisOptions } from 'ioredis';
import { nowMs } from '../../base/clock.ts';
import { closedByIt, isRefusal, redisReason } from './reasons.ts';
import type { Script } from './scripts.ts';

export interface Connection {
  /** The command's reply, or undefined where it failed for whatever reason. Never rejects. */
  ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<number | undefined>;
  /** Another connection to the same server, for what needs its own. */
  another(options: RedisOptions): Redis;
  up(): boolean;
  /** Called when the connection has broken: whoever answers next may know less than the one before. */
  onLoss(listener: () => void): void;
  close(): void;
}

const options = {
  commandTimeout: 200,
  connectTimeout: 1000,
  enableOfflineQueue: false,
  // What was sent before the connection broke has been answered as failed: sent again it could undo what came later.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (times: number) => Math.min(25 * 2 ** Math.min(times, 8), 2000),
  // After a failover the old primary answers reads and refuses writes: connect again, to where the name points now.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  // A connection whose other end has gone without a word is given up instead of being kept for minutes.
  socketTimeout: 5000,
  keepAlive: 10_000,
  disableClientInfo: true,
  replyMapping: 'legacy',
} satisfies RedisOptions;

const probeEveryMs = 1000;

/** `reason`: a sentence, where it does not answer. Called again while it does not if that changes. */
export type OnState = (up: boolean, reason?: string) => void;

/** Resolves when the first attempt to connect has succeeded or failed, at the latest after half a second. */
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
    // While it is down a probe fails for want of a connection, which is no news.
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
  // Each error is followed by `close`; without a listener it would be printed.
  redis.on('error', (error) => {
    failure = error;
  });

  async function ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (state !== 'up') {
      const due = probeAt - nowMs();
      // (Further off than it was ever set: the clock has been put back.)
      if (state !== 'down' || probing || (due > 0 && due <= probeEveryMs)) return undefined;
      probing = true;
    }
    const probe = probing && state === 'down';
    try {
      const reply = await command(redis);
      become('up');
      return reply;
    } catch (error) {
      // An answer, if only a refusal (wrong type, out of memory), was quick: that is no reason to spare the others.
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
          // A Redis that has been started anew does not know the script yet.
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
