import type { JsonObject } from '../../base/json.ts';

export interface AuditEvent {
  /** Milliseconds. */
  readonly atMs: number;
  /** For example `sign_in.succeeded`; the closed list is in core/audit. */
  readonly event: string;
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly detail: JsonObject;
}

export interface StoredAuditEvent extends AuditEvent {
  /** Ascending in the order in which they were written. */
  readonly id: number;
}

export interface AuditStore {
  /** All of them in one transaction. */
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Newest first, those with an id less than `before`, `limit` at most 1000. */
  list(filter: { subject?: string; event?: string; before?: number }, limit: number): Promise<StoredAuditEvent[]>;
}
