/** The parts of the server that the protocol uses: pages and events. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuditFields } from '../core/kernel/audit.ts';
import type { Caller } from '../core/kernel/caller.ts';
import type { Shared } from '../core/stores/engine.ts';
import type { RecordedRefusal } from './refusals/recorded.ts';

/** The pages that the engine needs in its own responses. */
export interface ProtocolPages {
  /** `refusal`: the record of the refusal; undefined for a failure, such as a database that is unavailable. */
  error(
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
    refusal?: RecordedRefusal,
  ): void;
  /** Replaces a redirect to an application that no operator has reviewed. */
  unreviewed(ctx: KoaContextWithOIDC, error: Error, refusal: RecordedRefusal): void;
  logout(ctx: KoaContextWithOIDC, form: string): Promise<void> | void;
  signedOut(ctx: KoaContextWithOIDC): void;
  stale(ctx: KoaContextWithOIDC): void;
  readonly device: DevicePages;
}

/** Where and when a device asked, for the person who is to recognise it (RFC 8628, section 5.4). */
export interface RequestingPlace {
  readonly address: string;
  /** Untrusted. */
  readonly userAgent: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Why the page for a device's code is shown again. `stale`: the form is from an earlier page. */
export type DeviceProblem =
  | { readonly kind: 'missing' | 'unknown' | 'expired' | 'used' | 'stale' }
  /** `sign-in-first`: a person who signs in may go on. */
  | { readonly kind: 'throttled' | 'sign-in-first'; readonly retryAfter: number };

/** The pages of the device flow. `csrf`: the engine's token of this browser; undefined if it has no session. */
export interface DevicePages {
  enter(
    ctx: KoaContextWithOIDC,
    csrf: string | undefined,
    typed: string | undefined,
    problem: DeviceProblem | undefined,
  ): void;
  confirm(ctx: KoaContextWithOIDC, csrf: string, userCode: string, place: RequestingPlace): void | Promise<void>;
  done(ctx: KoaContextWithOIDC, outcome: 'approved' | 'denied'): void | Promise<void>;
}

export interface GrantEvent {
  readonly grantId: string;
  readonly kind: 'code' | 'refresh_token';
  readonly clientId: string | undefined;
  readonly subject: string | undefined;
  readonly caller: Caller;
}

/** The events that the protocol reports. */
export interface ProtocolEvents {
  /** A reviewed client has redeemed a code whose request had neither PKCE nor a nonce. Does not wait. */
  unprotected(clientId: string): void;
  /** A grant has ended, because its code or an old refresh token was used again. */
  replayed(grant: GrantEvent): void;
  /** The replacement of a refresh token went out more than three times, or to a second network. */
  shared(grant: GrantEvent & { readonly shared: Shared }): void;
  signedOut(subject: string, clientId: string | undefined): void;
  /** A browser session ended as it began: its password changed, or its account was disabled, during the sign-in. */
  outdated(subject: string, clientId: string | undefined): void;
  /** A person has allowed or refused a device. Does not wait. */
  deviceDecided(outcome: 'approved' | 'denied', fields: AuditFields): void;
  /** A program allowed an application something for its user. The response waits until the event is stored. */
  allowed(consent: AuditFields): Promise<void>;
  /** An application got something without a question (its `consent` is `never`). The response waits for the record. */
  allowedByPolicy(consent: AuditFields): Promise<void>;
}
