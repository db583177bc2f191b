/** The port of an upstream provider that authenticates users. login/upstream speaks its protocol. */
import type { Amr } from '../kernel/amr.ts';
import type { Freshness } from './upstream-state.ts';

/** A user as the provider describes them. Everything except `subject` may be the user's own choice. */
export interface UpstreamPerson {
  /** Stable and never reassigned: `sub`, or the numeric id. */
  readonly subject: string;
  readonly username: string | undefined;
  readonly email: string | undefined;
  /** The provider states that the address is the user's. */
  readonly emailVerified: boolean;
  readonly firstName: string;
  readonly lastName: string;
  readonly amr: readonly Amr[];
  /** Time of the sign-in there, if the provider sends it: seconds since the epoch. */
  readonly authTime: number | undefined;
}

export type UpstreamFailure =
  /** The user refused there. */
  | 'denied'
  /** No answer in time, or an answer that reports a failure. */
  | 'unavailable'
  /** An invalid answer: the code, the ID token or the issuer does not match the request. */
  | 'wrong'
  /** The client requires a fresh sign-in, and the provider did not ask the user for one. */
  | 'not-fresh';

/** `detail`: for the log; contains no secrets. */
export type Failed = { readonly outcome: 'failed'; readonly reason: UpstreamFailure; readonly detail: string };

/** `lacking`: data that is missing in the answer, for the log. */
interface Identified {
  readonly outcome: 'identified';
  readonly person: UpstreamPerson;
  readonly lacking?: string | undefined;
}

export interface UpstreamRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly fresh: Freshness;
  readonly uiLocales: string | undefined;
}

/** A built-in mark by its name in `public/providers.svg`, or the path of a picture. */
export type ProviderLogo = { readonly mark: string } | { readonly picture: string };

/** Failures of the provider are outcomes, not exceptions. */
export interface UpstreamProvider {
  /**
   * Lower-case letters, digits and hyphens: a part of URLs. Stored with identities, so no other provider may reuse it.
   */
  readonly id: string;
  /** As users know it. */
  readonly name: string;
  /** Undefined: pages show a monogram of the name. */
  readonly logo: ProviderLogo | undefined;
  /**
   * What happens if a client requires a fresh sign-in (`max_age`). `told`: the provider must send the time of its
   * sign-in. `assumed`: its answer counts as a fresh sign-in. `never`: this server does not offer the provider then.
   */
  readonly freshSignIn: 'told' | 'assumed' | 'never';
  /** Its users may create accounts here, as far as `SIGN_UP` allows. */
  readonly signUp: boolean;
  readonly trustEmail: boolean;
  /** If the provider reports two factors (RFC 8176), this server asks for none. */
  readonly trustMfa: boolean;
  /** Returns the URL to which the browser goes. */
  address(request: UpstreamRequest): Promise<{ readonly outcome: 'address'; readonly address: string } | Failed>;
  /** Redeems the provider's answer. `sentAt`: seconds since the epoch. */
  identify(
    answer: URLSearchParams,
    request: UpstreamRequest & { readonly sentAt: number },
  ): Promise<Identified | Failed>;
}

export interface ReadOptions {
  /** http is allowed on loopback. */
  readonly development: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The port of the login method that reads the file `UPSTREAMS`. Implemented in login/upstream. */
export interface ProviderSource {
  /** Returns all mistakes in the file, as text to print, or undefined if there are none. */
  mistakesIn(file: string, options: ReadOptions): Promise<string | undefined>;
  /** Returns the providers, and sends them no request. Throws an error that lists all mistakes. */
  open(file: string, options: ReadOptions): Promise<readonly UpstreamProvider[]>;
}
