/** Types and lists that several views, or the layout, share. */

/** A client as a page shows it. `name` is untrusted text. */
export interface ClientView {
  readonly name: string;
  readonly uri?: string | undefined;
  readonly host?: string | undefined;
  /** This server's own address for the logo, which it fetches (pages/client-logo). */
  readonly logo?: string | undefined;
  /** The client's own colours, `#rrggbb`. Two backgrounds are the ends of a gradient. */
  readonly accent?: string | undefined;
  readonly background?: readonly string[] | undefined;
  /** No operator has reviewed the client. The layout shows a notice on each page that names it. */
  readonly unreviewed?: boolean | undefined;
}

/** A sign-in provider as a page shows it. Without `mark` and `logo`, a monogram stands for it. */
export interface ProviderView {
  readonly name: string;
  /** A built-in mark, in `public/providers.svg`. */
  readonly mark?: string | undefined;
  /** The address of a picture that the deployment provides. */
  readonly logo?: string | undefined;
}

/** The person who is signed in, in the menu of the account. */
export interface Viewer {
  readonly name: string;
  readonly username: string;
}

export const setupErrors = [
  'required',
  'invalid',
  'taken',
  'too-short',
  'too-long',
  'too-common',
  'breached',
  'too-similar',
  'characters',
  'address',
  'ends-with-dot',
  'mixed-scripts',
  'reserved',
  'not-a-picture',
  'not-a-locale',
  'not-a-zone',
  'not-a-phone',
] as const;
export type SetupError = (typeof setupErrors)[number];

/** Problems that are not about a field. */
export const formProblems = ['throttled', 'busy'] as const;
export type FormProblemKind = (typeof formProblems)[number];

/** Why a form is shown again. */
export interface FormProblem {
  readonly error?: SetupError | undefined;
  readonly problem?: FormProblemKind | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** A form of an interaction. */
export interface ClientForm {
  readonly action: string;
  readonly csrf: string;
  readonly client?: ClientView | undefined;
}

/** Why a sign-in through another provider failed. */
export const upstreamFailures = [
  'denied',
  'unavailable',
  'wrong',
  'not-fresh',
  'expired',
  'throttled',
  /** The account here may not sign in. */
  'refused',
  /** Another account has been connected with this identity first. */
  'taken',
] as const;
export type UpstreamFailureKind = (typeof upstreamFailures)[number];

export interface ScopeView {
  readonly name: string;
  /** Absent for a scope of the catalogue. */
  readonly sentence?: string | undefined;
  /** Set if the scope is optional: the name of the form field with the person's choice. */
  readonly field?: string | undefined;
}

/** Scopes with a sentence in the catalogue. The API of any other scope provides its sentence. */
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

/** The menu of the account. Each is at `/account/<name>`, except the first; some have further pages. */
export const accountSections = [
  'overview',
  'profile',
  'security',
  'sessions',
  'connections',
  'applications',
  'activity',
  'data',
] as const;
export type AccountSection = (typeof accountSections)[number];

export const sectionIcons: Readonly<Record<AccountSection, string>> = {
  overview: 'home',
  profile: 'person',
  security: 'shield',
  sessions: 'computer',
  connections: 'link',
  applications: 'app',
  activity: 'activity',
  data: 'download',
};

/** Messages about the action just done, shown on the next page. */
export const accountNotices = [
  'account-ready',
  'profile-saved',
  'email-asked',
  'password-alone',
  'password-changed',
  'factor-added',
  'factor-removed',
  'factor-renamed',
  'codes-saved',
  'factor-too-many',
  'app-gone',
  'passkey-added',
  'passkey-renamed',
  'passkey-refused',
  'passkey-taken',
  'passkey-too-many',
  'passkey-name',
  'passkey-last',
  'email-code-on',
  'email-code-off',
  'session-ended',
  'sessions-ended',
  'connection-ended',
  'application-deleted',
  'identity-connected',
  'identity-removed',
  'identity-last',
] as const;
export type AccountNotice = (typeof accountNotices)[number];

/** Messages about a failure: pages show them as errors. */
export const problemNotices: readonly AccountNotice[] = [
  'factor-too-many',
  'app-gone',
  'passkey-refused',
  'passkey-taken',
  'passkey-too-many',
  'passkey-name',
  'passkey-last',
  'password-alone',
  'email-code-off',
  'identity-last',
];
