/** What a person's own pages need to be shown. Part of the contract in views.ts; times are seconds since the epoch. */
import { type AddressPlace, addressPlaces } from './place.ts';
import type { ClientView, FormProblemKind, ScopeView, SetupError, UpstreamFailureKind } from './view-parts.ts';

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

/** Of a postal address (OpenID Connect Core, section 5.1.1). */
export const addressFields = ['street_address', 'postal_code', 'locality', 'region', 'country', 'formatted'] as const;
export type AddressField = (typeof addressFields)[number];
export type ProfileField = 'firstName' | 'lastName' | 'locale' | 'picture' | 'zoneinfo' | 'phone' | AddressField;

export const passwordFormErrors = ['missing', 'wrong'] as const;
export const appCodeErrors = ['missing', 'wrong'] as const;
export const deleteErrors = ['name', 'last-admin'] as const;
export const factorKinds = ['totp', 'email-code', 'passkey'] as const;
export const sessionDoors = ['browser', 'identity', 'security-service', 'tinyoauth'] as const;

/** Events of the audit trail that are about a person, and have words of their own on their page. */
export const activityEvents = [
  'sign_in.succeeded',
  'sign_in.challenged',
  'sign_in.failed',
  'sign_in.throttled',
  'sign_out',
  'session.ended',
  'session.replayed',
  'consent.granted',
  'consent.by_policy',
  'consent.denied',
  'consent.revoked',
  'account.created',
  'account.disabled',
  'account.enabled',
  'account.deleted',
  'account.password_changed',
  'account.profile_changed',
  'account.email_confirmed',
  'account.email_changed',
  'account.renamed',
  'account.updated',
  'account.promoted',
  'account.demoted',
  'email.requested',
  'reset.requested',
  'reset.link_made',
  'invitation.used',
  'mail.failed',
  'factor.added',
  'factor.removed',
  'factor.renamed',
  'email_code.sent',
  'recovery_codes.made',
  'recovery_code.used',
  'group.joined',
  'group.left',
  'device.remembered',
  'device.forgotten',
  'device.reported',
  'identity.linked',
  'identity.unlinked',
  'client.registered',
  'client.deleted',
  'grant.replayed',
  'setup.completed',
] as const;

interface AccountLocals {
  readonly notice?: AccountNotice | undefined;
}

interface AccountForm extends AccountLocals {
  readonly csrf: string;
}

