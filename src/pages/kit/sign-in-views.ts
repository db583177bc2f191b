/** What the pages of signing in, allowing and signing out need to be shown, and those that refuse. Part of the contract in views.ts. */
import {
  type ClientView,
  type FormProblemKind,
  type ScopeView,
  type SetupError,
  type UpstreamFailureKind,
  upstreamFailures,
} from './view-parts.ts';

/** Each value that picks a text, listed once: the catalogue's test reads these lists too. */
export const loginErrors = ['wrong', 'throttled', 'busy', 'missing', 'expired', 'passkey'] as const;
export type LoginError = (typeof loginErrors)[number];

/** Why somebody who is signed in is asked once more: by their own pages, as it is too long ago, or because the application wants it. */
export const signInReasons = ['account', 'old', 'asked'] as const;
export type SignInReason = (typeof signInReasons)[number];

export const secondFactorErrors = [
  'missing',
  'wrong',
  'wrong-mail',
  'used',
  'locked',
  'over',
  'passkey',
  'throttled',
  /** One was mailed a moment ago. */
  'mail-wait',
  'mail-failed',
] as const;
export type SecondFactorError = (typeof secondFactorErrors)[number];

export const secondFactorMethods = ['passkey', 'totp', 'email-code', 'recovery-code'] as const;
export type SecondFactorMethod = (typeof secondFactorMethods)[number];

