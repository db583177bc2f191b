/**
 * Applications that users register for themselves, with their owner and a limit, so that one account cannot fill the
 * database. core/clients decides what an application may be.
 */
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';
import type { Clients, Registered } from './clients.ts';
import type { InvalidMetadata } from './metadata/client-metadata.ts';

export interface OwnClients {
  /** Resolves after the audit record is written. Throws `Unavailable`. */
  register(
    metadata: object,
    subject: string,
    caller: Caller,
  ): Promise<Registered | InvalidMetadata | { readonly outcome: 'throttled'; readonly retryAfter: number }>;
}

/** Registrations of one user within the window (seconds), refused ones included. */
const limit = 50;
const windowSeconds = 3600;

export function createOwnClients(deps: {
  clients: Pick<Clients, 'register'>;
  throttle: Throttle;
  audit: Audit;
}): OwnClients {
  return {
    async register(metadata, subject, caller) {
      const counted = await deps.throttle.attempt([{ key: `own-clients:${subject}`, limit }], windowSeconds);
      if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter };
      const made = await deps.clients.register(metadata, { origin: 'person', owner: subject });
      if (made.outcome === 'registered') {
        const about = { subject, clientId: made.client.id, caller, detail: { via: caller.via } };
        await deps.audit.record('client.registered', about);
      }
      return made;
    },
  };
}
