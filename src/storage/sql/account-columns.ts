/** An account, or what is to change of one, under the names of its columns. */
import type { AccountPatch, NewAccount } from '../../core/stores/accounts.ts';

const columnOf: Readonly<Record<keyof AccountPatch, string>> = {
  username: 'username',
  usernameKey: 'username_key',
  firstName: 'first_name',
  lastName: 'last_name',
  email: 'email',
  emailKey: 'email_key',
  verified: 'verified',
  twoFactor: 'two_factor',
  admin: 'admin',
  passwordHash: 'password_hash',
  disabledAt: 'disabled_at',
  lastSeenAt: 'last_seen_at',
  locale: 'locale',
};

/** The members of the patch that are there, under the names of their columns. */
export function columns(patch: AccountPatch): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (const [member, column] of Object.entries(columnOf)) {
    const value: unknown = Reflect.get(patch, member);
    if (value !== undefined) named[column] = value;
  }
  return named;
}

export const newAccountColumns = (account: NewAccount): Record<string, unknown> => ({
  ...columns(account),
  subject: account.subject,
  created_at: account.createdAt,
  updated_at: account.createdAt,
});
