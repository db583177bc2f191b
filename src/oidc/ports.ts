/** What the protocol is given by the rest of the server. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '../base/log.ts';
import type { Apis } from '../core/apis/apis.ts';
import type { CachedClients } from '../core/clients/cached-clients.ts';
import type { SecondFactorRule } from '../core/factors/assurance.ts';
import type { FactorOffer } from '../core/factors/factor-offer.ts';
import type { Factors } from '../core/factors/factors.ts';
import type { AuditFields } from '../core/kernel/audit.ts';
import type { CredentialLimits } from '../core/kernel/credential-limits.ts';
import type { Keys } from '../core/keys/keys.ts';
import type { Refusals } from '../core/refusals/refusals.ts';
import type { AccountStore } from '../core/stores/accounts.ts';
import type { ConsentStore } from '../core/stores/consents.ts';
import type { EngineStore } from '../core/stores/engine.ts';
import type { GroupStore } from '../core/stores/groups.ts';
import type { Tokens } from '../core/tokens/tokens.ts';
import type { IsDeveloper } from '../http/developer.ts';
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

/** What the protocol tells the rest of the server. Nothing durable hangs on `issued`: it is told after the commit. */
export interface ProtocolEvents {
  issued(grantType: string, clientId: string, subject: string | undefined): void;
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

export interface ProtocolDeps {
  readonly issuer: string;
  /** Identifier of the built-in user API. */
  readonly userApi: string;
  readonly engine: EngineStore;
  readonly accounts: AccountStore;
  readonly groups: Pick<GroupStore, 'namesOf'>;
  readonly consents: ConsentStore;
  readonly clients: CachedClients;
  readonly credentials: CredentialLimits;
  readonly refusals: Refusals;
  /** Of the ids there are, those that may be the one that was meant. */
  readonly clientIdsNear: (id: string) => Promise<readonly string[]>;
  /** Whose request is answered with everything that is known of a refusal. */
  readonly isDeveloper: IsDeveloper;
  readonly apis: Apis;
  readonly tokens: Tokens;
  readonly keys: Keys;
  readonly pages: ProtocolPages;
  readonly events: ProtocolEvents;
  /** Both as core/sessions and core/accounts/activity have them: an API session's value in place of a cookie's, and who was just here. */
  readonly sessionValue: (uid: string) => string;
  readonly seen: (subject: string, sessionUid: string) => void;
  readonly log: Logger;
  readonly factors: Pick<Factors, 'methods' | 'adds'>;
  readonly factorOffer: FactorOffer;
  readonly settings: {
    readonly secondFactor: SecondFactorRule;
    /** From whom PKCE is due: public and unreviewed clients, and those that ask for it; or all. */
    readonly requirePkce: 'public' | 'all';
    /** Whether people may make accounts for themselves. */
    readonly signUp: boolean;
    readonly secretKey: string;
    readonly jwksMaxAge: number;
    /** Seconds. */
    readonly lifetimes: {
      readonly accessToken: number;
      readonly refreshToken: number;
      readonly refreshTokenIdle: number;
      readonly reuseWindow: number;
      readonly idToken: number;
      readonly authorizationCode: number;
      readonly session: number;
      /** Where the person did not choose to be remembered. */
      readonly sessionUnremembered: number;
      /** Without being used; 0: it does not matter. */
      readonly sessionIdle: number;
      readonly interaction: number;
    };
  };
}
