/** The change channel of one process. Other processes read the change log on their own schedule. */
import type { ChangeChannel } from '../../core/stores/volatile/change-channel.ts';

export function createLocalChannel(): ChangeChannel {
  const listeners = new Set<() => void>();
  return {
    publish() {
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      // A new wrapper each time, so subscribing one function twice makes two subscriptions.
      const own = (): void => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
