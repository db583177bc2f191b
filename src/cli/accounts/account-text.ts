/** An account as administrators see it. */
import { addressMembers } from '../../core/accounts/attributes.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { day, facts } from '../text.ts';

/** Without the password hash and the keys for comparing names. */
export function presented(account: Account) {
  const { passwordHash, usernameKey: _usernameKey, emailKey: _emailKey, address, ...rest } = account;
  return { ...rest, address: address === null ? null : { ...address }, hasPassword: passwordHash !== null };
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');

export const fullName = ({ firstName, lastName }: Account): string => `${firstName} ${lastName}`.trim();

export function shown(
  account: Account,
  { online, groups = [] }: { readonly online?: boolean; readonly groups?: readonly string[] } = {},
): string {
  const verified = account.verified ? 'verified' : 'not verified';
  return facts({
    Id: String(account.id),
    Subject: account.subject,
    Username: account.username,
    Name: fullName(account),
    'E-mail': account.email === null ? undefined : `${account.email} (${verified})`,
    Language: account.locale ?? undefined,
    'Time zone': account.zoneinfo ?? undefined,
    Picture: account.picture ?? undefined,
    Phone: account.phone === null ? undefined : `${account.phone} (${account.phoneVerified ? '' : 'not '}verified)`,
    Address: addressMembers.flatMap((member) => account.address?.[member]?.split('\n') ?? []),
    Groups: [...groups],
    Admin: yes(account.admin),
    'Second factor': yes(account.twoFactor),
    Password: account.passwordHash === null ? 'none: cannot sign in with one' : 'set',
    Status: account.disabledAt === null ? 'enabled' : `disabled since ${day(account.disabledAt)}`,
    Made: day(account.createdAt),
    Online: online === undefined ? undefined : yes(online),
    'Last seen': day(account.lastSeenAt) || 'never',
  });
}
