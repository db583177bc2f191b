/** A group of accounts. */
export interface Group {
  /** Random, never changes, never reused. */
  readonly id: string;
  /** As given. Compared by `nameKey`, which is NFKC and case folded. */
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
  /** The account's numeric id, for paging. */
  readonly id: number;
  readonly subject: string;
  readonly username: string;
  readonly since: number;
}

type GroupPatch = Partial<Pick<Group, 'name' | 'nameKey' | 'description'>>;

export interface GroupStore {
  /** Returns false if another group has the `nameKey`, also under concurrent calls. */
  insert(group: Group): Promise<boolean>;
  byId(id: string): Promise<Group | undefined>;
  byNameKey(key: string): Promise<Group | undefined>;
  /** Returns undefined if there is no such group. */
  update(id: string, patch: GroupPatch, now: number): Promise<Group | 'taken' | undefined>;
  /** Removes the group and returns its number of members. Undefined if there is no such group. */
  remove(id: string): Promise<number | undefined>;
  /** Groups with a key greater than `after` ('' for the first page), ascending; `limit` is at most 1000. */
  list(after: string, limit: number): Promise<ListedGroup[]>;
  /** Never stores a membership of a missing account or group, also under concurrent calls. */
  join(id: string, subject: string, now: number): Promise<'joined' | 'already' | 'no-account' | 'no-group'>;
  /** Returns false if the account was not a member. */
  leave(id: string, subject: string): Promise<boolean>;
  /** Members with an account id greater than `after`, ascending; `limit` is at most 1000. */
  members(id: string, after: number, limit: number): Promise<GroupMember[]>;
  /** Names of the account's groups, by name key. One round trip. */
  namesOf(subject: string): Promise<string[]>;
}
