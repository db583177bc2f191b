/** Named leases for background work. One statement acquires, renews or refuses. */
import type { LeaseStore } from '../../../core/stores/leases.ts';
import { type Sql, statement } from '../sql.ts';

const acquire = statement(
  'acquire_lease',
  `insert into leases (name, holder, until_ms) values (?, ?, ?)
   on conflict (name) do update set holder = excluded.holder, until_ms = excluded.until_ms
   where leases.holder = excluded.holder or leases.until_ms <= ?
   returning 1`,
);
const release = statement('release_lease', 'delete from leases where name = ? and holder = ?');

export function createLeaseStore(sql: Sql): LeaseStore {
  return {
    async acquire(name, holder, untilMs, nowMs) {
      return (await sql.rows(acquire, [name, holder, untilMs, nowMs])).length === 1;
    },
    async release(name, holder) {
      await sql.rows(release, [name, holder]);
    },
  };
}
