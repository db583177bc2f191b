/** Passkeys. The database enforces one account per credential; a conditional statement moves the counter forward. */

import { leavesSignInMethod } from '../../../core/factors/sign-in-methods.ts';
import type { PasskeyStore } from '../../../core/stores/passkeys.ts';
import { takenColumn } from '../failures.ts';
import { findable, type Sql, statement } from '../sql.ts';
import { passkeys } from '../tables.ts';
import { putCodesWhereNone, settle, signInMethods } from './account-factors.ts';
import { ofAccount } from './accounts.ts';

const list = statement('list_passkeys', `${passkeys.select} where subject = ? order by created_at, id`);
const find = statement('find_passkey', `${passkeys.select} where credential_id = ?`);
const use = statement(
  'use_passkey',
  'update passkeys set counter = ?, last_used_at = ? where id = ? and (counter < ? or (counter = 0 and 0 = ?)) returning id',
);

export const passkeyStatements = [list, find, use];

export function createPasskeyStore(sql: Sql): PasskeyStore {
  return {
    async list(subject) {
      return findable(subject) ? (await sql.rows(list, [subject])).map(passkeys.read) : [];
    },

    async find(credentialId) {
      if (!findable(credentialId)) return undefined;
      const [row] = await sql.rows(find, [credentialId]);
      return row && passkeys.read(row);
    },

    async insert(passkey, codes, limit, now) {
      const { subject } = passkey;
      try {
        const inserted = await ofAccount(sql, subject, async (trx) => {
          const others = await trx('passkeys').where({ subject }).pluck('id');
          if (others.length >= limit) return { outcome: 'too-many' as const };
          await trx('passkeys').insert(passkeys.values(passkey));
          const codesStored = await putCodesWhereNone(trx, subject, codes);
          await settle(trx, subject, now);
          return { outcome: 'added' as const, codesStored };
        });
        return inserted ?? { outcome: 'not-found' };
      } catch (error) {
        if (takenColumn(error, ['credential_id'] as const) === undefined) throw error;
        return { outcome: 'taken' };
      }
    },

    async rename(subject, id, name) {
      if (!findable(subject) || !findable(id)) return false;
      return (await sql.run(() => sql.knex('passkeys').where({ subject, id }).update({ name }))) === 1;
    },

    use: async (id, counter, now) =>
      findable(id) && (await sql.rows(use, [counter, now, id, counter, counter])).length === 1,

    async remove(subject, id, providers, now) {
      if (!findable(id)) return 'not-found';
      const removed = await ofAccount(sql, subject, async (trx, account) => {
        const ways = await signInMethods(trx, subject, account);
        if (!ways.passkeys.some((passkey) => passkey.id === id)) return 'not-found' as const;
        if (!leavesSignInMethod(ways, id, providers)) return 'last' as const;
        await trx('passkeys').where({ subject, id }).delete();
        await settle(trx, subject, now);
        return 'removed' as const;
      });
      return removed ?? 'not-found';
    },
  };
}
