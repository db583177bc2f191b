/** The audit record of a caller's action, with the entry point and, if another person acts, their subject. */
import type { JsonObject } from '../../base/json.ts';
import type { Audit, AuditEventName } from './audit.ts';
import type { Caller } from './caller.ts';

/** `subject`: the account concerned, if any. */
type CallerRecord = (
  event: AuditEventName,
  subject: string | undefined,
  caller?: Caller,
  detail?: JsonObject,
) => Promise<void>;

export function createCallerRecord(audit: Pick<Audit, 'record'>): CallerRecord {
  return (event, subject, caller, detail = {}) =>
    audit.record(event, {
      subject,
      caller,
      detail: {
        ...detail,
        ...(caller?.by !== undefined && { by: caller.by }),
        ...(caller?.via !== undefined && { via: caller.via }),
      },
    });
}
