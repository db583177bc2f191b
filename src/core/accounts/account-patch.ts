/** Which members of an account a change alters, and their names for the audit record. */
import type { Account, AccountPatch } from '../stores/accounts.ts';

/** Not named in the audit record: keys, members with an event of their own, and members that this server maintains. */
const unnamed: ReadonlySet<string> = new Set<keyof Account>([
  'id',
  'subject',
  'usernameKey',
  'emailKey',
  'createdAt',
  'updatedAt',
  'lastSeenAt',
  'twoFactor',
  'admin',
  'passwordHash',
  'disabledAt',
]);

/** Compares as JSON, because `address` is an object. */
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Undefined members are left out. */
type Wanted = { readonly [Member in keyof AccountPatch]?: AccountPatch[Member] | undefined };

/** Returns the members that differ from the account, or undefined if none does. */
export function movingPatch(account: Account, patch: Wanted): AccountPatch | undefined {
  const moving = Object.entries(patch).filter(
    ([member, value]) => value !== undefined && !same(value, Reflect.get(account, member)),
  );
  return moving.length === 0 ? undefined : Object.fromEntries(moving);
}

/** Returns names in column order, without values: audit records outlive the account and hold no personal data. */
export function changedMembers(before: Account, after: Account): readonly string[] {
  const moved = Object.entries(after).filter(([member, value]) => !same(Reflect.get(before, member), value));
  return moved.map(([member]) => member).filter((member) => !unnamed.has(member));
}
