/**
 * Shared by factors and passkeys. Each change of a second factor locks the account's row first, as deleting the account
 * does, so changes run one after the other and `two_factor` stays true to the rows.
 */
import type { Knex } from 'knex';
import type { SignInMethods } from '../../../core/factors/sign-in-methods.ts';
import type { FactorRow } from '../../../core/stores/factors.ts';
import { factors } from '../tables.ts';
import { noteChange } from './changes.ts';

/** The methods while the account's row is locked, so concurrent removals cannot remove the last one. */
export async function signInMethods(
  trx: Knex,
  subject: string,
  { passwordHash }: { passwordHash: string | null },
): Promise<SignInMethods> {
  return {
    password: passwordHash !== null,
    passkeys: await trx('passkeys').where({ subject }).select('id'),
    identities: await trx('identities').where({ subject }).select('id', 'provider'),
  };
}

/** Recovery codes replace a second factor but are not one. */
export async function hasSecond(trx: Knex, subject: string): Promise<boolean> {
  const factor = await trx('factors')
    .where({ subject, state: 'active' })
    .whereNot({ kind: 'recovery-code' })
    .first('id');
  return factor !== undefined || (await trx('passkeys').where({ subject }).first('id')) !== undefined;
}

/** Updates `two_factor`. Without a second factor, also deletes the recovery codes. */
export async function settle(trx: Knex, subject: string, now: number): Promise<void> {
  const left = await hasSecond(trx, subject);
  if (!left) await trx('factors').where({ subject, kind: 'recovery-code' }).delete();
  await trx('accounts').where({ subject }).update({ two_factor: left, updated_at: now });
  await noteChange(trx, 'account', subject);
}

/** Stores `codes` if the account has no active ones. Returns false if it has. */
export async function putCodesWhereNone(trx: Knex, subject: string, codes: readonly FactorRow[]): Promise<boolean> {
  if (codes.length === 0) return false;
  if ((await trx('factors').where({ subject, kind: 'recovery-code', state: 'active' }).first('id')) !== undefined)
    return false;
  await putCodes(trx, subject, codes);
  return true;
}

export async function putCodes(trx: Knex, subject: string, codes: readonly FactorRow[]): Promise<void> {
  await trx('factors').where({ subject, kind: 'recovery-code' }).delete();
  if (codes.length > 0) await trx('factors').insert(codes.map(factors.values));
}
