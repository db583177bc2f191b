/** The change channel of one process: reaches everybody who subscribed in it. Other processes look at the log by themselves. */
import type { ChangeChannel } from '../../core/stores/change-channel.ts';

export function createLocalChannel(): ChangeChannel {
  const listeners = new Set<() => void>();
  return {
    publish() {
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      // A wrapper of its own, so that subscribing one function twice makes two subscriptions.
      const own = (): void => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
