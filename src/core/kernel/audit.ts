/**
 * The audit trail: what people and admins do, as records that survive the answer they belong to. The record, the counter
 * and the log line come from one call. Tokens are counted, not audited.
 *
 * One writer: the events of concurrent calls go into one append, and while an append is under way the next ones gather.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { AuditEvent, AuditStore } from '../stores/audit.ts';
import type { Caller } from './caller.ts';

/** Every event there is. docs/audit.md lists the same. */
export const auditEvents = {
  'sign_in.succeeded': 'A person signed in.',
  'sign_in.challenged': 'The password was right, and a second factor was asked for.',
  'sign_in.failed': 'A sign-in was refused: wrong password or code, unknown name or disabled account.',
  'sign_in.throttled':
    'Sign-ins to an account or from an address were put off after too many failures; once per window.',
  sign_out: 'A person signed out.',
  'session.ended': 'A session was ended by somebody else than its person: an admin, a program, or this server.',
  'session.replayed':
    'A refresh token of an API session was presented again after its replacement; the session was ended.',
  'consent.granted': 'A person allowed an application what it asked for.',
  'consent.by_policy':
    'An application was given what it asked for without a question, since an operator set its consent to never.',
  'consent.denied': 'A person refused an application.',
  'consent.revoked': 'A person took back what they had allowed an application; its tokens ended.',
  'account.created': 'An account was made.',
  'account.disabled': 'An account was disabled, its sessions and tokens ended.',
  'account.enabled': 'A disabled account was enabled again.',
  'account.deleted': 'An account was deleted with all that belonged to it.',
  'account.password_changed': 'The password of an account was set.',
  'account.profile_changed':
    'A person changed their profile: names, language, picture, time zone, phone number or address; `changed` names what.',
  'account.updated': 'An admin changed an account; `changed` names what.',
  'account.promoted': 'An account was made an administrator.',
  'account.demoted': 'An account is an administrator no more.',
  'account.email_confirmed': 'A person proved that the e-mail address of their account is theirs.',
  'account.email_changed': 'A person gave their account another e-mail address, and proved that it is theirs.',
  'account.renamed':
    'An account that was called by an e-mail address which it had not proved lost that name to whoever proved it.',
  'email.requested': 'A person said that an e-mail address is theirs, and a mail to it was made.',
  'reset.requested': 'A link for setting a new password was asked for; `mailed` tells whether it was sent.',
  'reset.link_made': 'An admin made a link for setting a new password.',
  'invitation.made': 'An admin invited somebody to make an account.',
  'invitation.used': 'An account was made through an invitation.',
  'mail.failed': 'A mail could not be sent.',
  'factor.added': 'A second factor was added to an account.',
  'factor.removed': 'A second factor, or all of them, was removed from an account.',
  'factor.renamed': 'A person gave a second factor of theirs another name.',
  'email_code.sent': 'A code was mailed to a person who had given the right password.',
  'recovery_codes.made': 'An account was given new recovery codes in place of older ones.',
  'recovery_code.used': 'A recovery code was used up to sign in.',
  'identity.linked': 'An account at another provider was connected with an account here.',
  'identity.unlinked': 'An account at another provider was disconnected from the account here.',
  'upstream.failed': 'A sign-in through another provider came to nothing.',
  'group.added': 'A group of people was made.',
  'group.changed': 'A group was given another name or description; `before` is its name until then.',
  'group.removed': 'A group was removed with its memberships.',
  'group.joined': 'A person was put into a group.',
  'group.left': 'A person was taken out of a group.',
  'device.remembered': 'A person chose to be remembered in a browser.',
  'device.forgotten': 'A person had a browser forget them.',
  'device.reported': 'A person who signed in in a browser that does not remember them was told so by mail.',
  'client.registered': 'An application was registered.',
  'client.updated': 'The metadata of an application was changed; `members`, `before` and `after` say what.',
  'client.secret_rotated': 'An application was given a new secret in place of an old one.',
  'client.secret_added': 'An application was given another secret beside those it had.',
  'client.secret_removed': 'A secret of an application was removed.',
  'client.disabled': 'An application was disabled.',
  'client.enabled': 'A disabled application was enabled again.',
  'client.reviewed': 'An operator marked an application as reviewed.',
  'client.review_revoked': 'An operator took back that an application is reviewed.',
  'client.deleted': 'An application was deleted with every grant and token it had.',
  'client.token_issued': 'An application was given a client token.',
  'client.token_revoked': 'A client token of an application was revoked.',
  'client.session_begun': 'An application opened a session of its own with a client token.',
  'client.cache_reloaded': 'All applications were read anew from the database.',
  'client_auth.failed':
    'An application, or who claimed to be one, presented a wrong secret, assertion or client token; the first of a window.',
  'client_auth.throttled':
    'Credentials of an application, or of all of an address, were put off after too many wrong ones.',
  'admin_key.failed': 'A wrong admin key was presented; the first of a window.',
  'admin_key.throttled': 'Admin keys from an address were put off after too many wrong ones.',
  'key.rotated': 'Another key signs from now on.',
  'api.added': 'An API was added or replaced.',
  'api.updated': 'An API was changed.',
  'api.removed': 'An API was removed.',
  'grant.replayed': 'A used code or refresh token was presented again; everything issued from it was ended.',
  'setup.completed': 'The first admin was made through the set-up link.',
} as const;

export type AuditEventName = keyof typeof auditEvents;

export interface AuditFields {
  readonly subject?: string | null | undefined;
  readonly clientId?: string | null | undefined;
  /** Their address and the request's id are kept; what else is told of them is in `detail`. */
  readonly caller?: Caller | undefined;
  /** No secrets: this is kept and read. */
  readonly detail?: JsonObject | undefined;
}

/** A record that somebody else's commit stores (core/stores `Unit`). */
export interface CarriedRecord {
  readonly event: AuditEvent;
  /** To be called once it is durable: it is counted and logged like any other. */
  written(): void;
}

export interface Audit {
  /** Resolves when the record is durable. Rejects with `Unavailable` where it could not be written. */
  record(event: AuditEventName, fields: AuditFields): Promise<void>;
  /** Does not wait. A record that cannot be written is tried again a few times, then dropped, counted and logged. */
  note(event: AuditEventName, fields: AuditFields): void;
  /** A record for the very commit of what it is about: neither is there without the other, and one sync to the disk does for both. */
  carried(event: AuditEventName, fields: AuditFields): CarriedRecord;
  /** Writes what waits; call it once nothing else calls. */
  close(): Promise<void>;
}

interface Entry {
  readonly event: AuditEvent;
  tries: number;
  /** Null for a note. */
  readonly waiter: { resolve(): void; reject(error: unknown): void } | null;
}

/** Rows of one append: enough to write in bulk, few enough for one statement. */
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
        // Not the storage as such but one of these events: the others must not fail with it.
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
    // One turn of the loop later: what the same turn adds goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax);
      waiting = waiting.slice(batchMax);
      const ok = await append(batch);
      // Only notes are left over after a failure. A new record need not wait for their next try.
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

/** A caller may pass on what a stranger sent: a column takes no U+0000, no half of a pair, and no novel. */
function storable(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : text.slice(0, 256).toWellFormed().replaceAll('\0', '\uFFFD');
}
