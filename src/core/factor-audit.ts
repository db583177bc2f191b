/** One way to write down that a factor was added, changed or taken away, whichever it is. */

import type { JsonObject } from '../base/json.ts';
import type { Actor } from './accounts.ts';
import type { Audit, AuditEventName } from './audit.ts';

export type FactorRecord = (
  event: AuditEventName,
  subject: string,
  actor?: Actor,
  detail?: JsonObject,
) => Promise<void>;

export function createFactorRecord(audit: Pick<Audit, 'record'>): FactorRecord {
  return (event, subject, { by, via, address, requestId } = {}, detail = {}) =>
    audit.record(event, {
      subject,
      address,
      requestId,
      detail: { ...detail, ...(by !== undefined && { by }), ...(via !== undefined && { via }) },
    });
}
