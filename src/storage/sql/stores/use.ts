/** Which API surfaces the database shows to be in use. */
import type { UseStore } from '../../../core/stores/use.ts';
import { type Sql, statement } from '../sql.ts';
import { selection } from '../table.ts';

const used = selection((row) => ({ what: row.sql<string>('what'), door: row.sql<string>('door') }));

/** Walks from door to door along their index, because `distinct` would read every session. */
const use = statement(
  'surface_use',
  `with recursive doors (door) as (
     select min(door) from sessions where door <> 'browser'
     union all
     select (select min(s.door) from sessions s where s.door <> 'browser' and s.door > doors.door)
     from doors where doors.door is not null
   )
   select ${used.list} from (select 'door' as what, door from doors where door is not null
   union all select 'owned clients', '' where exists (select 1 from clients where owner >= '')
   union all select 'client tokens', '' where exists (select 1 from clients where tokens <> '[]')) used`,
);

export function createUseStore(sql: Sql): UseStore {
  return {
    async read() {
      const rows = (await sql.rows(use, [])).map(used.read);
      return {
        doors: rows.filter(({ what }) => what === 'door').map(({ door }) => door),
        ownedClients: rows.some(({ what }) => what === 'owned clients'),
        clientTokens: rows.some(({ what }) => what === 'client tokens'),
      };
    },
  };
}
