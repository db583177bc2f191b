/** Groups of people. */
export interface Group {
  /** Random, never changes, never reused. */
  readonly id: string;
  /** As given. Compared by `nameKey` (core/accounts/groups makes it: NFKC, case folded). */
  readonly name: string;
  readonly nameKey: string;
  readonly description: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ListedGroup extends Group {
  readonly members: number;
}

export interface GroupMember {
  /** Of the account: numeric, for paging. */
  readonly id: number;
  readonly subject: string;
  readonly username: string;
  readonly since: number;
}

export type GroupPatch = Partial<Pick<Group, 'name' | 'nameKey' | 'description'>>;

export interface GroupStore {
  /** One group per `nameKey`, also under concurrent calls; false where it is another's. */
  insert(group: Group): Promise<boolean>;
  byId(id: string): Promise<Group | undefined>;
  byNameKey(key: string): Promise<Group | undefined>;
  /** Undefined where there is no such group. */
  update(id: string, patch: GroupPatch, now: number): Promise<Group | 'taken' | undefined>;
  /** With its memberships, in one transaction; how many there were, undefined where there is no such group. */
  remove(id: string): Promise<number | undefined>;
  /** By name key, ascending, `limit` at most 1000, those with a key greater than `after` ('' for the first page). */
  list(after: string, limit: number): Promise<ListedGroup[]>;
  /** Never leaves a membership of an account or a group that is not there. */
  join(id: string, subject: string, now: number): Promise<'joined' | 'already' | 'no-account' | 'no-group'>;
  /** False: it was no member. */
  leave(id: string, subject: string): Promise<boolean>;
  /** By the account's number, ascending, `limit` at most 1000, those greater than `after`. */
  members(id: string, after: number, limit: number): Promise<GroupMember[]>;
  /** Of this person, by name key. One round trip. */
  namesOf(subject: string): Promise<string[]>;
}
