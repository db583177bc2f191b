/** APIs, by their identifier. */
import type { ApiRecord, ApiScope, ApiStore } from '../../../core/stores/apis.ts';
import { findable, type Sql } from '../sql.ts';
import { apis, type StoredScope } from '../tables.ts';
import { noteChange } from './changes.ts';

export function createApiStore(sql: Sql): ApiStore {
  return {
    put: (api) =>
      sql.transaction(async (trx) => {
        await trx('apis').insert(toRow(api)).onConflict('identifier').merge();
        await noteChange(trx, 'api', api.identifier);
      }),

    async update(identifier, edit) {
      if (!findable(identifier)) return undefined;
      return sql.transaction(async (trx) => {
        const row = await trx('apis').where({ identifier }).forUpdate().first();
        const edited = row && edit(fromRow(row));
        if (!edited) return undefined;
        await trx('apis').where({ identifier }).update(toRow(edited));
        await noteChange(trx, 'api', identifier);
        return edited;
      });
    },

    async list() {
      const rows = await sql.run(() => sql.knex('apis').orderBy('identifier'));
      return rows.map(fromRow);
    },

    async remove(identifier) {
      if (!findable(identifier)) return false;
      return sql.transaction(async (trx) => {
        if ((await trx('apis').where({ identifier }).delete()) === 0) return false;
        await noteChange(trx, 'api', identifier);
        return true;
      });
    },
  };
}

/** Scopes with a role get a column of their own: a version before 0012 would grant them to all (docs/data-model.md). */
function toRow(api: ApiRecord): Record<string, unknown> {
  const scopes = api.scopes.filter(({ held }) => !held);
  return apis.values({ ...api, scopes, heldScopes: api.scopes.filter(({ held }) => held) });
}

function fromRow(row: Readonly<Record<string, unknown>>): ApiRecord {
  const { heldScopes, ...api } = apis.readNamed(row);
  return { ...api, scopes: [...scopesOf(api.scopes, false), ...scopesOf(heldScopes, true)] };
}

const scopesOf = (stored: readonly StoredScope[], held: boolean): ApiScope[] =>
  stored.map((scope) => ({ default: false, optional: false, bearer: false, ...scope, held }));
