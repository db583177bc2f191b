/** APIs, by their identifier. */
import type { ApiStore } from '../../core/stores/apis.ts';
import { noteChange } from './changes.ts';
import type { Sql } from './sql.ts';
import { findable } from './values.ts';

export function createApiStore(sql: Sql): ApiStore {
  return {
    put: (api) =>
      sql.transaction(async (trx) => {
        const { identifier, name, scopes, tokenFormat, tokenLifetime, introspectors } = api;
        const row = {
          identifier,
          name,
          scopes: JSON.stringify(scopes),
          token_format: tokenFormat,
          token_lifetime: tokenLifetime,
          introspectors: JSON.stringify(introspectors),
        };
        await trx('apis').insert(row).onConflict('identifier').merge();
        await noteChange(trx, 'api', identifier);
      }),

    async list() {
      const rows = await sql.run(() => sql.knex('apis').orderBy('identifier'));
      return rows.map((row) => ({
        identifier: row.identifier,
        name: row.name,
        scopes: JSON.parse(row.scopes),
        tokenFormat: row.token_format,
        tokenLifetime: row.token_lifetime,
        introspectors: JSON.parse(row.introspectors),
      }));
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
