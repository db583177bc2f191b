/** What a change makes of an account: the members that really move, and their names for the audit record. */
import type { Account, AccountPatch } from '../stores/accounts.ts';

/** Keys, which follow their names, and what has a record of its own or is kept by this server. */
const unnamed: ReadonlySet<string> = new Set<keyof Account>([
  ...(['id', 'subject', 'usernameKey', 'emailKey', 'createdAt', 'updatedAt', 'lastSeenAt'] as const),
  ...(['twoFactor', 'admin', 'passwordHash', 'disabledAt'] as const),
]);

/** Values are compared as they are stored: an address is a small object. */
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** As a form has them: what is undefined is left out. */
type Wanted = { readonly [Member in keyof AccountPatch]?: AccountPatch[Member] | undefined };

/** Without what is so already; undefined: nothing moves. */
export function movingPatch(account: Account, patch: Wanted): AccountPatch | undefined {
  const moving = Object.entries(patch).filter(
    ([member, value]) => value !== undefined && !same(value, Reflect.get(account, member)),
  );
  return moving.length === 0 ? undefined : Object.fromEntries(moving);
}

/** Names only, in the order of their columns: an audit record outlives the account, and holds no one's address. */
export function changedMembers(before: Account, after: Account): readonly string[] {
  const moved = Object.entries(after).filter(([member, value]) => !same(Reflect.get(before, member), value));
  return moved.map(([member]) => member).filter((member) => !unnamed.has(member));
}
