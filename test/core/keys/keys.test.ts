/**
 * The life of a signing key: made, published, signing, kept, removed; encrypted all along. Real storage; only the clock
 * moves.
 */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createKeys, type KeySettings, type Keys } from '../../../src/core/keys/keys.ts';
import { openSql, type SqlStores } from '../../../src/storage/sql/open.ts';
import { setClock } from '../../support/clock.ts';

const settings: KeySettings = {
  secretKey: 'a-secret-key-for-tests-0123456789abcdef',
  jwksMaxAge: 3600,
  rotationDays: 90,
  longestToken: 86_400,
};
const day = 86_400;
const start = Date.UTC(2026, 0, 1);

let stores: SqlStores;
let keys: Keys;
beforeEach(async () => {
  setClock(start, { runs: false });
  stores = await openSql({ kind: 'sqlite', file: ':memory:' });
  keys = createKeys(stores.keys, settings);
});
afterEach(async () => {
  jest.useRealTimers();
  await stores.close();
});

const later = (seconds: number) => jest.setSystemTime(Date.now() + seconds * 1000);
const ids = (status: string) =>
  keys
    .ring()
    .filter((key) => key.status === status)
    .map(({ id }) => id)
    .sort();

describe('the first start', () => {
  test('makes one current key for each algorithm, the same for everybody who looks', async () => {
    const ring = await keys.load();
    expect(ring.map(({ algorithm, status }) => `${algorithm} ${status}`).sort()).toEqual([
      'ES256 current',
      'RS256 current',
    ]);
    const other = createKeys(stores.keys, settings);
    expect((await other.load()).map(({ id }) => id).sort()).toEqual(ring.map(({ id }) => id).sort());
  });

  test('two processes at once agree on one set', async () => {
    const other = createKeys(stores.keys, settings);
    const [a, b] = await Promise.all([keys.load(), other.load()]);
    expect(a.map(({ id }) => id).sort()).toEqual(b.map(({ id }) => id).sort());
    expect(a).toHaveLength(2);
  });

  test('what is stored does not hold the private key in the clear', async () => {
    const [first] = await keys.load();
    const { d } = first?.privateKey.export({ format: 'jwk' }) ?? {};
    expect(d).toMatch(/^[A-Za-z0-9_-]{40,}$/);
    expect(JSON.stringify(await stores.keys.list())).not.toContain(d);
  });

  test('another SECRET_KEY is told so, not served with new keys', async () => {
    await keys.load();
    const stranger = createKeys(stores.keys, { ...settings, secretKey: 'another-secret-key-0123456789abcdefghij' });
    await expect(stranger.load()).rejects.toThrow(/SECRET_KEY/);
  });
});

test('D7: a key that has never been published does not sign: the first rotation only publishes it', async () => {
  await keys.load();
  expect(await keys.rotate()).toEqual({ outcome: 'too-early', readyAt: start / 1000 + settings.jwksMaxAge });
  await keys.load();
  expect(ids('next')).toHaveLength(2);
});

describe('rotation', () => {
  beforeEach(async () => {
    await keys.load();
    await keys.upkeep();
    await keys.load();
  });

  test('D7: a key is published for a whole JWKS max-age before it signs', async () => {
    const next = ids('next');
    expect(next).toHaveLength(2);
    later(settings.jwksMaxAge - 1);
    expect(await keys.rotate()).toEqual({ outcome: 'too-early', readyAt: start / 1000 + settings.jwksMaxAge });
    later(1);
    expect((await keys.rotate()).outcome).toBe('rotated');
    expect(ids('current')).toEqual(next);
  });

  test('D7: the key that signed before stays published until the last token under it has ended', async () => {
    const before = ids('current');
    later(settings.jwksMaxAge);
    await keys.rotate();
    expect(ids('previous')).toEqual(before);
    later(settings.longestToken + settings.jwksMaxAge);
    await keys.upkeep();
    await keys.load();
    expect(ids('previous')).toEqual(before);
    later(1);
    await keys.upkeep();
    await keys.load();
    expect(ids('previous')).toEqual([]);
  });

  test('a leaked key can be replaced at once', async () => {
    const next = ids('next');
    expect((await keys.rotate({ force: true })).outcome).toBe('rotated');
    expect(ids('current')).toEqual(next);
  });

  test('the schedule rotates after its days and not before', async () => {
    const current = ids('current');
    later(settings.rotationDays * day - 1);
    await keys.upkeep();
    await keys.load();
    expect(ids('current')).toEqual(current);
    later(1);
    await keys.upkeep();
    await keys.load();
    expect(ids('previous')).toEqual(current);
  });

  test('with a schedule of 0 days only a command rotates', async () => {
    const manual = createKeys(stores.keys, { ...settings, rotationDays: 0 });
    await manual.load();
    later(10 * 365 * day);
    await manual.upkeep();
    expect((await manual.load()).filter(({ status }) => status === 'previous')).toHaveLength(0);
  });

  test('two rotations at once: each leaves one current and one next key for each algorithm', async () => {
    later(settings.jwksMaxAge);
    const other = createKeys(stores.keys, settings);
    await other.load();
    await Promise.all([keys.rotate(), other.rotate({ force: true })]);
    await keys.load();
    expect(ids('current')).toHaveLength(2);
    expect(ids('next')).toHaveLength(2);
  });
});