export const errorKinds = [
  /** The redirect address is missing or not registered. */
  'redirect',
  'unknown-client',
  /** Anything else the application's own request got wrong. */
  'request',
  /** A form without its token, or sent from another site. */
  'form',
  'forbidden',
  'throttled',
  'method',
  'too-large',
  /** A database or another part is away: 503. */
  'unavailable',
  'internal',
  /** The application's request ended in an error, and no operator has looked at the application: no redirect. */
  'unreviewed',
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** Why a person stays here instead of going to an unreviewed application. */
export const unreviewedReasons = ['cancelled', 'silent', 'request'] as const;
export type UnreviewedReason = (typeof unreviewedReasons)[number];

/** Why a person is asked although they may have allowed it before: the address proves nothing, or an operator wants it so. */
export const eachTimeReasons = ['unproven', 'policy'] as const;
export type EachTime = (typeof eachTimeReasons)[number];

/** Scopes with a sentence of their own in the catalogue; any other comes with the sentence of its API. */
export const knownScopes = [
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'groups',
  'offline_access',
  'user',
] as const;

export interface RefusalDetail {
  /** The check that failed, as a sentence or a parameter's name. */
  readonly check: string;
  readonly received?: string | undefined;
  /** Where `received` begins to differ from `expected`; everything from there on is marked. */
  readonly receivedMarkFrom?: number | undefined;
  readonly expected?: string | undefined;
  readonly advice?: string | undefined;
}

export interface SignInViews {
  welcome: {
    readonly issuer: string;
    readonly development: boolean;
    readonly account?: { readonly name: string; readonly username: string } | undefined;
    readonly signOut?: string | undefined;
  };
  login: {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    /** As it was typed. */
    readonly username?: string | undefined;
    /** They are signed in; left out: nobody is, or somebody else wants to. */
    readonly again?: SignInReason | undefined;
    readonly error?: LoginError | undefined;
    readonly retryAfterSeconds?: number | undefined;
    readonly signUp?: string | undefined;
    readonly forgot?: string | undefined;
    /** What the browser is to be asked for a passkey, in JSON; left out: no such button. */
    readonly passkey?: string | undefined;
    /** Other providers through which to sign in, and where that begins. */
    readonly providers?: readonly { readonly name: string; readonly to: string }[] | undefined;
    readonly failed?:
      | {
          readonly kind: UpstreamFailureKind;
          readonly provider: string;
          readonly reference: string;
          readonly retryAfterSeconds?: number | undefined;
        }
      | undefined;
    /** The account that is proved here is to be connected with this one. */
    readonly connecting?: { readonly provider: string; readonly label: string } | undefined;
    /** The box that keeps the browser signed in is ticked. */
    readonly keep?: boolean | undefined;
    /** Where another account can be chosen; left out: there is none. */
    readonly choose?: string | undefined;
    /** Where the cancel button posts to; null or left out: no such button. */
    readonly cancel?: string | null | undefined;
  };
  chooser: {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    /** At least one. */
    readonly accounts: readonly {
      readonly id: string;
      readonly name?: string | undefined;
      readonly username: string;
      /** Signed in at this moment. */
      readonly current: boolean;
      /** This browser can be told to forget it. */
      readonly remembered: boolean;
    }[];
    readonly cancel?: string | undefined;
  };
  'second-factor': {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    readonly account: { readonly name?: string | undefined; readonly username: string };
    readonly method: SecondFactorMethod;
    /** The other ways, and where each is asked for. */
    readonly others: readonly { readonly method: SecondFactorMethod; readonly to: string }[];
    /** For the method `passkey`: what the browser is to be asked, in JSON. */
    readonly passkey?: string | undefined;
    /** For the method `email-code`: where one has gone; left out: none has been sent yet. */
    readonly mailedTo?: string | undefined;
    /** They are signed in, and an application wants to be surer. */
    readonly stepUp?: boolean | undefined;
    readonly error?: SecondFactorError | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  /** Somebody whose second factor has gone, with a password that was long enough only beside it. */
  'longer-password': {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    readonly username: string;
    readonly minLength: number;
    readonly error?: SetupError | undefined;
    readonly problem?: FormProblemKind | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  consent: {
    readonly action: string;
    readonly csrf: string;
    /** Why they are asked although they may have allowed it before. */
    readonly eachTime?: EachTime | undefined;
    readonly client: ClientView & {
      readonly policyUri?: string | undefined;
      readonly tosUri?: string | undefined;
      readonly contacts?: readonly string[] | undefined;
      /** Where the answer goes. */
      readonly redirectHost?: string | undefined;
      /** The username of whoever registered it for themselves; left out: an admin did, or the server itself. */
      readonly owner?: string | undefined;
    };
    readonly account: {
      readonly name?: string | undefined;
      readonly username: string;
      readonly email?: string | undefined;
    };
    readonly scopes: readonly ScopeView[];
    /** Scopes that belong to an API, under its name. */
    readonly apis?: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[] | undefined;
  };
  logout: {
    /** The engine's own form, put into the page as it is. */
    readonly formHtml: string;
    readonly formId: string;
    readonly client?: { readonly name: string } | undefined;
    readonly account?: { readonly name: string } | undefined;
    /** The request proved itself: the script answers yes at once. */
    readonly auto: boolean;
  };
  'signed-out': {
    /** The person chose not to sign out. */
    readonly stayed?: boolean | undefined;
    readonly client?: { readonly name: string; readonly uri?: string | undefined } | undefined;
  };
  error: {
    readonly status: number;
    readonly kind: ErrorKind;
    /** What a developer looks for in the logs. */
    readonly reference: string;
    readonly clientName?: string | undefined;
    /** Of the kind `unreviewed`. */
    readonly why?: UnreviewedReason | undefined;
    /** The protocol's own `error` and `error_description`. */
    readonly code?: string | undefined;
    readonly description?: string | undefined;
    readonly detail?: RefusalDetail | undefined;
    readonly retryAfterSeconds?: number | undefined;
    readonly startAgain?: string | undefined;
  };
  stale: {
    /** It was the first administrator's link, not a sign-in. */
    readonly setup?: boolean | undefined;
    readonly startAgain?: string | undefined;
    readonly clientName?: string | undefined;
  };
  'not-found': Readonly<Record<string, never>>;
  language: {
    readonly csrf: string;
    /** A path of this server: where to go on. */
    readonly back: string;
    /** Tags of the languages there are. */
    readonly locales: readonly string[];
  };
}

/** Keys the views put together while they run. */
export const signInTextKeys: readonly string[] = [
  ...signInReasons.map((reason) => `login.again.${reason}`),
  ...loginErrors.flatMap((error) => [`login.error.${error}.title`, `login.error.${error}.text`]),
  ...secondFactorErrors.flatMap((error) => [`second.error.${error}.title`, `second.error.${error}.text`]),
  ...secondFactorMethods.map((method) => `second.use.${method}`),
  ...upstreamFailures.flatMap((kind) => [`upstream.failed.${kind}.title`, `upstream.failed.${kind}.text`]),
  ...unreviewedReasons.map((reason) => `error.unreviewed.${reason}`),
  ...errorKinds.flatMap((kind) => [`error.${kind}.title`, `error.${kind}.text`]),
  ...knownScopes.map((scope) => `scope.${scope}`),
  ...eachTimeReasons.map((reason) => `consent.each-time.${reason}`),
  ...['code', 'mail', 'recovery'].flatMap((words) =>
    ['title', 'text', 'label'].map((part) => `second.${words}.${part}`),
  ),
  ...['title', 'text'].map((part) => `second.passkey.${part}`),
];
