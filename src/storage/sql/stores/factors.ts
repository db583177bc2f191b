/** Second factors except passkeys. Each single-use step is one conditional statement. */
import type { FactorStore } from '../../../core/stores/factors.ts';
import { findable, type Row, type Sql, statement } from '../sql.ts';
import { factors } from '../tables.ts';
import { hasSecond, putCodes, putCodesWhereNone, settle } from './account-factors.ts';
import { ofAccount } from './accounts.ts';

const list = statement('list_factors', `${factors.select} where subject = ? order by created_at, id`);
const advance = statement(
  'advance_factor',
  "update factors set last_step = ?, last_used_at = ? where id = ? and state = 'active' and last_step < ? returning id",
);
const useCode = statement(
  'use_recovery_code',
  `update factors set state = 'used', last_used_at = ?
    where subject = ? and kind = 'recovery-code' and secret = ? and state = 'active' returning id`,
);
const markCodesSaved = statement(
  'mark_codes_saved',
  `update factors set saved = true
    where subject = ? and kind = 'recovery-code' and exists (
      select 1 from factors typed
       where typed.subject = ? and typed.kind = 'recovery-code' and typed.secret = ? and typed.state = 'active')
    returning id`,
);
const rename = statement(
  'rename_factor',
  `update factors set name = ?
    where subject = ? and id = ? and kind <> 'recovery-code' and state = 'active' returning id`,
);
const fail = statement(
  'fail_factors',
  "update factors set failures = failures + 1 where subject = ? and kind = ? and state = 'active'",
);
const forgive = statement(
  'forgive_factors',
  'update factors set failures = 0 where subject = ? and kind = ? and failures > 0',
);

const putSentCode = statement(
  'put_sent_code',
  `update factors set secret = ?, last_step = ?, failures = 0
    where subject = ? and kind = ? and state = 'active' and last_step <= ? returning id`,
);
const useSentCode = statement(
  'use_sent_code',
  `update factors set secret = '', failures = 0, last_used_at = ?
    where subject = ? and kind = ? and secret = ? and state = 'active' and last_step > ? returning id`,
);
const failSentCode = statement(
  'fail_sent_code',
  `update factors set failures = failures + 1, secret = case when failures + 1 >= ? then '' else secret end
    where subject = ? and kind = ? and state = 'active'`,
);

export const factorStatements = [
  ...[list, advance, useCode, markCodesSaved, rename],
  ...[fail, forgive, putSentCode, useSentCode, failSentCode],
];

export function createFactorStore(sql: Sql): FactorStore {
  const once = async (rows: Promise<Row[]>): Promise<boolean> => (await rows).length === 1;

  return {
    async list(subject) {
      return findable(subject) ? (await sql.rows(list, [subject])).map(factors.read) : [];
    },

    async begin(factor) {
      const { subject, kind } = factor;
      const begun = await ofAccount(sql, subject, async (trx) => {
        await trx('factors').where({ subject, kind, state: 'pending' }).delete();
        await trx('factors').insert(factors.values(factor));
        return true;
      });
      return begun === true;
    },

    async activate({ subject, id, step, now, codes }) {
      if (!findable(id)) return undefined;
      return ofAccount(sql, subject, async (trx) => {
        const activated = await trx('factors')
          .where({ subject, id, state: 'pending' })
          .update({ state: 'active', last_step: step });
        if (activated === 0) return undefined;
        const codesStored = await putCodesWhereNone(trx, subject, codes);
        await settle(trx, subject, now);
        return { codesStored };
      });
    },

    async replaceCodes(subject, codes) {
      const replaced = await ofAccount(sql, subject, async (trx) => {
        if (!(await hasSecond(trx, subject))) return false;
        await putCodes(trx, subject, codes);
        return true;
      });
      return replaced === true;
    },

    async remove(subject, id, now) {
      if (!findable(id)) return false;
      const removed = await ofAccount(sql, subject, async (trx) => {
        const removed = await trx('factors').where({ subject, id }).whereNot({ kind: 'recovery-code' }).delete();
        if (removed === 0) return false;
        await settle(trx, subject, now);
        return true;
      });
      return removed === true;
    },

    async removeAll(subject, now) {
      const removed = await ofAccount(sql, subject, async (trx) => {
        const passkeys = await trx('passkeys').where({ subject }).delete();
        if ((await trx('factors').where({ subject }).delete()) + passkeys === 0) return false;
        await settle(trx, subject, now);
        return true;
      });
      return removed === true;
    },

    advance: async (id, step, now) => findable(id) && once(sql.rows(advance, [step, now, id, step])),

    useCode: async (subject, hash, now) =>
      findable(subject) && findable(hash) && once(sql.rows(useCode, [now, subject, hash])),

    markCodesSaved: async (subject, hash) =>
      findable(subject) && findable(hash) && (await sql.rows(markCodesSaved, [subject, subject, hash])).length > 0,

    rename: async (subject, id, name) =>
      findable(subject) && findable(id) && once(sql.rows(rename, [name, subject, id])),

    async fail(subject, kind) {
      if (findable(subject)) await sql.rows(fail, [subject, kind]);
    },

    async forgive(subject, kind) {
      if (findable(subject)) await sql.rows(forgive, [subject, kind]);
    },

    switchOn: (factor, codes, now) =>
      ofAccount(sql, factor.subject, async (trx) => {
        const { subject, kind } = factor;
        if ((await trx('factors').where({ subject, kind }).first('id')) !== undefined)
          return { added: false, codesStored: false };
        await trx('factors').insert(factors.values(factor));
        const codesStored = await putCodesWhereNone(trx, subject, codes);
        await settle(trx, subject, now);
        return { added: true, codesStored };
      }),

    putSentCode: async (subject, kind, hash, now, before) =>
      findable(subject) && once(sql.rows(putSentCode, [hash, now, subject, kind, before])),

    useSentCode: async (subject, kind, hash, now, after) =>
      findable(subject) && hash !== '' && once(sql.rows(useSentCode, [now, subject, kind, hash, after])),

    async failSentCode(subject, kind, limit) {
      if (findable(subject)) await sql.rows(failSentCode, [limit, subject, kind]);
    },
  };
}
