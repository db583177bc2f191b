/** What the pages need with which an account is made, regained and made safer. Part of the contract in views.ts. */
import { type ClientView, type FormProblemKind, formProblems, type SetupError, setupErrors } from './view-parts.ts';

/** In the first code of an app that is being added. */
export type EnrolError = 'missing' | 'wrong';
/** Why there is no second factor yet. */
export const enrolProblems = ['passkey-refused', 'passkey-taken', 'app-gone'] as const;

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
  'email-gone',
  'email-taken',
  'email-confirmed',
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** The pages that add a second factor on the way to an application. */
interface Enrol {
  readonly action: string;
  readonly csrf: string;
  readonly client?: ClientView | undefined;
}

export interface PeopleViews {
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
    /** Whose sign-in they come from. */
    readonly client?: ClientView | undefined;
    /** As it was typed. */
    readonly name?: string | undefined;
    readonly error?: 'missing' | 'throttled' | undefined;
    readonly retryAfterSeconds?: number | undefined;
    readonly back?: string | undefined;
  };
  reset: {
    readonly action: string;
    readonly csrf: string;
    readonly client?: ClientView | undefined;
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
    /** For whoever has none: to sign in another way, and back here. */
    readonly signIn: string;
    readonly error?: ConfirmError | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  notice: {
    readonly kind: NoticeKind;
    readonly client?: ClientView | undefined;
    /** How long a link works. */
    readonly seconds?: number | undefined;
    readonly go?: { readonly to: string; readonly as: 'signIn' | 'home' | 'account' | 'again' } | undefined;
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
}

/** Keys the views put together while they run. */
export const peopleTextKeys: readonly string[] = [
  ...setupErrors.map((error) => `setup.error.${error}`),
  ...formProblems.flatMap((problem) => [`form.${problem}.title`, `form.${problem}.text`]),
  ...confirmErrors.flatMap((error) => [`verify.error.${error}.title`, `verify.error.${error}.text`]),
  ...noticeKinds.flatMap((kind) => [`notice.${kind}.title`, `notice.${kind}.text`]),
  ...['signIn', 'home', 'account', 'again'].map((go) => `notice.go.${go}`),
];
