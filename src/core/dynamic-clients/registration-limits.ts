/**
 * Limits of open registration, so that strangers fill neither the database nor the audit trail: registrations of an
 * address and of all in an hour, refused ones included; as many changes, and those of one client; and audit records of
 * registrations. Each change has a record.
 */
import { nowMs } from '../../base/clock.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';

const windowSeconds = 3600;
/** Per process. Registrations with an initial access token are always recorded. */
const recordsAnHour = 100;
const changesOfClient = 60;

export function createRegistrationLimits(deps: {
  readonly throttle: Throttle;
  readonly config: { readonly registration: { readonly addressLimit: number; readonly limit: number } };
}) {
  const { addressLimit, limit } = deps.config.registration;
  let hour = { began: 0, records: 0, omitted: 0 };

  return {
    /** Counts a registration from this address. Throws `Unavailable`. */
    attempt: (address: string | undefined) =>
      deps.throttle.attempt(
        [
          { key: `registrations-from:${addressNetwork(address)}`, limit: addressLimit },
          { key: 'registrations', limit },
        ],
        windowSeconds,
      ),

    /** Counts a change of this client. `open`: it came without an initial access token. Throws `Unavailable`. */
    attemptChange: (id: string, { open, address }: { readonly open: boolean; readonly address: string | undefined }) =>
      deps.throttle.attempt(
        [
          { key: `registration-changes:${id}`, limit: changesOfClient },
          ...(open
            ? [
                { key: `registration-changes-from:${addressNetwork(address)}`, limit: addressLimit },
                { key: 'registration-changes', limit },
              ]
            : []),
        ],
        windowSeconds,
      ),

    /** How many records were left out since the last one, or undefined if this one is left out too. */
    mayRecord(): number | undefined {
      const now = nowMs();
      if (Math.abs(now - hour.began) >= windowSeconds * 1000) hour = { began: now, records: 0, omitted: hour.omitted };
      if (hour.records >= recordsAnHour) {
        hour.omitted += 1;
        return undefined;
      }
      const { omitted } = hour;
      hour.records += 1;
      hour.omitted = 0;
      return omitted;
    },
  };
}
