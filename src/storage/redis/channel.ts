/** "Look at the change log" over Redis: a nudge without content. Losing one costs at most a second. */
import { randomToken } from '../../base/secrets.ts';
import type { ChangeChannel } from '../../core/stores/change-channel.ts';
import type { Connection } from './connection.ts';

export function createRedisChannel(connection: Connection, prefix: string): ChangeChannel & { close(): void } {
  const name = `${prefix}changes`;
  const self = randomToken(16);
  const listeners = new Set<() => void>();
  // A connection that subscribes can do nothing else. It is silent for hours, so silence must not end it.
  const subscriber = connection.another({ autoResubscribe: false, commandTimeout: 2000, socketTimeout: undefined });

  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  subscriber.on('error', () => {});
  subscriber.on('ready', () => {
    // Also after each reconnection; whatever was said in between was missed, so it is as if something had been.
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
