/**
 * Groups of users, managed by operators. The scope `groups` tells a client the user's groups; a group grants nothing by
 * itself. A group's name may change, its id never does.
 */
import { nowSeconds } from '../../base/clock.ts';
import { randomName } from '../../base/secrets.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import { fold, type NameProblem, nameProblems, readableProblem } from '../kernel/names.ts';
import type { Group, GroupMember, GroupStore, ListedGroup } from '../stores/groups.ts';

/** Code points. */
const longestName = 64;
const longestDescription = 200;

type InvalidGroup = {
  readonly outcome: 'invalid';
  readonly field: 'name' | 'description';
  readonly reason: NameProblem;
  readonly sentence: string;
};
export type SavedGroup =
  | { readonly outcome: 'saved'; readonly group: Group }
  | { readonly outcome: 'taken' | 'not-found' }
  | InvalidGroup;

/** All throw `Unavailable`. Changes resolve after the audit record is written. */
interface Groups {
  add(form: { readonly name: string; readonly description?: string | undefined }, caller?: Caller): Promise<SavedGroup>;
  /** Members that are left out stay. */
  rename(
    id: string,
    form: { readonly name?: string | undefined; readonly description?: string | undefined },
    caller?: Caller,
  ): Promise<SavedGroup>;
  /** Removes its memberships too. Returns their number, or undefined if there is no such group. */
  remove(group: Group, caller?: Caller): Promise<number | undefined>;
  join(group: Group, subject: string, caller?: Caller): Promise<'joined' | 'already' | 'no-account' | 'no-group'>;
  /** Returns false if the account was not a member. */
  leave(group: Group, subject: string, caller?: Caller): Promise<boolean>;
  /** Matches any spelling of the name. */
  findByName(name: string): Promise<Group | undefined>;
  findById(id: string): Promise<Group | undefined>;
  /** Groups with a name key after `after`, by name. `limit` is at most 1000. */
  list(after: string, limit: number): Promise<ListedGroup[]>;
  /** Members with an account id greater than `after`, ascending. `limit` is at most 1000. */
  members(id: string, after: number, limit: number): Promise<GroupMember[]>;
  /** The names of the user's groups, sorted. One round trip. */
  namesOf(subject: string): Promise<readonly string[]>;
}

export function createGroups(parts: { stores: { readonly groups: GroupStore }; audit: Audit }): Groups {
  const { audit } = parts;
  const store = parts.stores.groups;
  const written = createCallerRecord(audit);
  const about = ({ id, name }: Pick<Group, 'id' | 'name'>) => ({ group: id, name });

  return {
    async add(form, caller) {
      const [name, description] = [form.name.trim(), form.description?.trim() ?? ''];
      const invalid = groupProblem({ name, description });
      if (invalid !== undefined) return invalid;
      const now = nowSeconds();
      const group = { id: randomName(), name, nameKey: fold(name), description, createdAt: now, updatedAt: now };
      if (!(await store.insert(group))) return { outcome: 'taken' };
      await written('group.added', undefined, caller, about(group));
      return { outcome: 'saved', group };
    },

    async rename(id, form, caller) {
      const [name, description] = [form.name?.trim(), form.description?.trim()];
      const invalid = groupProblem({ name, description });
      if (invalid !== undefined) return invalid;
      const before = await store.byId(id);
      const named = name === undefined ? {} : { name, nameKey: fold(name) };
      const group = await store.update(
        id,
        { ...named, ...(description !== undefined && { description }) },
        nowSeconds(),
      );
      if (group === undefined || before === undefined) return { outcome: 'not-found' };
      if (group === 'taken') return { outcome: 'taken' };
      await written('group.changed', undefined, caller, { ...about(group), before: before.name });
      return { outcome: 'saved', group };
    },

    async remove(group, caller) {
      const members = await store.remove(group.id);
      if (members !== undefined) await written('group.removed', undefined, caller, about(group));
      return members;
    },

    async join(group, subject, caller) {
      const joined = await store.join(group.id, subject, nowSeconds());
      if (joined === 'joined') await written('group.joined', subject, caller, about(group));
      return joined;
    },

    async leave(group, subject, caller) {
      const left = await store.leave(group.id, subject);
      if (left) await written('group.left', subject, caller, about(group));
      return left;
    },

    async findByName(name) {
      return name.length > 4 * longestName ? undefined : store.byNameKey(fold(name.trim()));
    },
    findById: (id) => store.byId(id),
    list: (after, limit) => store.list(after, limit),
    members: (id, after, limit) => store.members(id, after, limit),
    namesOf: (subject) => store.namesOf(subject),
  };
}

function groupProblem(form: { readonly name?: string | undefined; readonly description?: string | undefined }) {
  const invalid = (field: InvalidGroup['field'], reason: NameProblem): InvalidGroup => {
    return { outcome: 'invalid', field, reason, sentence: nameProblems[reason] };
  };
  if (form.name !== undefined) {
    const reason = form.name === '' ? 'empty' : readableProblem(form.name, longestName);
    if (reason !== undefined) return invalid('name', reason);
  }
  const reason = form.description === undefined ? undefined : readableProblem(form.description, longestDescription);
  return reason === undefined ? undefined : invalid('description', reason);
}
