/** What is written down of sign-ins that came to nothing. */
import { nowSeconds } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { ProvedElsewhere } from './amr.ts';
import type { Audit, AuditFields } from './audit.ts';
import type { WrongCode } from './factors.ts';
import type { WrongPasskey } from './passkeys.ts';
import type { JsonObject, ThrottleKey } from './stores.ts';

export type RefusedReason = 'wrong' | 'disabled' | 'unknown' | 'passkey' | 'passkey-used';

export type FailedReason = RefusedReason | `${WrongCode}-code` | `passkey-${WrongPasskey}`;

/** Where an attempt comes from. */
interface From {
  readonly address: string;
  readonly requestId: string;
  readonly via: string;
  readonly userAgent?: string | undefined;
}

const throttleNotesMax = 10_000;

export function createSignInNotes(parts: { audit: Audit; metrics: Metrics; windowSeconds: number }) {
  const { audit, metrics, windowSeconds } = parts;
  const throttleNotes = new Map<string, number>();

  return {
    failed(reason: FailedReason, fields: AuditFields): void {
      metrics.count('sign_ins_total', { outcome: 'refused' });
      audit.note('sign_in.failed', { ...fields, detail: { ...fields.detail, reason } });
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
export function auditFields({ address, requestId, via, userAgent }: From, elsewhere?: ProvedElsewhere): AuditFields {
  const detail: JsonObject = {
    via,
    ...(elsewhere !== undefined && { upstream: elsewhere.provider }),
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 256).toWellFormed() }),
  };
  return { address, requestId, detail };
}
