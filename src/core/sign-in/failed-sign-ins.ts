/** What is written down of sign-ins that came to nothing. */
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { WrongCode } from '../factors/factors.ts';
import type { WrongPasskey } from '../factors/passkeys.ts';
import type { ProvedElsewhere } from '../kernel/amr.ts';
import type { Audit, AuditFields } from '../kernel/audit.ts';
import type { ThrottleKey } from '../stores/throttle.ts';

export type RefusedReason = 'wrong' | 'disabled' | 'unknown' | 'passkey' | 'passkey-used';

export type FailedReason = RefusedReason | `${WrongCode}-code` | `passkey-${WrongPasskey}`;

/** Where an attempt comes from. */
export interface Origin {
  /** The caller's IP address. */
  readonly address: string;
  readonly userAgent?: string | undefined;
  /** What the browser is known by, where people can be remembered in it (core/known-browsers). */
  readonly browser?: string | undefined;
  /** The live session of the very person who proves themselves once more. */
  readonly session?: string | undefined;
  /** `browser`, or the name of the surface. */
  readonly via: string;
  readonly requestId: string;
}

/** The reasons are for the audit record: outside they must not be told apart. */
export interface Refused {
  readonly outcome: 'refused';
  readonly reason: RefusedReason;
}

const throttleNotesMax = 10_000;

export type FailedSignIns = ReturnType<typeof createFailedSignIns>;

export function createFailedSignIns(parts: { audit: Audit; metrics: Metrics; windowSeconds: number }) {
  const { audit, metrics, windowSeconds } = parts;
  const throttleNotes = new Map<string, number>();

  const failed = (reason: FailedReason, fields: AuditFields): void => {
    metrics.count('sign_ins_total', { outcome: 'refused' });
    audit.note('sign_in.failed', { ...fields, detail: { ...fields.detail, reason } });
  };

  return {
    failed,

    refused(reason: RefusedReason, fields: AuditFields): Refused {
      failed(reason, fields);
      return { outcome: 'refused', reason };
    },

    /** Not on record: it is no guess, and a flood of them must not fill the audit trail. */
    tooLong(reason: RefusedReason): Refused {
      metrics.count('sign_ins_total', { outcome: 'refused' });
      return { outcome: 'refused', reason };
    },

    /** Under attack every further attempt is throttled: one record per account or address and window says so, the metric counts them all. */
    throttled(keys: readonly ThrottleKey[], fields: AuditFields): void {
      metrics.count('sign_ins_total', { outcome: 'throttled' });
      const now = nowSeconds();
      if (keys.some(({ key }) => (throttleNotes.get(key) ?? 0) > now)) return;
      if (throttleNotes.size > throttleNotesMax) throttleNotes.clear();
      for (const { key } of keys) throttleNotes.set(key, now + windowSeconds);
      audit.note('sign_in.throttled', fields);
    },
  };
}

/** The typed name is left out: people type their password into that field. */
export function auditFields({ address, requestId, via, userAgent }: Origin, elsewhere?: ProvedElsewhere): AuditFields {
  const detail: JsonObject = {
    via,
    ...(elsewhere !== undefined && { upstream: elsewhere.provider }),
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256).toWellFormed() }),
  };
  return { address, requestId, detail };
}
