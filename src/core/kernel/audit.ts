/**
 * The audit trail: what people and admins do, in records that stay. One call writes the record, the counter and the log
 * line. Tokens are counted, not audited.
 *
 * There is one writer: it appends the events of concurrent calls together and gathers new ones while an append runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { AuditEvent, AuditStore } from '../stores/audit.ts';
import type { Caller } from './caller.ts';

/** All events. docs/audit.md lists the same. */
export const auditEvents = {
  'sign_in.succeeded': 'A person signed in.',
  'sign_in.challenged': 'The password was right, and a second factor was requested.',
  'sign_in.failed': 'A sign-in was refused: wrong password or code, unknown name or disabled account.',
  'sign_in.throttled':
    'Sign-ins to an account or from an address were throttled after too many failures; once per window.',
  sign_out: 'A person signed out.',
  'session.ended': 'An admin, a program or this server ended a session.',
  'session.replayed': 'A refresh token of an API session was used again after its replacement; the session was ended.',
  'consent.granted': 'A person gave an application consent.',
  'consent.by_policy': 'An application got consent without a question, because an operator set its consent to never.',
  'consent.denied': 'A person refused an application consent.',
  'consent.revoked': 'A person revoked their consent to an application; its tokens ended.',
  'account.created': 'An account was created.',
  'account.disabled': 'An account was disabled; its sessions and tokens ended.',
  'account.enabled': 'A disabled account was enabled again.',
  'account.deleted': 'An account was deleted with everything that belonged to it.',
  'account.password_changed': 'The password of an account was set.',
  'account.profile_changed':
    'A person changed their profile: names, language, picture, time zone, phone number or address; `changed` lists the members.',
  'account.updated': 'An admin changed an account; `changed` lists the members.',
  'account.promoted': 'An account became an administrator.',
  'account.demoted': 'An account is no longer an administrator.',
  'account.email_confirmed': 'A person confirmed the e-mail address of their account.',
  'account.email_changed': 'A person gave their account another e-mail address and confirmed it.',
  'account.renamed':
    'An account whose username was an unconfirmed e-mail address lost that name to the person who confirmed the address.',
  'email.requested': 'A person entered an e-mail address, and a mail to confirm it was created.',
  'reset.requested': 'A link to set a new password was requested; `mailed` tells whether it was sent.',
  'reset.link_made': 'An admin created a link to set a new password.',
  'invitation.made': 'An admin created an invitation.',
  'invitation.used': 'An account was created through an invitation.',
  'mail.failed': 'A mail could not be sent.',
  'factor.added': 'A second factor was added to an account.',
  'factor.removed': 'A second factor, or all of them, was removed from an account.',
  'factor.renamed': 'A person renamed a second factor.',
  'email_code.sent': 'A code was mailed to a person after the right password.',
  'recovery_codes.made': 'New recovery codes replaced the old ones of an account.',
  'recovery_codes.saved': 'A person showed that they saved their recovery codes, by typing one of them.',
  'recovery_code.used': 'A recovery code was used to sign in.',
  'identity.linked': 'An account at another provider was connected with an account here.',
  'identity.unlinked': 'An account at another provider was disconnected from the account here.',
  'upstream.failed': 'A sign-in through another provider failed.',
  'group.added': 'A group of people was created.',
  'group.changed': 'A group got another name or description; `before` is its previous name.',
  'group.removed': 'A group was removed with its memberships.',
  'group.joined': 'A person was added to a group.',
  'group.left': 'A person was removed from a group.',
  'device_code.approved': 'A person allowed a device that had shown them a code.',
  'device_code.denied': 'A person refused a device that had shown them a code.',
  'device_code.throttled':
    'Too many wrong codes of devices were entered: in a browser, from an address, or in all; once per window.',
  'device.remembered': 'A person chose to stay signed in in a browser.',
  'device.forgotten': 'A person removed themselves from a browser that remembered them.',
  'device.reported': 'A mail told a person about a sign-in in a browser that does not remember them.',
  'client.registered': 'An application was registered.',
  'client.updated': 'The metadata of an application was changed; `members`, `before` and `after` show how.',
  'client.secret_rotated': 'A new secret replaced one of an application.',
  'client.secret_added': 'An application got an additional secret.',
  'client.secret_removed': 'A secret of an application was removed.',
  'client.disabled': 'An application was disabled.',
  'client.enabled': 'A disabled application was enabled again.',
  'client.reviewed': 'An operator marked an application as reviewed.',
  'client.review_revoked':
    'An application is unreviewed again: an operator says so, or a reviewed one changed its own registration.',
  'client.expired': 'Applications that registered themselves expired; `clients` lists them, at most 200 in a record.',
  'client.document_ended': 'The document of an application is gone or invalid; `reason` says why. It is refused.',
  'client.document_back': 'The document of an application is good again.',
  'client.document_pinned': 'An operator gave a copy of the document of an application, which is used instead.',
  'client.document_released': 'The document of an application is fetched from its address again.',
  'client.deleted': 'An application was deleted with all its grants and tokens.',
  'client.token_issued': 'A client token was issued to an application.',
  'client.token_revoked': 'A client token of an application was revoked.',
  'registration_token.made': 'An operator made an initial access token, with which applications register themselves.',
  'registration_token.revoked': 'An operator revoked an initial access token.',
  'client.session_begun': 'An application opened a session with a client token.',
  'client.cache_reloaded': 'All applications were reloaded from the database.',
  'client_auth.failed':
    'A wrong secret, assertion or client token of an application was presented; the first of a window.',
  'client_auth.throttled':
    'Credentials of an application, or all from an address, were throttled after too many wrong ones.',
  'admin_key.failed': 'A wrong admin key was presented; the first of a window.',
  'admin_key.throttled': 'Admin keys from an address were throttled after too many wrong ones.',
  'key.rotated': 'Another key signs from this moment on.',
  'api.added': 'An API was added or replaced.',
  'api.updated': 'An API was changed.',
  'api.removed': 'An API was removed.',
  'grant.replayed':
    'A used code, device code or refresh token was presented again; everything issued from it ended. `kind` tells which.',
  'grant.shared':
    'The replacement of a refresh token was handed out more than three times, or to a second network; once per token. `times` and `second_network` tell which.',
  'delivery.failed':
    'A message to an application was given up: the application refused it, or did not take it for a day.',
  'setup.completed': 'The first administrator was created through the setup link.',
} as const;

