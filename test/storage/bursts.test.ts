/**
 * Bursts: many calls about one row cost few statements, and a busy process is not taken for a database that is away.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import { createBatcher } from '../../src/storage/sql/batch.ts';
import { gathered } from '../../src/storage/sql/gathered.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { comeBack, stopClock, travel } from '../support/flow.ts';
import { buildGrant, buildSession, buildToken, now } from './rows.ts';

function gate<T>() {
  let [open, fail]: [(value: T) => void, (error: unknown) => void] = [() => {}, () => {}];
  const held = new Promise<T>((resolve, reject) => {
    [open, fail] = [resolve, reject];
  });
  return { held, open: (value: T) => open(value), fail: (error: unknown) => fail(error) };
}

const turns = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a batcher whose items wait', () => {
  afterEach(comeBack);

  function waitingBehind() {
    const first = gate<string[]>();
    const sent: (readonly string[])[] = [];
    const send = createBatcher<string, string>({
      limit: 1,
      size: 10,
      async send(items) {
        sent.push(items);
        return sent.length === 1 ? first.held : items.map((item) => item.toUpperCase());
      },
    });
    return { first, sent, send };
  }

  test('an item that waited long is still sent if the batch before it was answered: this process was busy', async () => {
    const { first, send } = waitingBehind();
    stopClock();
    const under = send('a');
    await turns();
    const waiting = send('b');
    travel(60);
    first.open(['A']);
    expect(await Promise.all([under, waiting])).toEqual(['A', 'B']);
  });

  test('it is rejected if the database did not answer that batch, and the latest items get their try', async () => {
    const { first, sent, send } = waitingBehind();
    stopClock();
    const under = send('a');
    await turns();
    const waiting = send('b');
    travel(60);
    const late = send('c');
    first.fail(new Unavailable('database'));
    expect((await Promise.allSettled([under, waiting, late])).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(sent).toEqual([['a'], ['c']]);
  });
});

describe('gathered calls', () => {
  test('those that come during a run share the next one, which begins after them; one of each run has its result', async () => {
    const gates = [gate<boolean>(), gate<boolean>()];
    const began: string[] = [];
    const call = gathered((key) => {
      began.push(key);
      return gates[began.length - 1]?.held ?? Promise.resolve(true);
    });
    const all = [call('a'), call('a'), call('a')];
    expect(began).toEqual(['a']);
    gates[0]?.open(true);
    gates[1]?.open(true);
    expect(await Promise.all(all)).toEqual([true, true, false]);
    expect(began).toEqual(['a', 'a']);
    expect(await call('a')).toBe(true);
  });

  test('a run that fails takes along those that share it, and no others', async () => {
    let runs = 0;
    const call = gathered(async () => {
      runs += 1;
      if (runs !== 2) throw new Unavailable('database');
      return true;
    });
    const statuses = (await Promise.allSettled([call('a'), call('a'), call('a'), call('b')])).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
  });
});

function burstsOn(make: () => Promise<TestDatabase>): void {
  async function within(work: (stores: Awaited<ReturnType<typeof openSql>>) => Promise<void>): Promise<void> {
    const database = await make();
    const stores = await openSql(database.settings, { migrateAtOpen: true });
    await work(stores).finally(() => stores.close());
    await database.drop();
  }

  test('200 units at once that consume one code cost a handful of round trips', () =>
    within(async ({ engine, roundTrips }) => {
      const code = buildToken();
      await engine.commit({ tokens: [code] });
      const before = roundTrips();
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, (_, n) => engine.commit({ consume: [{ key: code.key, at: now + n }] })),
      );
      expect(outcomes.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
      expect(outcomes.filter((each) => each.outcome === 'spent' && each.token?.consumedAt === now)).toHaveLength(199);
      expect(roundTrips() - before).toBeLessThanOrEqual(8);
    }));

  test('units that consume one code and lack something else fail alone', () =>
    within(async ({ engine }) => {
      const code = buildToken();
      await engine.commit({ tokens: [code] });
      const consume = [{ key: code.key, at: now }];
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          engine.commit(n === 10 ? { consume } : { consume, tokens: [buildToken({ grantId: 'gone' })] }),
        ),
      );
      expect(outcomes.findIndex(({ outcome }) => outcome === 'committed')).toBe(10);
    }));

  test('a unit that the database rejects does not take along those that consume the same code', () =>
    within(async ({ engine }) => {
      const [code, taken] = [buildToken(), buildSession()];
      await engine.commit({ tokens: [code], sessions: [taken] });
      const consume = [{ key: code.key, at: now }];
      // Two uids under one key: the database refuses it.
      const bad = engine.commit({ consume, sessions: [buildSession({ key: taken.key })] });
      const all = await Promise.allSettled([bad, engine.commit({ consume })]);
      expect(all).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: { outcome: 'committed' } }]);
    }));

  test('of 200 revocations of one grant at once one ends it, in few transactions', () =>
    within(async ({ engine, roundTrips }) => {
      const grant = buildGrant();
      await engine.commit({ grants: [grant], tokens: [buildToken({ grantId: grant.id })] });
      const before = roundTrips();
      const ended = await Promise.all(Array.from({ length: 200 }, () => engine.revokeGrant(grant.id)));
      expect(ended.filter(Boolean)).toHaveLength(1);
      expect(roundTrips() - before).toBeLessThanOrEqual(8);
      expect(await engine.revokeGrant(grant.id)).toBe(false);
    }));
}

describe('bursts (SQLite)', () => burstsOn(freshSqlite));
describePostgres('bursts (Postgres)', () => burstsOn(freshPostgres));
