/** What core asks of a provider elsewhere that proves people; login/upstream speaks its protocol. */
import type { Amr } from '../kernel/amr.ts';
import type { Freshness } from './upstream-state.ts';

/** A person as the provider describes them. Everything but `subject` is only what they say of themselves. */
export interface UpstreamPerson {
  /** Lasting and never somebody else's: `sub`, or the numeric id. */
  readonly subject: string;
  readonly username: string | undefined;
  readonly email: string | undefined;
  /** The provider says that the address is the person's. */
  readonly emailVerified: boolean;
  readonly firstName: string;
  readonly lastName: string;
  readonly amr: readonly Amr[];
  /** When they proved themselves there, where it tells: seconds since the epoch. */
  readonly authTime: number | undefined;
}

export type UpstreamFailure =
  /** The person said no there. */
  | 'denied'
  /** No answer in time, or one that says that it cannot. */
  | 'unavailable'
  /** An answer that does not hold: a code, an ID token or an issuer that is not what was asked for. */
  | 'wrong'
  /** The person was not asked to sign in anew, although the application wanted that. */
  | 'not-fresh';

/** `detail`: for the log, without anything that could be used. */
export type Failed = { readonly outcome: 'failed'; readonly reason: UpstreamFailure; readonly detail: string };

/** `lacking`: what it should have told beside, for the log. */
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

/** Nothing is thrown for what the provider does or leaves undone. */
export interface UpstreamProvider {
  /** Lower-case letters, digits and hyphens: a part of addresses. Kept in the database, so never given to another provider. */
  readonly id: string;
  /** As people know it. */
  readonly name: string;
  /**
   * Where an application asks for a fresh sign-in (`max_age`): `told`, the provider has to say when the person signed in there;
   * `assumed`, it cannot, and its answer stands for one; `never`, it is not offered then.
   */
  readonly freshSignIn: 'told' | 'assumed' | 'never';
  /** Whoever it proves may make an account here, as far as `SIGN_UP` allows. */
  readonly signUp: boolean;
  readonly trustEmail: boolean;
  /** Where it says that it has asked for two factors (RFC 8176), none is asked for here. */
  readonly trustMfa: boolean;
  /** Where the browser goes. */
  address(request: UpstreamRequest): Promise<{ readonly outcome: 'address'; readonly address: string } | Failed>;
  /** Redeems the answer that came back. `sentAt`: seconds since the epoch. */
  identify(
    answer: URLSearchParams,
    request: UpstreamRequest & { readonly sentAt: number },
  ): Promise<Identified | Failed>;
}

export interface ReadOptions {
  /** http on loopback is good enough. */
  readonly development: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The login method behind them, which reads the file that UPSTREAMS names. Implemented in login/upstream. */
export interface ProviderSource {
  /** Everything that is wrong with the file, fit to be shown; undefined where nothing is. */
  mistakesIn(file: string, options: ReadOptions): Promise<string | undefined>;
  /** Ready, and not yet spoken to. Throws a plain error with every mistake. */
  open(file: string, options: ReadOptions): Promise<readonly UpstreamProvider[]>;
}
