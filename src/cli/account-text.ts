/** An account as an admin sees it. */
import type { Account } from '../core/stores/accounts.ts';
import { day, facts } from './text.ts';

/** Without the password's hash and the keys by which names are compared. */
export function presented(account: Account) {
  const { passwordHash, usernameKey: _usernameKey, emailKey: _emailKey, ...rest } = account;
  return { ...rest, hasPassword: passwordHash !== null };
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');

export const fullName = ({ firstName, lastName }: Account): string => `${firstName} ${lastName}`.trim();

export function shown(account: Account, online?: boolean): string {
  const verified = account.verified ? 'verified' : 'not verified';
  return facts({
    Id: String(account.id),
    Subject: account.subject,
    Username: account.username,
    Name: fullName(account),
    'E-mail': account.email === null ? undefined : `${account.email} (${verified})`,
    Admin: yes(account.admin),
    'Second factor': yes(account.twoFactor),
    Password: account.passwordHash === null ? 'none: cannot sign in with one' : 'set',
    Status: account.disabledAt === null ? 'enabled' : `disabled since ${day(account.disabledAt)}`,
    Made: day(account.createdAt),
    Online: online === undefined ? undefined : yes(online),
    'Last seen': day(account.lastSeenAt) || 'never',
  });
}
