/** One ceiling of scopes for all clients that registered themselves (`DYNAMIC_CLIENT_SCOPES`). */
import type { ClientRecord } from '../../stores/clients.ts';

const ownOrigins: ReadonlySet<ClientRecord['origin']> = new Set(['dynamic', 'metadata']);

/**
 * The client as requests see it, whatever it registered: so a lower ceiling counts at once for those that exist. A
 * reviewed client may have what an operator has looked at.
 */
export function withinCeiling(client: ClientRecord, ceiling: readonly string[] | undefined): ClientRecord {
  if (ceiling === undefined || client.reviewedAt !== null || !ownOrigins.has(client.origin)) return client;
  const { scope } = client.metadata;
  const asked = typeof scope === 'string' ? scope.split(' ') : ceiling;
  return {
    ...client,
    metadata: { ...client.metadata, scope: asked.filter((name) => ceiling.includes(name)).join(' ') },
  };
}
