/** Who acts, and one way to write down what they have done to an account, a group or a factor. */
import type { JsonObject } from '../../base/json.ts';
import type { Audit, AuditEventName } from './audit.ts';

/** Who does it and from where: for the audit record. */
export interface Actor {
  /** Subject of the person who acts, where it is not the account itself. */
  readonly by?: string | undefined;
  /** The door: `browser`, `cli`, the name of a surface. */
  readonly via?: string | undefined;
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
  /** Their language, for a mail that follows. */
  readonly locale?: string | undefined;
  /** What their browser is known by (core/known-browsers). */
  readonly browser?: string | undefined;
}

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
