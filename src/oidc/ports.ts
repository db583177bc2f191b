/** What the protocol is given by the rest of the server. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuditFields } from '../core/kernel/audit.ts';
import type { RecordedRefusal } from './refusals/recorded.ts';

/** The pages the engine asks for in the middle of its own answers. */
export interface ProtocolPages {
  /** `refusal`: its record; left out for what is no refusal, such as a database that is away. */
  error(
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
    refusal?: RecordedRefusal,
  ): void;
  /** In place of a redirect to an application that no operator has looked at. */
  unreviewed(ctx: KoaContextWithOIDC, error: Error, refusal: RecordedRefusal): void;
  logout(ctx: KoaContextWithOIDC, form: string): Promise<void> | void;
  signedOut(ctx: KoaContextWithOIDC): void;
  stale(ctx: KoaContextWithOIDC): void;
}

/** What the protocol tells the rest of the server. */
export interface ProtocolEvents {
  /** A reviewed client has redeemed a code of a request that had neither PKCE nor a nonce. Never waits. */
  unprotected(clientId: string): void;
  replayed(grantId: string, clientId: string | undefined, subject: string | undefined): void;
  signedOut(subject: string, clientId: string | undefined): void;
  /** A browser's session was ended as it began: the password it began with was changed, or the account disabled, meanwhile. */
  outdated(subject: string, clientId: string | undefined): void;
  /** A program has allowed an application something in its person's place. The answer waits until it is on record. */
  allowed(consent: AuditFields): Promise<void>;
  /** An application was given something without a question (its `consent` is `never`). The same goes for its record. */
  allowedByPolicy(consent: AuditFields): Promise<void>;
}
