/** Browsers in which people have signed in. One row per browser and account, by the database itself. */
import type { KnownBrowserRow, KnownBrowserStore } from '../../../core/stores/known-browsers.ts';
import { type Row, type Sql, statement } from '../sql.ts';
import { findable } from '../values.ts';
import { ofAccount } from './account-factors.ts';

const columns = 'd.id, d.browser, d.subject, d.created_at, d.last_used_at, d.expires_at, d.shown';

const find = statement(
  'find_device',
  `select ${columns} from devices d where d.browser = ? and d.subject = ? and d.expires_at > ?`,
);
const ofBrowser = statement(
  'list_devices_of_browser',
  `select ${columns} from devices d where d.browser = ? and d.expires_at > ? and d.shown order by d.last_used_at desc, d.id`,
);

const ofSubject = statement(
  'list_devices_of_account',
  `select ${columns} from devices d where d.subject = ? and d.expires_at > ? order by d.last_used_at desc, d.id`,
);

export const knownBrowserStatements = [find, ofBrowser, ofSubject];

export function createKnownBrowserStore(sql: Sql): KnownBrowserStore {
  return {
    async find(browser, subject, now) {
      if (!findable(browser) || !findable(subject)) return undefined;
      const [row] = await sql.rows(find, [browser, subject, now]);
      return row && toKnownBrowser(row);
    },

    async ofBrowser(browser, now) {
      return findable(browser) ? (await sql.rows(ofBrowser, [browser, now])).map(toKnownBrowser) : [];
    },

    async ofAccount(subject, now) {
      return findable(subject) ? (await sql.rows(ofSubject, [subject, now])).map(toKnownBrowser) : [];
    },

    async put(knownBrowser, most, former) {
      const { id, browser, subject, shown, createdAt, lastUsedAt, expiresAt } = knownBrowser;
      const put = await ofAccount(sql, subject, async (trx) => {
        if (former !== undefined && former !== browser) {
          // A form that was sent twice: what it has brought over already stays as it is.
          const there = trx('devices').where({ browser }).select('subject');
          await trx('devices').where({ browser: former }).whereNotIn('subject', there).update({ browser });
          await trx('devices').where({ browser: former }).delete();
        }
        const times = { last_used_at: lastUsedAt, expires_at: expiresAt, shown };
        await trx('devices')
          .insert({ id, browser, subject, created_at: createdAt, ...times })
          .onConflict(['browser', 'subject'])
          .merge(times);
        // Those that were not used for longest make room.
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
            // SQLite takes no offset without a limit.
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

function toKnownBrowser(row: Row): KnownBrowserRow {
  return {
    id: row[0] as string,
    browser: row[1] as string,
    subject: row[2] as string,
    createdAt: row[3] as number,
    lastUsedAt: row[4] as number,
    expiresAt: row[5] as number,
    // SQLite has no booleans.
    shown: Boolean(row[6]),
  };
}
