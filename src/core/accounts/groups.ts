/**
 * Groups of people, kept by operators. Applications are told a person's groups by the scope `groups`; nothing here
 * grants anything by itself. A name may change, the id never does.
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

/** All throw `Unavailable`; a change is on record when it resolves. */
interface Groups {
  add(form: { readonly name: string; readonly description?: string | undefined }, caller?: Caller): Promise<SavedGroup>;
  /** What is left out stays. */
  rename(
    id: string,
    form: { readonly name?: string | undefined; readonly description?: string | undefined },
    caller?: Caller,
  ): Promise<SavedGroup>;
  /** With its memberships; how many there were, undefined where there is no such group. */
  remove(group: Group, caller?: Caller): Promise<number | undefined>;
  join(group: Group, subject: string, caller?: Caller): Promise<'joined' | 'already' | 'no-account' | 'no-group'>;
  /** False: it was no member. */
  leave(group: Group, subject: string, caller?: Caller): Promise<boolean>;
  /** By any spelling of the name. */
  findByName(name: string): Promise<Group | undefined>;
  findById(id: string): Promise<Group | undefined>;
  /** By name, those after this name key, at most 1000. */
  list(after: string, limit: number): Promise<ListedGroup[]>;
  /** By the account's number, ascending, those greater than `after`, at most 1000. */
  members(id: string, after: number, limit: number): Promise<GroupMember[]>;
  /** The names of a person's groups, in their order. One round trip. */
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
