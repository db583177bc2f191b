/**
 * What the stores promise about sessions, whichever surface made them: one list, marks without a change, endings that
 * all hear of.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { openSql, type SqlStores } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { buildClient, buildGrant, buildSession, buildToken, insertAccount } from './rows.ts';

function promises(open: () => Promise<SqlStores>): void {
  let stores: SqlStores;
  beforeAll(async () => {
    stores = await open();
  });
  afterAll(() => stores.close());

  const person = () => insertAccount(stores);
  const news = async (since: number) => (await stores.changes.since(since))?.map(({ kind, id }) => `${kind} ${id}`);

  test('a session keeps its door and its client, and takes over address and program of the latest write', async () => {
    const origin = { door: 'identity', clientId: null, address: '192.0.2.1', userAgent: 'one' };
    const session = buildSession({ origin });
    await stores.engine.commit({ sessions: [session] });
    const moved = { door: 'elsewhere', clientId: 'c', address: '2001:db8::2', userAgent: null };
    await stores.engine.commit({ sessions: [{ ...session, payload: '{"n":1}', before: '{}', origin: moved }] });
    expect((await stores.engine.readSessionByUid(session.uid))?.session.origin).toEqual({
      ...origin,
      address: '2001:db8::2',
      userAgent: null,
    });
  });

  test('a person’s sessions are listed page by page, the newest first, and no one else’s', async () => {
    const { subject } = await person();
    const uids: string[] = [];
    for (let n = 0; n < 7; n++) {
      const session = buildSession({ subject });
      uids.push(session.uid);
      await stores.engine.commit({ sessions: [session] });
    }
    await stores.engine.commit({ sessions: [buildSession({ subject: (await person()).subject })] });
    const seen: string[] = [];
    for (let page = await stores.engine.listSessions(subject, 3); page.length > 0; ) {
      seen.push(...page.map(({ uid }) => uid));
      page = await stores.engine.listSessions(subject, 3, page.at(-1));
    }
    expect(seen.toSorted()).toEqual(uids.toSorted());
    const all = await stores.engine.listSessions(subject, 1000);
    expect(all.map(({ uid }) => uid)).toEqual(seen);
    const begun = all.map(({ createdAt }) => createdAt);
    expect(begun).toEqual(begun.toSorted((a, b) => b - a));
    expect(await stores.engine.listSessions('no\0body', 10)).toEqual([]);
  });

  test('marks move forward only, and are no change', async () => {
    const { subject, updatedAt } = await person();
    const session = buildSession({ subject });
    await stores.engine.commit({ sessions: [session] });
    const before = await stores.changes.latest();
    for (const at of [5000, 4000]) {
      await stores.engine.touchSessions([
        { uid: session.uid, at },
        { uid: 'nobody', at },
      ]);
      await stores.accounts.touch([
        { subject, at },
        { subject: 'nobody', at },
      ]);
    }
    expect((await stores.engine.readSessionByUid(session.uid))?.session.lastSeenAt).toBe(5000);
    expect(await stores.accounts.bySubject(subject)).toMatchObject({ lastSeenAt: 5000, updatedAt });
    expect(await stores.changes.latest()).toBe(before);
  });

  test('two processes that mark the same people at once both succeed', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, person));
    const marks = people.map(({ subject }) => ({ subject, at: 7000 }));
    await Promise.all([stores.accounts.touch(marks), stores.accounts.touch(marks.toReversed())]);
    for (const { subject } of people) expect((await stores.accounts.bySubject(subject))?.lastSeenAt).toBe(7000);
  });

  test('the end of a session says whose it was; ending it again is no news', async () => {
    const { subject } = await person();
    const own = buildSession({ subject });
    const program = buildSession({ origin: { door: 'space-guard', clientId: 'c', address: null, userAgent: null } });
    await stores.engine.commit({ sessions: [own, program] });
    const before = await stores.changes.latest();
    expect(await stores.engine.deleteSession(own.uid)).toBe(true);
    expect(await stores.engine.deleteSession(program.uid)).toBe(true);
    expect(await stores.engine.deleteSession(own.uid)).toBe(false);
    expect(await stores.engine.deleteSession('no\0body')).toBe(false);
    expect(await news(before)).toEqual([`session ${own.uid} ${subject}`, `session ${program.uid} c`]);
  });

  test('a changed, ended or deleted account is news', async () => {
    const { subject } = await person();
    const before = await stores.changes.latest();
    await stores.accounts.update(subject, { firstName: 'Ada' }, nowSeconds());
    await stores.engine.endAll(subject);
    await stores.accounts.delete(subject);
    expect(await stores.accounts.delete(subject)).toBe('not-found');
    expect(await stores.accounts.update(subject, { firstName: 'Eve' }, nowSeconds())).toBeUndefined();
    expect(await news(before)).toEqual(Array(3).fill(`account ${subject}`));
  });

  test('a deleted client takes its sessions along', async () => {
    const client = buildClient({ tokens: [{ id: 't', hash: 'h', label: '', createdAt: 1, expiresAt: null }] });
    await stores.clients.insert(client);
    expect(await stores.clients.find(client.id)).toEqual(client);
    const origin = { door: 'space-guard', clientId: client.id, address: null, userAgent: null };
    const [own, other] = [buildSession({ origin }), buildSession()];
    await stores.engine.commit({ sessions: [own, other] });
    await stores.clients.delete(client.id);
    expect(await stores.engine.readSessionByUid(own.uid)).toBeUndefined();
    expect(await stores.engine.readSessionByUid(other.uid)).toBeDefined();
  });

  test('a deleted person takes the applications along that are theirs, with what hangs on them', async () => {
    const { subject } = await person();
    const [own, other] = [buildClient({ owner: subject, origin: 'person' }), buildClient()];
    for (const client of [own, other]) await stores.clients.insert(client);
    const grant = buildGrant({ clientId: own.id, subject: 'another' });
    const token = buildToken({ clientId: own.id, grantId: grant.id });
    await stores.engine.commit({ grants: [grant], tokens: [token] });
    const before = await stores.changes.latest();
    await stores.accounts.delete(subject);
    expect(await stores.clients.find(own.id)).toBeUndefined();
    expect(await stores.engine.readToken(token.key)).toBeUndefined();
    expect(await stores.clients.find(other.id)).toBeDefined();
    expect(await news(before)).toEqual([`client ${own.id}`, `account ${subject}`]);
  });
}

describe('sessions in SQLite', () => promises(() => openSql({ kind: 'sqlite', file: ':memory:' })));

describePostgres('sessions in Postgres', () => {
  let database: TestDatabase;
  promises(async () => {
    database = await freshPostgres();
    return openSql({ kind: 'postgres', url: database.url, pool: 4 }, { migrateAtOpen: true });
  });
});
