/** User codes of the device flow, and the polls of their devices. */
import type { DeviceCodeStore, PollPace } from '../../../core/stores/device-codes.ts';
import { createBatcher } from '../batch.ts';
import { findable, type Sql, statement } from '../sql.ts';
import { put } from '../table.ts';
import { deviceCodes } from '../tables.ts';

const putCode = put(deviceCodes, { key: 'user_code', leaves: ['browser', 'polled_at_ms', 'early'] });
const insert = statement(
  'insert_device_code',
  `${putCode.insert} ${putCode.replace}, browser = null, polled_at_ms = null where device_codes.expires_at <= ? returning 1`,
);
const find = statement('find_device_code', `${deviceCodes.select} where user_code = ?`);
const claim = statement(
  'claim_device_code',
  'update device_codes set browser = ? where user_code = ? and (browser is null or browser = ?) returning 1',
);

interface Poll {
  readonly key: string;
  readonly at: number;
  /** Milliseconds for each second of the interval. */
  readonly least: number;
  readonly step: number;
}

const early = 'd.polled_at_ms is not null and m.at < d.polled_at_ms + d.poll_interval * m.least';
const noted = `early = (${early}), poll_interval = d.poll_interval + case when ${early} then m.step else 0 end, polled_at_ms = m.at`;
// The polls of one moment share a statement, and so one sync to the disk.
const polls = {
  sqlite: statement(
    'poll_device_codes',
    `update device_codes as d set ${noted}
     from (select value ->> 0 as key, value ->> 1 as at, value ->> 2 as least, value ->> 3 as step from json_each(?)) m
     where d.token_key = m.key
     returning token_key, early, poll_interval`,
  ),
  // Locks rows in one order everywhere, so two processes cannot deadlock.
  postgres: statement(
    'poll_device_codes',
    `with m as (
       select device_codes.token_key as key, q.at, q.least, q.step
       from unnest(?::text[], ?::bigint[], ?::int[], ?::int[]) q (key, at, least, step)
       join device_codes on device_codes.token_key = q.key
       where device_codes.token_key = any (?::text[])
       order by device_codes.token_key for no key update of device_codes
     )
     update device_codes as d set ${noted} from m where d.token_key = m.key
     returning d.token_key, d.early, d.poll_interval`,
  ),
};

/** For the test that an index serves each statement. */
export const deviceCodeStatements = { sqlite: [find, claim, polls.sqlite], postgres: [find, claim, polls.postgres] };

async function notePolls(sql: Sql, all: readonly Poll[]): Promise<(PollPace | undefined)[]> {
  const keys = all.map(({ key }) => key);
  const column = (name: 'at' | 'least' | 'step') => all.map((one) => one[name]);
  const rows =
    sql.dialect === 'sqlite'
      ? await sql.rows(polls.sqlite, [JSON.stringify(all.map(({ key, at, least, step }) => [key, at, least, step]))])
      : await sql.rows(polls.postgres, [keys, column('at'), column('least'), column('step'), keys]);
  const found = new Map(
    rows.map(([key, isEarly, interval]) => [key, { early: Boolean(isEarly), interval: Number(interval) }]),
  );
  return keys.map((key) => found.get(key));
}

export function createDeviceCodeStore(sql: Sql): DeviceCodeStore {
  const poll = createBatcher<Poll, PollPace | undefined>({
    ...(sql.dialect === 'sqlite' ? { limit: 1, size: 256 } : { limit: 2, size: 64 }),
    keys: ({ key }) => [key],
    send: (all) => notePolls(sql, all),
  });

  return {
    async insert(row, now) {
      return (await sql.rows(insert, [...putCode.values(row), now])).length === 1;
    },

    async find(userCode) {
      const [row] = await sql.rows(find, [userCode]);
      return row && deviceCodes.read(row);
    },

    async claim(userCode, browser) {
      return findable(browser) && (await sql.rows(claim, [browser, userCode, browser])).length === 1;
    },

    poll: (key, at, { least, step }) => poll({ key, at, least: Math.round(least * 1000), step }),
  };
}
