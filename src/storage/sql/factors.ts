/**
 * Second factors. What may happen once only is one conditional statement; what changes whether an account has a second factor
 * takes the account's row first, as the account's deletion does, so the two cannot pass each other.
 */
import type { Knex } from 'knex';
import type { FactorRow, FactorStore } from '../../core/stores.ts';
import { noteChange } from './changes.ts';
import { type Row, type Sql, statement } from './sql.ts';
import { findable } from './values.ts';

const columns = 'id, subject, kind, name, secret, state, last_step, failures, created_at, last_used_at';

const list = statement('list_factors', `select ${columns} from factors where subject = ? order by created_at, id`);
const advance = statement(
  'advance_factor',
  "update factors set last_step = ?, last_used_at = ? where id = ? and state = 'active' and last_step < ? returning id",
);
const useCode = statement(
  'use_recovery_code',
  `update factors set state = 'used', last_used_at = ?
    where subject = ? and kind = 'recovery-code' and secret = ? and state = 'active' returning id`,
);
const fail = statement(
  'fail_factors',
  "update factors set failures = failures + 1 where subject = ? and kind = 'totp' and state = 'active'",
);
const forgive = statement('forgive_factors', 'update factors set failures = 0 where subject = ? and failures > 0');

export const factorStatements = [list, advance, useCode, fail, forgive];

export function createFactorStore(sql: Sql): FactorStore {
  const once = async (rows: Promise<Row[]>): Promise<boolean> => (await rows).length === 1;

  /** Undefined, and nothing written, where there is no such account. */
  async function ofAccount<T>(subject: string, work: (trx: Knex) => Promise<T>): Promise<T | undefined> {
    if (!findable(subject)) return undefined;
    return sql.transaction(async (trx) => {
      const account = await trx('accounts').where({ subject }).forUpdate().first('id');
      return account === undefined ? undefined : work(trx);
    });
  }

  const has = async (trx: Knex, of: Partial<Pick<FactorRow, 'subject' | 'kind' | 'state'>>): Promise<boolean> =>
    (await trx('factors').where(of).first('id')) !== undefined;

  async function tellAccount(trx: Knex, subject: string, twoFactor: boolean, now: number): Promise<void> {
    await trx('accounts').where({ subject }).update({ two_factor: twoFactor, updated_at: now });
    await noteChange(trx, 'account', subject);
  }

  async function putCodes(trx: Knex, subject: string, codes: readonly FactorRow[]): Promise<void> {
    await trx('factors').where({ subject, kind: 'recovery-code' }).delete();
    if (codes.length > 0) await trx('factors').insert(codes.map(toColumns));
  }

  return {
    async list(subject) {
      return findable(subject) ? (await sql.rows(list, [subject])).map(toFactor) : [];
    },

    async begin(factor) {
      const { subject, kind } = factor;
      const begun = await ofAccount(subject, async (trx) => {
        await trx('factors').where({ subject, kind, state: 'pending' }).delete();
        await trx('factors').insert(toColumns(factor));
        return true;
      });
      return begun === true;
    },

    async activate({ subject, id, step, now, codes }) {
      if (!findable(id)) return undefined;
      return ofAccount(subject, async (trx) => {
        const activated = await trx('factors')
          .where({ subject, id, state: 'pending' })
          .update({ state: 'active', last_step: step });
        if (activated === 0) return undefined;
        const keep = await has(trx, { subject, kind: 'recovery-code', state: 'active' });
        if (!keep) await putCodes(trx, subject, codes);
        await tellAccount(trx, subject, true, now);
        return { codesStored: !keep };
      });
    },

    async replaceCodes(subject, codes) {
      const replaced = await ofAccount(subject, async (trx) => {
        if (!(await has(trx, { subject, kind: 'totp', state: 'active' }))) return false;
        await putCodes(trx, subject, codes);
        return true;
      });
      return replaced === true;
    },

    async remove(subject, id, now) {
      if (!findable(id)) return false;
      const removed = await ofAccount(subject, async (trx) => {
        if ((await trx('factors').where({ subject, id, kind: 'totp' }).delete()) === 0) return false;
        const left = await has(trx, { subject, kind: 'totp', state: 'active' });
        // A recovery code stands in for another factor: alone it would be one that nobody set up.
        if (!left) await trx('factors').where({ subject, kind: 'recovery-code' }).delete();
        await tellAccount(trx, subject, left, now);
        return true;
      });
      return removed === true;
    },

    async removeAll(subject, now) {
      const removed = await ofAccount(subject, async (trx) => {
        if ((await trx('factors').where({ subject }).delete()) === 0) return false;
        await tellAccount(trx, subject, false, now);
        return true;
      });
      return removed === true;
    },

    advance: async (id, step, now) => findable(id) && once(sql.rows(advance, [step, now, id, step])),

    useCode: async (subject, hash, now) =>
      findable(subject) && findable(hash) && once(sql.rows(useCode, [now, subject, hash])),

    async fail(subject) {
      if (findable(subject)) await sql.rows(fail, [subject]);
    },

    async forgive(subject) {
      if (findable(subject)) await sql.rows(forgive, [subject]);
    },
  };
}

function toFactor(row: Row): FactorRow {
  return {
    id: row[0] as string,
    subject: row[1] as string,
    kind: row[2] as FactorRow['kind'],
    name: row[3] as string,
    secret: row[4] as string,
    state: row[5] as FactorRow['state'],
    lastStep: row[6] as number,
    failures: row[7] as number,
    createdAt: row[8] as number,
    lastUsedAt: row[9] as number | null,
  };
}

function toColumns(factor: FactorRow): Record<string, unknown> {
  const { id, subject, kind, name, secret, state, lastStep, failures, createdAt, lastUsedAt } = factor;
  return {
    ...{ id, subject, kind, name, secret, state, failures },
    last_step: lastStep,
    created_at: createdAt,
    last_used_at: lastUsedAt,
  };
}
