/** Publishes "read the change log" over Redis, without content. A lost message delays a reader by at most a second. */
import { randomToken } from '../../base/secrets.ts';
import type { ChangeChannel } from '../../core/stores/volatile/change-channel.ts';
import type { Connection } from './connection.ts';

export function createRedisChannel(connection: Connection, prefix: string): ChangeChannel & { close(): void } {
  const name = `${prefix}changes`;
  const self = randomToken(16);
  const listeners = new Set<() => void>();
  // A subscribed connection accepts no other commands. It can be silent for hours, so it has no socket timeout.
  const subscriber = connection.another({ autoResubscribe: false, commandTimeout: 2000, socketTimeout: undefined });

  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  subscriber.on('error', () => {});
  subscriber.on('ready', () => {
    // Runs after each reconnection too. Messages sent in between are lost, so listeners act as if one had arrived.
    subscriber.subscribe(name).then(tell, () => subscriber.disconnect(true));
  });
  subscriber.on('message', (_channel, sender) => {
    if (sender !== self) tell();
  });

  return {
    publish() {
      void connection.ask((redis) => redis.publish(name, self));
    },
    subscribe(listener) {
      const own = (): void => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    close() {
      subscriber.disconnect();
    },
  };
}