export type AuditEventName = keyof typeof auditEvents;

export interface AuditFields {
  readonly subject?: string | null | undefined;
  readonly clientId?: string | null | undefined;
  /** Only the caller's address and request id are stored; more about them goes into `detail`. */
  readonly caller?: Caller | undefined;
  /** Contains no secrets, because records are kept and read. */
  readonly detail?: JsonObject | undefined;
}

/** A record that is stored by another component's commit (core/stores `Unit`). */
export interface CarriedRecord {
  readonly event: AuditEvent;
  /** Call once the record is durable: counts and logs it. */
  written(): void;
}

export interface Audit {
  /** Resolves when the record is durable. Rejects with `Unavailable` if it could not be written. */
  record(event: AuditEventName, fields: AuditFields): Promise<void>;
  /** Does not wait. A record that cannot be written is tried again a few times, then dropped, counted and logged. */
  note(event: AuditEventName, fields: AuditFields): void;
  /** A record for the same commit as its subject: both are stored or neither, with one sync to the disk. */
  carried(event: AuditEventName, fields: AuditFields): CarriedRecord;
  /** Writes the waiting records; call it when no more records come. */
  close(): Promise<void>;
}

interface Entry {
  readonly event: AuditEvent;
  tries: number;
  /** Null for a note. */
  readonly waiter: { resolve(): void; reject(error: unknown): void } | null;
}

