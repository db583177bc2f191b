/** An account, or what is to change of one, under the names of its columns. */
import { noAttributes } from '../../../core/accounts/attributes.ts';
import type { AccountPatch, NewAccount } from '../../../core/stores/accounts.ts';

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
  picture: 'picture',
  zoneinfo: 'zoneinfo',
  phone: 'phone',
  phoneVerified: 'phone_verified',
  address: 'address',
};

/** The members of the patch that are there, under the names of their columns. */
export function columns(patch: AccountPatch): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (const [member, column] of Object.entries(columnOf)) {
    const value: unknown = Reflect.get(patch, member);
    if (value !== undefined) named[column] = member === 'address' && value !== null ? JSON.stringify(value) : value;
  }
  return named;
}

export const newAccountColumns = (account: NewAccount): Record<string, unknown> => ({
  // All of them: rows that are written together have the same columns.
  ...columns({ ...noAttributes, ...account }),
  subject: account.subject,
  created_at: account.createdAt,
  updated_at: account.createdAt,
});
