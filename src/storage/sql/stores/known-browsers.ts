/** Browsers in which users have signed in. The database enforces one row per browser and account. */
import type { KnownBrowserStore } from '../../../core/stores/known-browsers.ts';
import { findable, type Sql, statement } from '../sql.ts';
import { knownBrowsers } from '../tables.ts';
import { ofAccount } from './accounts.ts';

const find = statement('find_device', `${knownBrowsers.select} where browser = ? and subject = ? and expires_at > ?`);
const ofBrowser = statement(
  'list_devices_of_browser',
  `${knownBrowsers.select} where browser = ? and expires_at > ? and shown order by last_used_at desc, id`,
);

const ofSubject = statement(
  'list_devices_of_account',
  `${knownBrowsers.select} where subject = ? and expires_at > ? order by last_used_at desc, id`,
);

export const knownBrowserStatements = [find, ofBrowser, ofSubject];

export function createKnownBrowserStore(sql: Sql): KnownBrowserStore {
  return {
    async find(browser, subject, now) {
      if (!findable(browser) || !findable(subject)) return undefined;
      const [row] = await sql.rows(find, [browser, subject, now]);
      return row && knownBrowsers.read(row);
    },

    async ofBrowser(browser, now) {
      return findable(browser) ? (await sql.rows(ofBrowser, [browser, now])).map(knownBrowsers.read) : [];
    },

    async ofAccount(subject, now) {
      return findable(subject) ? (await sql.rows(ofSubject, [subject, now])).map(knownBrowsers.read) : [];
    },

    async put(knownBrowser, most, former) {
      const { browser, subject, shown, lastUsedAt, expiresAt } = knownBrowser;
      const put = await ofAccount(sql, subject, async (trx) => {
        if (former !== undefined && former !== browser) {
          // A form may be submitted twice: rows that were moved already stay unchanged.
          const there = trx('devices').where({ browser }).select('subject');
          await trx('devices').where({ browser: former }).whereNotIn('subject', there).update({ browser });
          await trx('devices').where({ browser: former }).delete();
        }
        await trx('devices')
          .insert(knownBrowsers.values(knownBrowser))
          .onConflict(['browser', 'subject'])
          .merge(knownBrowsers.values({ shown, lastUsedAt, expiresAt }));
        // Removes the least recently used rows beyond the limits.
        for (const mine of [
          { subject, shown },
          { browser, shown },
        ]) {
          const over = trx('devices')
            .where(mine)
            .orderBy([
              { column: 'last_used_at', order: 'desc' },
              { column: 'id', order: 'asc' },
            ])
            .offset('subject' in mine ? most.ofAccount : most.ofBrowser)
            // SQLite requires a limit with an offset.
            .limit(1000);
          const ids = await over.pluck('id');
          if (ids.length > 0) await trx('devices').whereIn('id', ids).delete();
        }
        return true;
      });
      return put ?? false;
    },

    async remove(browser, id) {
      if (!findable(browser) || !findable(id)) return undefined;
      return sql.transaction(async (trx) => {
        const row = await trx('devices').where({ browser, id }).forUpdate().first('subject');
        await trx('devices').where({ browser, id }).delete();
        return row?.subject;
      });
    },

    async removeAll(subject, exceptBrowser) {
      if (!findable(subject)) return 0;
      return sql.run(() =>
        sql
          .knex('devices')
          .where({ subject })
          .whereNot({ browser: exceptBrowser ?? '' })
          .delete(),
      );
    },
  };
}
