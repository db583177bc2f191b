/** APIs, by their identifier. */
import type { ApiRecord, ApiScope, ApiStore } from '../../../core/stores/apis.ts';
import type { Sql } from '../sql.ts';
import { findable } from '../values.ts';
import { noteChange } from './changes.ts';

export function createApiStore(sql: Sql): ApiStore {
  return {
    put: (api) =>
      sql.transaction(async (trx) => {
        await trx('apis').insert(rowOf(api)).onConflict('identifier').merge();
        await noteChange(trx, 'api', api.identifier);
      }),

    async update(identifier, edit) {
      if (!findable(identifier)) return undefined;
      return sql.transaction(async (trx) => {
        const row = await trx('apis').where({ identifier }).forUpdate().first();
        const edited = row && edit(apiOf(row));
        if (!edited) return undefined;
        await trx('apis').where({ identifier }).update(rowOf(edited));
        await noteChange(trx, 'api', identifier);
        return edited;
      });
    },

    async list() {
      const rows: ApiRow[] = await sql.run(() => sql.knex('apis').orderBy('identifier'));
      return rows.map(apiOf);
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

interface ApiRow {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: string;
  readonly held_scopes: string;
  readonly token_format: ApiRecord['tokenFormat'];
  readonly token_typ: ApiRecord['tokenTyp'];
  readonly signing_alg: ApiRecord['signingAlg'];
  readonly token_lifetime: number | null;
  readonly introspectors: string;
}

function rowOf(api: ApiRecord): ApiRow {
  return {
    identifier: api.identifier,
    name: api.name,
    scopes: JSON.stringify(api.scopes.filter(({ held }) => !held)),
    held_scopes: JSON.stringify(api.scopes.filter(({ held }) => held)),
    token_format: api.tokenFormat,
    token_typ: api.tokenTyp,
    signing_alg: api.signingAlg,
    token_lifetime: api.tokenLifetime,
    introspectors: JSON.stringify(api.introspectors),
  };
}

function apiOf(row: ApiRow): ApiRecord {
  return {
    identifier: row.identifier,
    name: row.name,
    scopes: [...scopesOf(row.scopes, false), ...scopesOf(row.held_scopes, true)],
    tokenFormat: row.token_format,
    tokenTyp: row.token_typ,
    signingAlg: row.signing_alg,
    tokenLifetime: row.token_lifetime,
    introspectors: JSON.parse(row.introspectors),
  };
}

/** Scopes of the version before have a name and a sentence only. */
function scopesOf(json: string, held: boolean): ApiScope[] {
  const stored: (Partial<ApiScope> & Pick<ApiScope, 'name' | 'sentence'>)[] = JSON.parse(json);
  return stored.map((scope) => ({ default: false, optional: false, bearer: false, ...scope, held }));
}
