import type { JsonObject } from '../../base/json.ts';

export interface AuditEvent {
  /** Milliseconds. */
  readonly atMs: number;
  /** For example `sign_in.succeeded`. core/kernel/audit lists all events. */
  readonly event: string;
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly detail: JsonObject;
}

export interface StoredAuditEvent extends AuditEvent {
  /** Ascending in the order of writing. */
  readonly id: number;
}

/** All given members must match. `sinceMs` is inclusive, `untilMs` exclusive; both are milliseconds. */
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
  /** Appends all events in one transaction. */
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Events with an id less than `before`, newest first; `limit` is at most 1000. */
  list(filter: AuditFilter & { readonly before?: number | undefined }, limit: number): Promise<StoredAuditEvent[]>;
  /** Events with an id greater than `after` (0: all), oldest first; `limit` is at most 1000. */
  walk(filter: AuditFilter, after: number, limit: number): Promise<StoredAuditEvent[]>;
}
