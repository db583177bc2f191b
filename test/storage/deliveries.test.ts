/**
 * The outbox: whatever ends a session writes a delivery for each client that wants to hear of it, or neither happens.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Delivery } from '../../src/core/stores/deliveries.ts';
import type { SessionPut, Unit } from '../../src/core/stores/engine.ts';
import { openSql, type SqlStores } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { comeBack, travel } from '../support/flow.ts';
import { buildClient, buildGrant, buildSession, buildToken, insertAccount, name, now } from './rows.ts';

const uri = 'https://app.example/back-channel';

function promises(open: () => Promise<SqlStores>): void {
  let stores: SqlStores;
  beforeAll(async () => {
    stores = await open();
  });
  afterAll(() => stores.close());

  const wanting = async () => {
    const client = buildClient({ metadata: { client_name: 'a\0"', backchannel_logout_uri: uri } });
    await stores.clients.insert(client);
    return client.id;
  };
  const quiet = async () => {
    // A value that looks like the member.
    const client = buildClient({ metadata: { client_name: '"backchannel_logout_uri":"https://x.example"' } });
    await stores.clients.insert(client);
    return client.id;
  };

  /** A user whose session has these clients, each with a grant. */
  async function signedIn(clients: readonly string[], more: Partial<SessionPut> = {}) {
    const subject = more.subject ?? (await insertAccount(stores)).subject;
    const own = clients.map((clientId) => buildGrant({ clientId, subject }));
    const session = buildSession({
      subject,
      // What a client sent may be in the payload; the text of a Postgres function cannot hold it.
      payload: JSON.stringify({ state: { state: '\0' } }),
      grants: Object.fromEntries(own.map(({ id, clientId }) => [clientId, id])),
      sids: Object.fromEntries(clients.map((clientId) => [clientId, `sid-${clientId}`])),
      ...more,
    });
    await stores.engine.commit({ sessions: [session], grants: own });
    return { subject, session };
  }

  const of = (clientId: string) => stores.deliveries.list({ clientId }, 1000);
  const facts = async (clientId: string) => (await of(clientId)).map((each) => each.facts);
  const first = async (clientId: string): Promise<Delivery> => {
    const [delivery] = await of(clientId);
    if (delivery === undefined) throw new Error('no delivery');
    return delivery;
  };
  const settled = { lastOutcome: '200', lastAt: 5, next: 'delivered' } as const;

  test('the end of one session tells each of its clients that has a URI, and no other', async () => {
    const [one, two, none] = [await wanting(), await wanting(), await quiet()];
    const { subject, session } = await signedIn([one, two, none, 'gone', '$.x']);
    let woken = 0;
    const stop = stores.deliveries.onWritten(() => {
      woken += 1;
    });
    const before = await stores.changes.latest();
    expect(await stores.engine.deleteSession(session.uid)).toBe(true);
    expect(await stores.engine.deleteSession(session.uid)).toBe(false);
    stop();
    expect(woken).toBe(1);
    for (const clientId of [one, two]) {
      expect(await of(clientId)).toMatchObject([
        { kind: 'back-channel-logout', state: 'waiting', attempts: 0, facts: { sub: subject, sid: `sid-${clientId}` } },
      ]);
    }
    for (const clientId of [none, 'gone', '$.x']) expect(await of(clientId)).toEqual([]);
    const news = await stores.changes.since(before);
    expect(news?.map(({ kind, id }) => `${kind} ${id}`)).toEqual([`session ${session.uid} ${subject}`, 'delivery 2']);
  });

  test('a session of an earlier version has no sid: its delivery names the user', async () => {
    const client = await wanting();
    const { subject, session } = await signedIn([client], { sids: {} });
    await stores.engine.deleteSession(session.uid);
    expect(await facts(client)).toEqual([{ sub: subject, sid: null }]);
  });

  test('the end of all sessions tells of each but the one that is kept', async () => {
    const client = await wanting();
    const { subject, session: kept } = await signedIn([client], { sids: { [client]: 'kept' } });
    for (const sid of ['one', 'two']) await signedIn([client], { subject, sids: { [client]: sid } });
    await signedIn([client]);
    await stores.engine.endAll(subject, kept.uid);
    expect((await facts(client)).map(({ sid }) => sid).toSorted()).toEqual(['one', 'two']);
    await stores.engine.endAll(subject);
    expect((await facts(client)).map(({ sid }) => sid).toSorted()).toEqual(['kept', 'one', 'two']);
  });

  test('a deleted account, and a client whose consent is taken back, are told of each session', async () => {
    const [client, other] = [await wanting(), await wanting()];
    const { subject } = await signedIn([client, other]);
    await signedIn([other], { subject });
    expect(await stores.engine.revokeGrantsOf(subject, client)).toBe(true);
    expect(await facts(client)).toEqual([{ sub: subject, sid: `sid-${client}` }]);
    expect(await of(other)).toEqual([]);
    // The session still names the client; the delivery that waits is merged with the next one.
    expect(await stores.accounts.delete(subject)).toBe('removed');
    expect(await of(client)).toMatchObject([{ version: 2 }]);
    expect(await of(other)).toMatchObject([{ version: 1, facts: { sid: `sid-${other}` } }]);
  });

  test('a client that leaves a session is told only if the session is written', async () => {
    const [client, none] = [await wanting(), await quiet()];
    const { subject, session } = await signedIn([client, none]);
    const left = [client, none].map((clientId) => ({ clientId, subject, sid: clientId }));
    const put = { ...session, grants: {}, payload: '{"n":1}', left };
    const outcome = await stores.engine.commit({ sessions: [{ ...put, before: 'another' }] });
    expect(outcome).toEqual({ outcome: 'committed', overtaken: true });
    expect(await of(client)).toEqual([]);
    let woken = 0;
    const stop = stores.deliveries.onWritten(() => {
      woken += 1;
    });
    await stores.engine.commit({ sessions: [{ ...put, before: session.payload }] });
    stop();
    expect(woken).toBe(1);
    expect(await facts(client)).toEqual([{ sub: subject, sid: client }]);
    expect(await of(none)).toEqual([]);
  });

  test('units of one moment, whatever parts they have: each counts by itself', async () => {
    const client = await wanting();
    const tokens = Array.from({ length: 6 }, () => buildToken());
    const [one, two, three, shared, replaced, plain] = tokens.map(({ key }) => key);
    await stores.engine.commit({ tokens });
    const unit = async (keys: readonly (string | undefined)[]): Promise<Unit> => {
      const { subject, session } = await signedIn([client]);
      const left = [{ clientId: client, subject, sid: String(keys[0]) }];
      const put = { ...session, grants: {}, payload: '{"n":1}', before: session.payload, left };
      const consume = keys.map((key = '') => ({ key, at: now }));
      return { consume, sessions: [put], tokens: [buildToken()] };
    };
    // One that uses two records up and ends a client's part; two that meet the same record; one that lacks a record.
    const units = [await unit([one, shared]), await unit([two, shared]), await unit([three, 'none'])];
    const outcomes = await Promise.all([
      ...units.map((each) => stores.engine.commit(each)),
      stores.engine.commit({ repeat: { key: replaced ?? '', elsewhere: true }, tokens: [buildToken()] }),
      stores.engine.commit({ consume: [{ key: plain ?? '', at: now }] }),
    ]);
    const spentBy = { outcome: 'spent', token: expect.objectContaining({ key: shared }) };
    expect(outcomes).toEqual([
      { outcome: 'committed' },
      spentBy,
      { outcome: 'spent', token: undefined },
      { outcome: 'committed', shared: { repeats: 1, elsewhere: true } },
      { outcome: 'committed' },
    ]);
    expect(await facts(client)).toEqual([expect.objectContaining({ sid: one })]);
    const read = await Promise.all(tokens.map(({ key }) => stores.engine.readToken(key)));
    expect(read.map((bundle) => bundle?.token.consumedAt)).toEqual([now, null, null, now, null, now]);
    const written = await Promise.all(units.map((each) => stores.engine.readToken(each.tokens?.[0]?.key ?? '')));
    expect(written.map((bundle) => bundle !== undefined)).toEqual([true, false, false]);
    const sessions = await Promise.all(
      units.map((each) => stores.engine.readSessionByUid(each.sessions?.[0]?.uid ?? '')),
    );
    expect(sessions.map((bundle) => bundle?.session.payload === '{"n":1}')).toEqual([true, false, false]);
  });

  test('expiry and the deletion of the client itself tell no one', async () => {
    const client = await wanting();
    await signedIn([client], { expiresAt: 1 });
    while ((await stores.engine.purgeExpired(100, 1000)) > 0);
    const origin = { door: 'space-guard', clientId: client, address: null, userAgent: null };
    await stores.engine.commit({ sessions: [buildSession({ origin })] });
    await stores.clients.delete(client);
    expect(await of(client)).toEqual([]);
  });

  test('what is merged into a delivery that is on its way is sent after it; a settled one takes nothing in', async () => {
    const client = await wanting();
    const again = async () => {
      const { session } = await signedIn([client], { sids: { [client]: 'same' } });
      await stores.engine.deleteSession(session.uid);
    };
    await again();
    const sent = await first(client);
    travel(100);
    await again();
    comeBack();
    expect(await stores.deliveries.attempted(sent, settled)).toBe('merged');
    const next = await first(client);
    expect(next).toMatchObject({ id: sent.id, state: 'waiting', version: 2 });
    expect(next.giveUpAt).toBeGreaterThanOrEqual(sent.giveUpAt + 100);
    expect(await stores.deliveries.attempted(next, settled)).toBe('stored');
    expect(await first(client)).toMatchObject({
      state: 'delivered',
      attempts: 1,
      lastOutcome: '200',
      settledAt: 5,
      mergeKey: null,
    });
    await again();
    expect(await of(client)).toMatchObject([{ state: 'waiting' }, { state: 'delivered' }]);
  });

  test('one process at a time has a client; none has one that rests', async () => {
    const client = await wanting();
    const { claim, release, rest, waitingClients } = stores.deliveries;
    expect(await claim(client, 'a', 100, 50)).toBe(true);
    expect(await claim(client, 'b', 100, 99)).toBe(false);
    expect(await claim(client, 'a', 120, 99)).toBe(true);
    expect(await claim(client, 'b', 220, 120)).toBe(true);
    await release(client, 'a');
    expect(await claim(client, 'a', 300, 150)).toBe(false);
    await rest(client, 'b', 400);
    for (const holder of ['a', 'b']) expect(await claim(client, holder, 500, 399)).toBe(false);
    const { session } = await signedIn([client]);
    await stores.engine.deleteSession(session.uid);
    const { dueMs } = await first(client);
    const found = (await waitingClients()).find(({ clientId }) => clientId === client);
    expect(found).toEqual({ clientId: client, dueMs, claimedUntilMs: 400 });
    expect(await claim(client, 'a', 500, 400)).toBe(true);
    await release(client, 'a');
    expect((await waitingClients()).find(({ clientId }) => clientId === client)?.claimedUntilMs).toBe(0);
  });

  test('deliveries are due in order; one that is put off is due later', async () => {
    const client = await wanting();
    const { subject } = await insertAccount(stores);
    for (const sid of ['a', 'b', 'c']) {
      const { session } = await signedIn([client], { subject, sids: { [client]: sid } });
      await stores.engine.deleteSession(session.uid);
    }
    const later = Date.now() + 3_600_000;
    const due = async (at: number, limit = 10) =>
      (await stores.deliveries.due(client, at, limit)).map((each) => each.facts.sid);
    expect(await due(later)).toEqual(['a', 'b', 'c']);
    expect(await due(later, 2)).toEqual(['a', 'b']);
    expect(await due(1)).toEqual([]);
    const [delivery] = await stores.deliveries.due(client, later, 1);
    if (delivery === undefined) throw new Error('none is due');
    const put = { lastOutcome: '503', lastAt: 7, next: { dueMs: later + 1 } };
    expect(await stores.deliveries.attempted(delivery, put)).toBe('stored');
    expect(await due(later)).toEqual(['b', 'c']);
    expect(await due(later + 1)).toEqual(['b', 'c', 'a']);
    const waiting = await stores.deliveries.countWaiting();
    const [next] = await stores.deliveries.due(client, later, 1);
    if (next === undefined) throw new Error('none is due');
    await stores.deliveries.attempted(next, { ...settled, next: 'failed' });
    expect(await stores.deliveries.countWaiting()).toBe(waiting - 1);
  });

  test('an operator sends failed and waiting ones again, which ends the rest of the client', async () => {
    const [client, other] = [await wanting(), await wanting()];
    const { session } = await signedIn([client, other]);
    await stores.engine.deleteSession(session.uid);
    const delivery = await first(client);
    await stores.deliveries.attempted(delivery, { ...settled, next: 'failed' });
    await stores.deliveries.claim(client, 'a', 100, 50);
    await stores.deliveries.rest(client, 'a', 9_000);
    const before = await stores.changes.latest();
    expect(await stores.deliveries.retry({ clientId: client }, 1_000, 90)).toBe(1);
    expect(await first(client)).toMatchObject({
      ...{ state: 'waiting', dueMs: 1_000, giveUpAt: 90, attempts: 0, settledAt: null, lastOutcome: '200' },
    });
    expect(await stores.deliveries.claim(client, 'b', 2_000, 1_000)).toBe(true);
    expect(await stores.changes.since(before)).toMatchObject([{ kind: 'delivery' }]);
    expect(await stores.deliveries.retry({ id: delivery.id }, 2_000, 91)).toBe(1);
    expect(await stores.deliveries.retry({ clientId: 'no\0body' }, 1, 1)).toBe(0);
    expect(await stores.deliveries.retry({ id: 2 ** 53 }, 1, 1)).toBe(0);
    const done = await first(client);
    await stores.deliveries.attempted(done, settled);
    expect(await stores.deliveries.retry({ id: delivery.id }, 3_000, 92)).toBe(0);
    expect(await first(other)).toMatchObject({ giveUpAt: expect.any(Number), attempts: 0 });
  });

  test('the list is filtered and goes page by page; old settled ones are removed, waiting ones never', async () => {
    const client = await wanting();
    for (let n = 0; n < 3; n += 1) {
      const { session } = await signedIn([client], { sids: { [client]: name() } });
      await stores.engine.deleteSession(session.uid);
    }
    const [third, second, one] = await of(client);
    if (!third || !second || !one) throw new Error('three are expected');
    await stores.deliveries.attempted(second, settled);
    const ids = async (filter: Parameters<typeof stores.deliveries.list>[0], limit = 10) =>
      (await stores.deliveries.list({ clientId: client, ...filter }, limit)).map(({ id }) => id);
    expect(await ids({ state: 'waiting' })).toEqual([third.id, one.id]);
    expect(await ids({ state: 'delivered' })).toEqual([second.id]);
    expect(await ids({}, 2)).toEqual([third.id, second.id]);
    expect(await ids({ before: second.id })).toEqual([one.id]);
    expect(await stores.deliveries.list({ clientId: 'no\0body' }, 10)).toEqual([]);
    while ((await stores.deliveries.prune(6, 1)) > 0);
    expect(await ids({})).toEqual([third.id, one.id]);
  });
}

describe('the outbox in SQLite', () => promises(() => openSql({ kind: 'sqlite', file: ':memory:' })));

describePostgres('the outbox in Postgres', () => {
  let database: TestDatabase;
  promises(async () => {
    database = await freshPostgres();
    return openSql({ kind: 'postgres', url: database.url, pool: 4 }, { migrateAtOpen: true });
  });
  afterAll(() => database.drop());
});
