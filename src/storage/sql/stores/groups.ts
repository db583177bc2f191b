/** Groups of users. The database enforces unique names. */
import type { Group, GroupStore } from '../../../core/stores/groups.ts';
import { takenColumn } from '../failures.ts';
import { findable, page, type Sql, statement } from '../sql.ts';
import { groups } from '../tables.ts';
import { ofAccount } from './accounts.ts';

const byId = statement('group_by_id', `${groups.select} where id = ?`);
const byNameKey = statement('group_by_name', `${groups.select} where name_key = ?`);
const namesOf = statement(
  'groups_of_account',
  `select g.name from group_members m join groups g on g.id = m.group_id where m.subject = ? order by g.name_key`,
);

export const groupStatements = [byId, byNameKey, namesOf];

export function createGroupStore(sql: Sql): GroupStore {
  const { knex } = sql;

  async function find(by: typeof byId, value: string): Promise<Group | undefined> {
    if (!findable(value)) return undefined;
    const [row] = await sql.rows(by, [value]);
    return row && groups.read(row);
  }

  return {
    async insert(group) {
      const row = groups.values(group);
      const made = await sql.run(() => knex('groups').insert(row).onConflict('name_key').ignore().returning('id'));
      return made.length === 1;
    },

    byId: (id) => find(byId, id),
    byNameKey: (key) => find(byNameKey, key),

    async update(id, patch, now) {
      if (!findable(id)) return undefined;
      const change = groups.values({ ...patch, updatedAt: now });
      try {
        const [changed] = await sql.run(() => knex('groups').where({ id }).update(change).returning(groups.names()));
        return changed && groups.readNamed(changed);
      } catch (error) {
        if (takenColumn(error, ['name_key'] as const) === undefined) throw error;
        return 'taken';
      }
    },

    async remove(id) {
      if (!findable(id)) return undefined;
      return sql.transaction(async (trx) => {
        // The group goes first: a concurrent join waits here and finds it gone.
        if ((await trx('groups').where({ id }).delete()) === 0) return undefined;
        return trx('group_members').where({ group_id: id }).delete();
      });
    },

    async list(after, limit) {
      const rows = await sql.run(() =>
        knex('groups')
          .select(groups.names())
          .select(knex('group_members').count('*').whereRaw('group_id = groups.id').as('members'))
          .where('name_key', '>', after)
          .orderBy('name_key')
          .limit(page(limit)),
      );
      return rows.map((row) => ({ ...groups.readNamed(row), members: Number(row.members) }));
    },

    async join(id, subject, now) {
      if (!findable(id)) return 'no-group';
      const joined = await ofAccount(sql, subject, async (trx) => {
        // Locks the group, so neither group nor account can be deleted during the insert.
        if ((await trx('groups').where({ id }).forShare().first('id')) === undefined) return 'no-group';
        const row = { group_id: id, subject, created_at: now };
        const made = await trx('group_members')
          .insert(row)
          .onConflict(['group_id', 'subject'])
          .ignore()
          .returning('subject');
        return made.length === 1 ? 'joined' : 'already';
      });
      return joined ?? 'no-account';
    },

    async leave(id, subject) {
      if (!findable(id) || !findable(subject)) return false;
      return (await sql.run(() => knex('group_members').where({ group_id: id, subject }).delete())) === 1;
    },

    async members(id, after, limit) {
      if (!findable(id)) return [];
      const rows = await sql.run(() =>
        knex('group_members as m')
          .join('accounts as a', 'a.subject', 'm.subject')
          .select('a.id', 'a.subject', 'a.username', 'm.created_at')
          .where('m.group_id', id)
          .where('a.id', '>', after)
          .orderBy('a.id')
          .limit(page(limit)),
      );
      return rows.map(({ id: number, subject, username, created_at: since }) => ({
        id: number,
        subject,
        username,
        since,
      }));
    },

    async namesOf(subject) {
      return findable(subject) ? (await sql.rows(namesOf, [subject])).map(([name]) => name as string) : [];
    },
  };
}
