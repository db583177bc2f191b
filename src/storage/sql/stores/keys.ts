/** Signing keys. A rotation counts only if the stored keys are still the ones that it was decided on. */
import type { Knex } from 'knex';
import type { KeyRow, KeyStore } from '../../../core/stores/keys.ts';
import type { Sql } from '../sql.ts';
import { keys } from '../tables.ts';
import { noteChange } from './changes.ts';

/** Thrown inside the transaction to roll it back; never leaves this file. */
const outdated = Symbol('outdated');

async function read(knex: Knex): Promise<KeyRow[]> {
  const rows = await knex('signing_keys').orderBy([{ column: 'created_at' }, { column: 'id' }]);
  return rows.map(keys.readNamed);
}

function fingerprint(known: readonly { id: string; status: string }[]): string {
  return JSON.stringify(
    known.map(({ id, status }) => [id, status]).sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)),
  );
}

export function createKeyStore(sql: Sql): KeyStore {
  return {
    list: () => sql.run(() => read(sql.knex)),

    async replace(seen, puts, removes) {
      try {
        await sql.transaction(async (trx) => {
          // Noting the change first locks the counter, so a concurrent rotation sees what this one wrote.
          await noteChange(trx, 'key', '');
          if (fingerprint(await read(trx)) !== fingerprint(seen)) throw outdated;
          if (removes.length > 0) await trx('signing_keys').whereIn('id', removes).delete();
          for (const key of puts) await trx('signing_keys').insert(keys.values(key)).onConflict('id').merge();
        });
        return true;
      } catch (error) {
        if (error === outdated) return false;
        throw error;
      }
    },
  };
}
