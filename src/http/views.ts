/**
 * What each page needs to be shown: the contract between whoever answers a request and the file under `views/`.
 *
 * Names, addresses and sentences arrive as they were registered or typed. The views clip, isolate and escape them and
 * leave out any link that is not http or https, so nobody has to prepare a value for being shown.
 */

import { letterKinds } from '../core/mailer.ts';
import { type AccountViews, accountTextKeys } from './account-views.ts';
import { brandLinks } from './brand.ts';
import {
  type ClientView,
  type FormProblemKind,
  formProblems,
  type ScopeView,
  type SetupError,
  setupErrors,
  type UpstreamFailureKind,
  upstreamFailures,
} from './view-parts.ts';

export {
  type ClientView,
  type FormProblemKind,
  formProblems,
  type ScopeView,
  type SetupError,
  setupErrors,
  type UpstreamFailureKind,
  upstreamFailures,
};

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

/** In the first code of an app that is being added. */
export type EnrolError = 'missing' | 'wrong';
/** Why there is no second factor yet. */
export const enrolProblems = ['passkey-refused', 'passkey-taken', 'app-gone'] as const;

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
] as const;
export type ErrorKind = (typeof errorKinds)[number];

export type SetupField = 'username' | 'first_name' | 'last_name' | 'email' | 'password';

export const confirmErrors = ['missing', 'wrong', 'throttled', 'busy'] as const;
export type ConfirmError = (typeof confirmErrors)[number];

/** Pages that say how something ended, and where to go from there. */
export const noticeKinds = [
  'sign-up-off',
  'sign-up-invited-only',
  'invitation-gone',
  'signed-up',
  'signed-up-mail',
  'no-mail',
  'reset-sent',
  'reset-gone',
  'reset-done',
  'email-gone',
  'email-taken',
  'email-confirmed',
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** Scopes with a sentence of their own in the catalogue; any other comes with the sentence of its API. */
export const knownScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'user'] as const;

