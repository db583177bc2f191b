/** What several views are made of, and what every view or the layout can name. */

/** An application as a page names it. Only `name` is needed; it may be anything at all. */
export interface ClientView {
  readonly name: string;
  readonly uri?: string | undefined;
  readonly host?: string | undefined;
  /** Loaded by the browser, never by this server; `img-src` has to allow it. */
  readonly logo?: string | undefined;
  /** Colours of its own, `#rrggbb`; two of a background are the ends of a gradient. */
  readonly accent?: string | undefined;
  readonly background?: readonly string[] | undefined;
  /** No operator has looked at it: the layout says so on every page that names it. */
  readonly unreviewed?: boolean | undefined;
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

/** What keeps a form from being looked at, beside what is wrong in its fields. */
export const formProblems = ['throttled', 'busy'] as const;
export type FormProblemKind = (typeof formProblems)[number];

/** A form that is shown again: why. */
export interface FormProblem {
  readonly error?: SetupError | undefined;
  readonly problem?: FormProblemKind | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** A form on the way to an application. */
export interface ClientForm {
  readonly action: string;
  readonly csrf: string;
  readonly client?: ClientView | undefined;
}

/** Why a sign-in through another provider came to nothing. */
export const upstreamFailures = [
  'denied',
  'unavailable',
  'wrong',
  'not-fresh',
  'expired',
  'throttled',
  /** The account here must not be signed in to. */
  'refused',
  /** Somebody else has connected it meanwhile. */
  'taken',
] as const;
export type UpstreamFailureKind = (typeof upstreamFailures)[number];

export interface ScopeView {
  readonly name: string;
  /** Left out for a scope the catalogue knows. */
  readonly sentence?: string | undefined;
  /** Not granted to this application before. */
  readonly isNew?: boolean | undefined;
  /** The person may leave it out: the field of the form that holds their choice. */
  readonly field?: string | undefined;
}

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

/** The pages, in the order in which they are offered. Each is at `/account/<name>`, but for the first. */
export const accountSections = [
  'overview',
  'profile',
  'email',
  'password',
  'factors',
  'sessions',
  'connections',
  'applications',
  'activity',
  'data',
] as const;
export type AccountSection = (typeof accountSections)[number];

/** What has just been done, said on the page that follows. */
export const accountNotices = [
  'profile-saved',
  'email-asked',
  'password-alone',
  'password-changed',
  'factor-added',
  'factor-removed',
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

/** Those by which nothing came of it: a page shows them as it shows its other problems. */
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
