/** What has just been done, or could not be: each notice on the page that says it. */

import { csrf, emptyProfile, type ViewState } from '../kit/state.ts';
import { type AccountNotice, accountNotices } from '../kit/view-parts.ts';

const createdAt = 1_800_000_000;
const app = { id: 'f1', kind: 'totp', name: 'phone', createdAt, locked: false, needed: false } as const;
const passkey = { id: 'p1', name: 'laptop', synced: true, createdAt, needed: true };
const options = '{"challenge":"c0ffee","rp":{"name":"Gatehouse"}}';
const here = { id: 's1', door: 'browser', program: 'Firefox', system: 'Linux', createdAt, here: true };
const providers = [{ name: 'Example University', to: '/account/identities/connect/university' }];
const identity = { id: 'i1', provider: 'GitHub', label: 'ada-l', createdAt };

type Page = (notice: AccountNotice, name: string) => ViewState;

const profile: Page = (notice, name) => ({
  name,
  view: 'account-profile',
  locals: { ...emptyProfile, errors: {}, notice },
});

const email: Page = (notice, name) => ({
  name,
  view: 'account-email',
  locals: { csrf, verified: true, noMail: false, email: 'ada@example.net', notice },
});

const password: Page = (notice, name) => ({
  name,
  view: 'account-password',
  locals: { csrf, username: 'ada', hasPassword: true, minLength: 15, notice },
});

const factors: Page = (notice, name) => ({
  name,
  view: 'account-factors',
  locals: { csrf, factors: [app], codesLeft: 10, twoFactor: true, emailCodes: notice !== 'email-code-on', notice },
});

const passkeys: Page = (notice, name) => ({
  name,
  view: 'account-passkeys',
  locals: {
    ...{ csrf, passkeys: [passkey], notice },
    ...(notice !== 'passkey-too-many' && { options }),
  },
});

const sessions: Page = (notice, name) => ({
  name,
  view: 'account-sessions',
  locals: { csrf, sessions: [here], others: false, notice },
});

const connections: Page = (notice, name) => ({
  name,
  view: 'account-connections',
  locals: { csrf, connections: [], notice },
});

const applications: Page = (notice, name) => ({
  name,
  view: 'account-applications',
  locals: { csrf, applications: [], notice },
});

const identities: Page = (notice, name) => ({
  name,
  view: 'account-identities',
  locals: { csrf, identities: notice === 'identity-removed' ? [] : [identity], providers, notice },
});

const saidOn: Readonly<Record<AccountNotice, Page>> = {
  'profile-saved': profile,
  'email-asked': email,
  'password-alone': password,
  'password-changed': password,
  'factor-added': factors,
  'factor-removed': factors,
  'factor-too-many': factors,
  'app-gone': factors,
  'passkey-added': passkeys,
  'passkey-renamed': passkeys,
  'passkey-refused': passkeys,
  'passkey-taken': passkeys,
  'passkey-too-many': passkeys,
  'passkey-name': passkeys,
  'passkey-last': passkeys,
  'email-code-on': factors,
  'email-code-off': factors,
  'session-ended': sessions,
  'sessions-ended': sessions,
  'connection-ended': connections,
  'application-deleted': applications,
  'identity-connected': identities,
  'identity-removed': identities,
  'identity-last': identities,
};

export const accountNoticeStates: readonly ViewState[] = accountNotices.map((notice) =>
  saidOn[notice](notice, `account-notice-${notice}`),
);
