/** One way to write down what an actor has done to an account, a group or a factor. */

import type { JsonObject } from '../base/json.ts';
import type { Actor } from './accounts.ts';
import type { Audit, AuditEventName } from './audit.ts';

/** `subject`: of the account that it is about, if any. */
export type ActorRecord = (
  event: AuditEventName,
  subject: string | undefined,
  actor?: Actor,
  detail?: JsonObject,
) => Promise<void>;

export function createActorRecord(audit: Pick<Audit, 'record'>): ActorRecord {
  return (event, subject, { by, via, address, requestId } = {}, detail = {}) =>
    audit.record(event, {
      subject,
      address,
      requestId,
      detail: { ...detail, ...(by !== undefined && { by }), ...(via !== undefined && { via }) },
    });
}