/** What `public/playground.js` says; the page hands it the texts. */
export const playgroundTexts = [
  'title.discovery',
  'title.authorize',
  'title.callback',
  'title.redeem',
  'title.jwks',
  'title.id_token',
  'title.refresh',
  'title.userinfo',
  'title.user_info',
  'title.revoke',
  'title.logout',
  'title.back_from_logout',
  'title.failed',
  'send.authorize',
  'send.logout',
  'about.authorize',
  'about.logout',
  'about.pkce',
  'check.state',
  'check.iss',
  'check.signature',
  'check.issuer',
  'check.audience',
  'check.nonce',
  'check.expiry',
  'check.pass',
  'check.fail',
  'error.refused',
  'error.state',
  'error.iss',
  'error.network',
  'error.insecure',
  'label.request',
  'label.answer',
  'label.decoded',
  'label.parameters',
  'label.checks',
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

/** A member of a body, or a parameter. */
export interface FieldView {
  /** Members of members by their path: `user_data.first_name`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

export interface OperationView {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description?: string | undefined;
  /** Ways to authenticate, a sentence each. */
  readonly security: readonly string[];
  readonly parameters: readonly FieldView[];
  readonly body?: {
    readonly type: string;
    readonly description: string;
    readonly fields: readonly FieldView[];
    readonly example?: string | undefined;
  };
  readonly answers: readonly {
    readonly status: number;
    readonly description: string;
    readonly headers: readonly { readonly name: string; readonly description: string }[];
    /** Where it is not JSON as usual. */
    readonly type?: string | undefined;
    /** None for a body that is the API's usual error. */
    readonly fields: readonly FieldView[];
    readonly example?: string | undefined;
  }[];
}

/** The pages that add a second factor on the way to an application. */
interface Enrol {
  readonly action: string;
  readonly csrf: string;
  readonly client?: ClientView | undefined;
}

export interface ViewLocals extends AccountViews {
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
  enrol: Enrol & {
    readonly account: { readonly name?: string | undefined; readonly username: string };
    /** They may go on without. */
    readonly invited: boolean;
    /** An authenticator app would do. */
    readonly app: boolean;
    /** What the browser is asked to make a passkey with, in JSON; left out: there can be no more. */
    readonly passkey?: string | undefined;
    readonly problem?: (typeof enrolProblems)[number] | undefined;
  };
  'enrol-app': Enrol & {
    /** Base32, in groups. */
    readonly secret: string;
    readonly code: { readonly size: number; readonly path: string };
    readonly error?: EnrolError | undefined;
  };
  'enrol-codes': Enrol & { readonly codes: readonly string[] };
  'sign-up': {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    readonly minLength: number;
    /** `none`: there is nobody to prove it to. Otherwise asked for, or what the invitation was mailed to. */
    readonly emailField: 'none' | 'asked' | 'fixed';
    readonly username?: string | undefined;
    readonly email?: string | undefined;
    readonly errors: Readonly<Partial<Record<'username' | 'email' | 'password', SetupError>>>;
    readonly problem?: FormProblemKind | undefined;
    readonly retryAfterSeconds?: number | undefined;
    /** For those who have an account. */
    readonly signIn?: string | undefined;
  };
  forgot: {
    readonly action: string;
    readonly csrf: string;
    /** As it was typed. */
    readonly name?: string | undefined;
    readonly error?: 'missing' | 'throttled' | undefined;
    readonly retryAfterSeconds?: number | undefined;
    readonly back?: string | undefined;
  };
  reset: {
    readonly action: string;
    readonly csrf: string;
    readonly username: string;
    readonly minLength: number;
    /** Accounts at other providers that sign in here. */
    readonly elsewhere: readonly { readonly id: string; readonly provider: string; readonly label: string }[];
    /** They are to stay connected. */
    readonly keep?: boolean | undefined;
    readonly error?: SetupError | undefined;
    readonly problem?: FormProblemKind | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  'verify-email': {
    readonly action: string;
    readonly csrf: string;
    readonly email: string;
    readonly username: string;
    /** Nobody, or somebody else, is signed in in this browser. */
    readonly askPassword: boolean;
    readonly error?: ConfirmError | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  notice: {
    readonly kind: NoticeKind;
    /** How long a link works. */
    readonly seconds?: number | undefined;
    readonly go?: { readonly to: string; readonly as: 'signIn' | 'home' | 'account' | 'again' } | undefined;
  };
  'dev-mails': {
    readonly mails: readonly {
      readonly to: string;
      readonly subject: string;
      readonly text: string;
      readonly link: string | undefined;
      /** Seconds since the epoch. */
      readonly at: number;
    }[];
  };
  /** Somebody whom another provider has proved, and whom nobody here knows yet. */
  'upstream-new': {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    readonly provider: string;
    /** What the person is called there. */
    readonly label: string;
    readonly email?: string | undefined;
    readonly signUp: boolean;
    /** An account here has that address: it can be connected, and no other be made. */
    readonly known: boolean;
    /** As it was typed, or as the person is called there. */
    readonly username?: string | undefined;
    readonly error?: SetupError | undefined;
    readonly problem?: FormProblemKind | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  /** Somebody on the way, for a moment. */
  onward: { readonly to: string };
  'upstream-connect': {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
    readonly provider: string;
    readonly label: string;
    readonly account: { readonly name?: string | undefined; readonly username: string };
  };
  consent: {
    readonly action: string;
    readonly csrf: string;
    readonly client: ClientView & {
      readonly policyUri?: string | undefined;
      readonly tosUri?: string | undefined;
      readonly contacts?: readonly string[] | undefined;
      /** Where the answer goes. */
      readonly redirectHost?: string | undefined;
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
    /** The protocol's own `error` and `error_description`. */
    readonly code?: string | undefined;
    readonly description?: string | undefined;
    readonly detail?: RefusalDetail | undefined;
    readonly retryAfterSeconds?: number | undefined;
    readonly startAgain?: string | undefined;
  };
  setup: {
    readonly action: string;
    readonly csrf: string;
    readonly minLength: number;
    readonly username?: string | undefined;
    readonly firstName?: string | undefined;
    readonly lastName?: string | undefined;
    readonly email?: string | undefined;
    readonly errors: Readonly<Partial<Record<SetupField, SetupError>>>;
  };
  'setup-done': {
    readonly username: string;
    readonly development: boolean;
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
  gallery: {
    readonly locales: readonly string[];
    /** The one that the links lead to. */
    readonly shownIn: string;
    readonly views: readonly { readonly name: string; readonly states: readonly string[] }[];
  };
  openapi: {
    readonly apis: readonly {
      readonly name: string;
      readonly title: string;
      readonly about: string;
      readonly operations: readonly Pick<OperationView, 'id' | 'method' | 'path' | 'summary'>[];
    }[];
  };
  'openapi-api': {
    readonly title: string;
    readonly about: string;
    /** Further places where the same is mounted. */
    readonly bases: readonly string[];
    /** The body of its errors. */
    readonly failure: { readonly fields: readonly FieldView[]; readonly example?: string | undefined };
    readonly operations: readonly OperationView[];
    /** Addresses at which another API's operation answers. */
    readonly aliases: readonly (Pick<OperationView, 'id' | 'method' | 'path' | 'summary'> & {
      readonly of: string;
      readonly href: string;
    })[];
  };
  playground: {
    readonly issuer: string;
    readonly clientId: string;
    readonly redirectUri: string;
    /** Offered for signing in; `openid profile email` unless told otherwise. */
    readonly scope?: string | undefined;
  };
}

export type ViewName = keyof ViewLocals;

/** Keys the views put together while they run, as opposed to those written out in them. */
export const dynamicTextKeys: readonly string[] = [
  ...loginErrors.flatMap((error) => [`login.error.${error}.title`, `login.error.${error}.text`]),
  ...signInReasons.map((reason) => `login.again.${reason}`),
  ...secondFactorErrors.flatMap((error) => [`second.error.${error}.title`, `second.error.${error}.text`]),
  ...['code', 'mail', 'recovery'].flatMap((words) =>
    ['title', 'text', 'label'].map((part) => `second.${words}.${part}`),
  ),
  ...['title', 'text'].map((part) => `second.passkey.${part}`),
  ...secondFactorMethods.map((method) => `second.use.${method}`),
  ...upstreamFailures.flatMap((kind) => [`upstream.failed.${kind}.title`, `upstream.failed.${kind}.text`]),
  ...errorKinds.flatMap((kind) => [`error.${kind}.title`, `error.${kind}.text`]),
  ...setupErrors.map((error) => `setup.error.${error}`),
  ...formProblems.flatMap((problem) => [`form.${problem}.title`, `form.${problem}.text`]),
  ...confirmErrors.flatMap((error) => [`verify.error.${error}.title`, `verify.error.${error}.text`]),
  ...noticeKinds.flatMap((kind) => [`notice.${kind}.title`, `notice.${kind}.text`]),
  ...['signIn', 'home', 'account', 'again'].map((go) => `notice.go.${go}`),
  ...letterKinds.flatMap((kind) =>
    ['subject', 'text', ...(kind === 'sign-in-code' ? [] : ['button'])].map((part) => `mail.${kind}.${part}`),
  ),
  ...['link', 'notice'].map((kind) => `mail.end.${kind}`),
  ...knownScopes.map((scope) => `scope.${scope}`),
  ...brandLinks.map((link) => `footer.${link}`),
  ...accountTextKeys,
  ...playgroundTexts.map((key) => `playground.js.${key}`),
];
