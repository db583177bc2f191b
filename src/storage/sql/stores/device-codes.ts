/** User codes of the device flow, and the polls of their devices. */
import type { DeviceCodeStore } from '../../../core/stores/device-codes.ts';
import { findable, type Sql, statement } from '../sql.ts';
import { put } from '../table.ts';
import { deviceCodes } from '../tables.ts';

const putCode = put(deviceCodes, { key: 'user_code' });
const insert = statement(
  'insert_device_code',
  `${putCode.insert} ${putCode.replace}, polled_at_ms = null where device_codes.expires_at <= ? returning 1`,
);
const find = statement('find_device_code', `${deviceCodes.select} where user_code = ?`);
const claim = statement(
  'claim_device_code',
  'update device_codes set browser = ? where user_code = ? and (browser is null or browser = ?) returning 1',
);
const early = 'polled_at_ms is not null and ? < polled_at_ms + poll_interval * ?';
const poll = statement(
  'poll_device_code',
  `update device_codes set
     early = (${early}), poll_interval = poll_interval + case when ${early} then ? else 0 end, polled_at_ms = ?
   where token_key = ?
   returning early, poll_interval`,
);

/** For the test that an index serves each statement. */
export const deviceCodeStatements = [find, claim, poll];

export function createDeviceCodeStore(sql: Sql): DeviceCodeStore {
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

    async poll(tokenKey, nowMs, { least, step }) {
      const waitMs = Math.round(least * 1000);
      const [row] = await sql.rows(poll, [nowMs, waitMs, nowMs, waitMs, step, nowMs, tokenKey]);
      return row && { early: Boolean(row[0]), interval: Number(row[1]) };
    },
  };
}
