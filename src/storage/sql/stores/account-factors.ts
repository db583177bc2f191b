/**
 * What factors and passkeys share: whatever changes whether an account has a second factor takes the account's row first, as the
 * account's deletion does, so that no two of them can pass each other, and leaves `two_factor` telling the truth.
 */
import type { Knex } from 'knex';
import type { SignInMethods } from '../../../core/factors/sign-in-methods.ts';
import type { FactorRow } from '../../../core/stores/factors.ts';
import { factors } from '../tables.ts';
import { noteChange } from './changes.ts';

/** As they are while the account's row is held, so that of two that are taken away at once the second is asked for again. */
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

/** Recovery codes stand in for one of these; alone they are none. */
export async function hasSecond(trx: Knex, subject: string): Promise<boolean> {
  const factor = await trx('factors')
    .where({ subject, state: 'active' })
    .whereNot({ kind: 'recovery-code' })
    .first('id');
  return factor !== undefined || (await trx('passkeys').where({ subject }).first('id')) !== undefined;
}

/** Writes down whether the account has a second factor now; without one it needs no recovery codes. */
export async function settle(trx: Knex, subject: string, now: number): Promise<void> {
  const left = await hasSecond(trx, subject);
  if (!left) await trx('factors').where({ subject, kind: 'recovery-code' }).delete();
  await trx('accounts').where({ subject }).update({ two_factor: left, updated_at: now });
  await noteChange(trx, 'account', subject);
}

/** Where there are none left. False: there are. */
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