export interface AccountViews {
  account: AccountLocals & {
    readonly account: {
      readonly name: string;
      readonly username: string;
      readonly email?: string | undefined;
      readonly verified: boolean;
      readonly hasPassword: boolean;
      readonly twoFactor: boolean;
      readonly createdAt: number;
      readonly lastSeenAt?: number | undefined;
    };
    readonly sessions: number;
    readonly connections: number;
    readonly applications: number;
  };
  'account-profile': AccountForm & {
    readonly username: string;
    readonly firstName: string;
    readonly lastName: string;
    /** Empty: the browser's. */
    readonly locale: string;
    /** Of the pages, and others that applications may have. */
    readonly locales: readonly string[];
    readonly languages: readonly string[];
    /** As they were typed; empty where there is none. */
    readonly picture: string;
    readonly zoneinfo: string;
    readonly phone: string;
    readonly address: Readonly<Partial<Record<AddressField, string>>>;
    /** Names of time zones to choose from. */
    readonly zones: readonly string[];
    readonly errors: Readonly<Partial<Record<ProfileField, SetupError>>>;
  };
  'account-email': AccountForm & {
    readonly current?: string | undefined;
    readonly verified: boolean;
    /** As it was typed. */
    readonly email?: string | undefined;
    readonly error?: SetupError | undefined;
    readonly problem?: FormProblemKind | undefined;
    readonly retryAfterSeconds?: number | undefined;
    /** No mails leave this server, so nothing can be proved. */
    readonly noMail: boolean;
  };
  'account-password': AccountForm & {
    readonly username: string;
    readonly hasPassword: boolean;
    /** Other providers can be signed in with. */
    readonly others?: boolean | undefined;
    readonly minLength: number;
    /** In what was given as the password so far. */
    readonly current?: (typeof passwordFormErrors)[number] | undefined;
    readonly error?: SetupError | undefined;
    readonly problem?: FormProblemKind | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  'account-factors': AccountForm & {
    readonly factors: readonly {
      readonly id: string;
      readonly kind: (typeof factorKinds)[number];
      readonly name: string;
      readonly createdAt: number;
      readonly lastUsedAt?: number | undefined;
      readonly locked: boolean;
      /** It cannot be removed: nobody could sign in without it. */
      readonly needed: boolean;
    }[];
    readonly codesLeft: number;
    readonly twoFactor: boolean;
    /** They could be switched on. */
    readonly emailCodes: boolean;
  };
  'account-passkeys': AccountForm & {
    readonly passkeys: readonly {
      readonly id: string;
      readonly name: string;
      readonly synced: boolean;
      readonly createdAt: number;
      readonly lastUsedAt?: number | undefined;
      /** It cannot be removed: nobody could sign in without it. */
      readonly needed: boolean;
    }[];
    /** What the browser is to be asked for a new one, in JSON; left out: there are as many as there can be. */
    readonly options?: string | undefined;
  };
  'account-app': AccountForm & {
    /** Base32, in groups. */
    readonly secret: string;
    readonly code: { readonly size: number; readonly path: string };
    readonly error?: (typeof appCodeErrors)[number] | undefined;
  };
  'account-codes': AccountForm & { readonly codes: readonly string[] };
  'account-sessions': AccountForm & {
    readonly sessions: readonly {
      readonly id: string;
      readonly door: string;
      /** Made of what the program says of itself. */
      readonly program?: string | undefined;
      readonly system?: string | undefined;
      readonly address?: string | undefined;
      /** What the address says by itself. */
      readonly place?: AddressPlace | undefined;
      readonly createdAt: number;
      readonly lastSeenAt?: number | undefined;
      readonly here: boolean;
    }[];
    readonly others: boolean;
    readonly older?: string | undefined;
  };
  'account-connections': AccountForm & {
    readonly connections: readonly {
      readonly id: string;
      readonly client: ClientView;
      readonly scopes: readonly ScopeView[];
      readonly apis: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[];
      readonly since: number;
      readonly lastUsedAt?: number | undefined;
    }[];
  };
  /** Accounts at other providers. */
  'account-identities': AccountForm & {
    readonly identities: readonly {
      readonly id: string;
      readonly provider: string;
      /** What the person is called there. */
      readonly label: string;
      readonly createdAt: number;
      readonly lastUsedAt?: number | undefined;
    }[];
    /** Those that can be connected, and where that begins. */
    readonly providers: readonly { readonly name: string; readonly to: string }[];
    readonly failed?: { readonly kind: UpstreamFailureKind; readonly provider: string } | undefined;
  };
  'account-identity': AccountForm & { readonly provider: string; readonly label: string; readonly username: string };
  'account-applications': AccountForm & {
    readonly applications: readonly {
      readonly id: string;
      readonly name: string;
      readonly redirectUris: readonly string[];
      readonly createdAt: number;
      readonly disabled: boolean;
    }[];
    readonly more?: string | undefined;
  };
  'account-activity': AccountLocals & {
    readonly events: readonly {
      readonly event: string;
      readonly at: number;
      readonly client?: string | undefined;
      readonly program?: string | undefined;
      readonly system?: string | undefined;
      readonly address?: string | undefined;
      readonly place?: AddressPlace | undefined;
      readonly byAdmin: boolean;
    }[];
    readonly older?: string | undefined;
  };
  'account-data': AccountLocals;
  'account-delete': AccountForm & {
    readonly username: string;
    readonly applications: number;
    readonly typed?: string | undefined;
    readonly error?: (typeof deleteErrors)[number] | undefined;
  };
  'account-deleted': Readonly<Record<string, never>>;
}

/** Keys the views put together while they run. */
export const accountTextKeys: readonly string[] = [
  ...accountSections.map((section) => `account.${section}.title`),
  ...accountNotices.map((notice) => `account.notice.${notice}`),
  ...addressFields.map((field) => `account.profile.${field}`),
  ...passwordFormErrors.map((error) => `account.password.current.${error}`),
  ...appCodeErrors.map((error) => `account.app.error.${error}`),
  ...deleteErrors.map((error) => `account.delete.error.${error}`),
  ...factorKinds.map((kind) => `account.factor.${kind}`),
  ...addressPlaces.map((place) => `account.address.${place}`),
  ...sessionDoors.map((door) => `account.door.${door}`),
  ...activityEvents.map((event) => `account.event.${event}`),
  ...['sessions', 'connections', 'applications'].map((things) => `account.${things}.count`),
];
