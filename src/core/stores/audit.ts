import type { JsonObject } from '../../base/json.ts';

export interface AuditEvent {
  /** Milliseconds. */
  readonly atMs: number;
  /** For example `sign_in.succeeded`; the closed list is in core/kernel/audit. */
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

/** All that is given must hold. Times in milliseconds: from `sinceMs` on, and before `untilMs`. */
export interface AuditFilter {
  readonly subject?: string | undefined;
  readonly event?: string | undefined;
  readonly clientId?: string | undefined;
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface AuditStore {
  /** All of them in one transaction. */
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Newest first, those with an id less than `before`, `limit` at most 1000. */
  list(filter: AuditFilter & { readonly before?: number | undefined }, limit: number): Promise<StoredAuditEvent[]>;
  /** Oldest first, those with an id greater than `after` (0: from the first on), `limit` at most 1000. */
  walk(filter: AuditFilter, after: number, limit: number): Promise<StoredAuditEvent[]>;
}
