/**
 * Ended JWTs are rows of `tokens` whose key begins with a word that no digest begins with. So the rows of a client are
 * adjacent, expire with all other tokens, and are deleted with the client.
 */
import { nowSeconds } from '../../../base/clock.ts';
import type { EndedTokenStore } from '../../../core/stores/ended-tokens.ts';
import { type Sql, statement } from '../sql.ts';
import { selection } from '../table.ts';
import { tokens } from '../tables.ts';
import { noteChange } from './changes.ts';

const prefix = 'ended ';

const ended = selection((row) => ({ key: row.sql<string>('key'), until: row.sql<number>('expires_at') }));
const list = statement(
  'list_ended_tokens',
  // `!` is the character after the blank.
  `select ${ended.list} from tokens where key > 'ended ' and key < 'ended!' and expires_at > ?`,
);

/** For the test that an index serves the statement. */
export const endedTokenStatements = [list];

export function createEndedTokenStore(sql: Sql): EndedTokenStore {
  return {
    put: ({ clientId, jti, until }, most) =>
      sql.transaction(async (trx) => {
        const its = `${prefix}${clientId}`;
        const alive = await trx('tokens')
          .select('key')
          .where('key', '>', `${its} `)
          .where('key', '<', `${its}!`)
          .where('expires_at', '>', nowSeconds())
          .limit(most);
        if (alive.length >= most) return 'full';
        const token = { key: `${its} ${jti}`, kind: 'EndedToken', payload: '{}', clientId, expiresAt: until };
        const made = await trx('tokens').insert(tokens.values(token)).onConflict('key').ignore().returning('key');
        if (made.length > 0) await noteChange(trx, 'token', `${clientId} ${jti} ${until}`);
        return 'kept';
      }),

    async list(now) {
      const rows = await sql.rows(list, [now]);
      return rows.map(ended.read).map(({ key, until }) => {
        const [, clientId = '', jti = ''] = key.split(' ');
        return { clientId, jti, until };
      });
    },
  };
}
