/** Identities at other providers. The database enforces that one identity belongs to one account. */

import { leavesSignInMethod } from '../../../core/factors/sign-in-methods.ts';
import type { IdentityRow, IdentityStore } from '../../../core/stores/identities.ts';
import { takenColumn } from '../failures.ts';
import { findable, type Sql, statement } from '../sql.ts';
import { identities } from '../tables.ts';
import { signInMethods } from './account-factors.ts';
import { ofAccount } from './accounts.ts';

const list = statement('list_identities', `${identities.select} where subject = ? order by created_at, id`);
const find = statement('find_identity', `${identities.select} where provider = ? and provider_subject = ?`);
const use = statement('use_identity', 'update identities set last_used_at = ? where id = ? returning id');

export const identityStatements = [list, find, use];

export function createIdentityStore(sql: Sql): IdentityStore {
  async function byName(provider: string, providerSubject: string): Promise<IdentityRow | undefined> {
    if (!findable(provider) || !findable(providerSubject)) return undefined;
    const [row] = await sql.rows(find, [provider, providerSubject]);
    return row && identities.read(row);
  }

  return {
    async list(subject) {
      return findable(subject) ? (await sql.rows(list, [subject])).map(identities.read) : [];
    },

    find: byName,

    async link({ subject, passwordHash }, identity) {
      try {
        const linked = await ofAccount(sql, subject, async (trx, account) => {
          if (account.passwordHash !== passwordHash) return 'not-found' as const;
          // The account's row is locked, so its own identities cannot change.
          const known = await trx('identities')
            .where({ provider: identity.provider, provider_subject: identity.providerSubject })
            .first('subject');
          if (known !== undefined) return known.subject === subject ? ('already' as const) : ('taken' as const);
          await trx('identities').insert(identities.values({ ...identity, subject }));
          return 'linked' as const;
        });
        return linked ?? 'not-found';
      } catch (error) {
        // Another account linked the identity concurrently.
        if (takenColumn(error, ['provider_subject'] as const) === undefined) throw error;
        return 'taken';
      }
    },

    use: async (id, now) => findable(id) && (await sql.rows(use, [now, id])).length === 1,

    async unlink(subject, id, providers) {
      if (!findable(id)) return 'not-found';
      const unlinked = await ofAccount(sql, subject, async (trx, account) => {
        const ways = await signInMethods(trx, subject, account);
        if (!ways.identities.some((identity) => identity.id === id)) return 'not-found';
        if (!leavesSignInMethod(ways, id, providers)) return 'last';
        await trx('identities').where({ subject, id }).delete();
        return 'unlinked';
      });
      return unlinked ?? 'not-found';
    },
  };
}
