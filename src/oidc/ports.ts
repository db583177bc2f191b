/** The parts of the server that the protocol uses: pages and events. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuditFields } from '../core/kernel/audit.ts';
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
}

/** The events that the protocol reports. */
export interface ProtocolEvents {
  /** A reviewed client has redeemed a code whose request had neither PKCE nor a nonce. Does not wait. */
  unprotected(clientId: string): void;
  replayed(grantId: string, clientId: string | undefined, subject: string | undefined): void;
  signedOut(subject: string, clientId: string | undefined): void;
  /** A browser session ended as it began: its password changed, or its account was disabled, during the sign-in. */
  outdated(subject: string, clientId: string | undefined): void;
  /** A program allowed an application something for its user. The response waits until the event is stored. */
  allowed(consent: AuditFields): Promise<void>;
  /** An application got something without a question (its `consent` is `never`). The response waits for the record. */
  allowedByPolicy(consent: AuditFields): Promise<void>;
}
