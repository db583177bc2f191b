/** What a change makes of an account: the members that really move, and their names for the audit record. */
import type { Account, AccountPatch } from '../stores/accounts.ts';

/** Of those that an operator or the person changes; keys follow their names. */
const named = [
  'username',
  'firstName',
  'lastName',
  'email',
  'verified',
  'locale',
  'picture',
  'zoneinfo',
  'phone',
  'phoneVerified',
  'address',
] as const satisfies readonly (keyof Account)[];

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

/** Names only: an audit record outlives the account, and holds no one's address. */
export function changedMembers(before: Account, after: Account): readonly string[] {
  return named.filter((member) => !same(before[member], after[member]));
}