/** Rows of one append: enough for bulk writes, few enough for one statement. */
const batchMax = 200;
const triesMax = 5;
const waitingNotesMax = 10_000;

export function createAudit(parts: { store: AuditStore; log: Logger; metrics: Metrics; retryMs?: number }): Audit {
  const { store, log, metrics, retryMs = 500 } = parts;
  let waiting: Entry[] = [];
  let running: Promise<void> | undefined;
  let closing = false;

  const written = (event: AuditEvent): void => {
    metrics.count('audit_events_total', { event: event.event });
    log.info(
      {
        audit: event.event,
        subject: event.subject,
        clientId: event.clientId,
        address: event.address,
        requestId: event.requestId,
        detail: event.detail,
      },
      event.event,
    );
  };

  const failed = (entry: Entry, error: unknown): void => {
    if (entry.waiter !== null) {
      entry.waiter.reject(error instanceof Unavailable ? error : new Unavailable('database', { cause: error }));
    } else if (++entry.tries < triesMax) waiting.push(entry);
    else dropped(entry, error);
  };

  const dropped = ({ event }: Entry, err: unknown): void => {
    metrics.count('audit_events_dropped_total', {});
    log.error(
      {
        err,
        audit: event.event,
        subject: event.subject,
        clientId: event.clientId,
        address: event.address,
        requestId: event.requestId,
      },
      'an audit record was dropped',
    );
  };

  const append = async (batch: Entry[]): Promise<boolean> => {
    try {
      await store.append(batch.map((entry) => entry.event));
    } catch (error) {
      if (!(error instanceof Unavailable) && batch.length > 1) {
        // The storage works, so one of these events is the cause; the others must not fail with it.
        const outcomes = [];
        for (const entry of batch) outcomes.push(await append([entry]));
        return outcomes.some((outcome) => outcome);
      }
      for (const entry of batch) failed(entry, error);
      return false;
    }
    for (const { event, waiter } of batch) {
      written(event);
      waiter?.resolve();
    }
    return true;
  };

  const run = async (): Promise<void> => {
    // Waits one turn of the loop, so that events of the same turn join the batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax);
      waiting = waiting.slice(batchMax);
      const ok = await append(batch);
      // Only notes remain after a failure. A new record does not wait for their next try.
      if (!ok && !waiting.some((entry) => entry.waiter !== null)) await pause();
    }
    running = undefined;
  };

  let wake: (() => void) | undefined;
  const pause = async (): Promise<void> => {
    const stop = new AbortController();
    wake = () => stop.abort();
    if (closing) return;
    await sleep(retryMs, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    wake = undefined;
  };

  const add = (entry: Entry): void => {
    waiting.push(entry);
    if (entry.waiter !== null) wake?.();
    running ??= run();
  };

  return {
    record: (name, fields) =>
      new Promise((resolve, reject) => add({ event: auditEvent(name, fields), tries: 0, waiter: { resolve, reject } })),
    note(name, fields) {
      const entry: Entry = { event: auditEvent(name, fields), tries: 0, waiter: null };
      if (waiting.length >= waitingNotesMax) dropped(entry, new Error('too many audit records wait to be written'));
      else add(entry);
    },
    carried(name, fields) {
      const event = auditEvent(name, fields);
      return { event, written: () => written(event) };
    },
    async close() {
      closing = true;
      wake?.();
      await running;
    },
  };
}

function auditEvent(event: AuditEventName, fields: AuditFields): AuditEvent {
  return {
    atMs: nowMs(),
    event,
    subject: storable(fields.subject),
    clientId: storable(fields.clientId),
    address: storable(fields.caller?.address),
    requestId: storable(fields.caller?.requestId),
    detail: fields.detail ?? {},
  };
}

/** Callers may pass untrusted text: a column takes no U+0000, no lone surrogate, and a bounded length. */
function storable(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : text.slice(0, 256).toWellFormed().replaceAll('\0', '\uFFFD');
}
