/** What must hold when many ask at once, with the reason why each race matters. For every SQL storage. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Stores } from '../../src/core/stores/stores.ts';
import {
  buildAccount,
  buildClient,
  buildDeviceCode,
  buildEvent,
  buildGrant,
  buildKey,
  buildLink,
  buildSession,
  buildToken,
  insertAccount,
  name,
  now,
} from './rows.ts';

const times = <T>(count: number, work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

/** `other` is a second set of stores over the same database, as another process would have; or the same ones. */
export function storageRaces(storage: string, open: () => Promise<{ stores: Stores; other: Stores }>): void {
  describe(`${storage} under concurrency`, () => {
    let stores: Stores;
    let other: Stores;
    beforeAll(async () => {
      ({ stores, other } = await open());
    });
    afterAll(() => Promise.all([stores.close(), other.close()]));

    /** Every second call goes through the other process. */
    const either = (n: number) => (n % 2 === 0 ? stores : other);

    test('of 200 commits that consume one code exactly one counts (a stolen code must not buy a second token)', async () => {
      const code = buildToken();
      await stores.engine.commit({ tokens: [code] });
      const tokens = Array.from({ length: 200 }, () => buildToken());
      const outcomes = await times(200, (n) =>
        either(n).engine.commit({ consume: [{ key: code.key, at: now + n }], tokens: tokens.slice(n, n + 1) }),
      );
      expect(outcomes.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
      for (const each of outcomes)
        if (each.outcome === 'spent') expect(each.token?.consumedAt).toBeGreaterThanOrEqual(now);
      const written = await times(200, async (n) => stores.engine.readToken(tokens[n]?.key ?? ''));
      expect(written.filter((bundle) => bundle !== undefined)).toHaveLength(1);
      expect(written.findIndex((bundle) => bundle !== undefined)).toBe(
        outcomes.findIndex(({ outcome }) => outcome === 'committed'),
      );
    });

    test('of commits that consume one record with another each, exactly one counts and the others burn nothing (two tabs must not get two codes for one pushed request)', async () => {
      const pushed = buildToken();
      const interactions = Array.from({ length: 60 }, () => buildToken());
      await stores.engine.commit({ tokens: [pushed, ...interactions] });
      const codes = Array.from({ length: 60 }, () => buildToken());
      const outcomes = await times(60, (n) => {
        const keys = [interactions[n]?.key ?? '', pushed.key];
        // Half of them the other way round, as another request may have met the records.
        const consume = (n % 4 < 2 ? keys : keys.toReversed()).map((key) => ({ key, at: now + n }));
        return either(n).engine.commit({ consume, tokens: codes.slice(n, n + 1) });
      });
      expect(outcomes.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
      const winner = outcomes.findIndex(({ outcome }) => outcome === 'committed');
      const used = await times(60, async (n) => (await stores.engine.readToken(interactions[n]?.key ?? ''))?.token);
      expect(used.flatMap((token, n) => (token?.consumedAt === null ? [] : [n]))).toEqual([winner]);
      const written = await times(60, (n) => stores.engine.readToken(codes[n]?.key ?? ''));
      expect(written.flatMap((bundle, n) => (bundle === undefined ? [] : [n]))).toEqual([winner]);
    });

    test('of 100 repeats of one successor one is noted, and all are counted (one record per token, not per request)', async () => {
      const tokens = [buildToken(), buildToken()];
      await stores.engine.commit({ tokens });
      const keys = tokens.map(({ key }) => key);
      const outcomes = await times(100, (n) =>
        either(n >> 1).engine.commit({
          repeat: { key: keys[n % 2] ?? '', elsewhere: n === 77 },
          tokens: [buildToken()],
        }),
      );
      expect(outcomes.filter((each) => each.outcome === 'committed' && each.shared)).toHaveLength(2);
      for (const key of keys) expect((await other.engine.readToken(key))?.token.repeats).toBe(50);
    });

    test('of many who replace one password hash exactly one does (a rehash must not undo a change of password)', async () => {
      const { subject } = await insertAccount(stores, { passwordHash: 'old' });
      const changed = await times(50, (n) =>
        either(n).accounts.replacePasswordHash(subject, { from: 'old', to: `new ${n}` }, now),
      );
      const [winner, ...others] = changed.filter((account) => account !== undefined);
      expect(others).toEqual([]);
      expect((await other.accounts.bySubject(subject))?.passwordHash).toBe(winner?.passwordHash);
    });

    test('of two imports of the same people at once each person is made once', async () => {
      const people = Array.from({ length: 100 }, () => buildAccount());
      const answers = await times(4, (n) =>
        either(n).accounts.insertAll(
          // Each its own subjects, and half of them the other way round.
          (n < 2 ? people : people.toReversed()).map((person) => ({ ...person, subject: name(), disabledAt: null })),
        ),
      );
      const made = answers.flat().filter(({ outcome }) => outcome === 'created');
      expect(made).toHaveLength(100);
    });

    test('many units at once are all committed, each with its own rows', async () => {
      const units = Array.from({ length: 150 }, () => {
        const grant = buildGrant();
        return { grants: [grant], tokens: [buildToken({ grantId: grant.id })], sessions: [buildSession()] };
      });
      const outcomes = await times(150, (n) => either(n).engine.commit(units[n] ?? {}));
      expect(outcomes.every(({ outcome }) => outcome === 'committed')).toBe(true);
      const bundles = await times(150, async (n) => other.engine.readToken(units[n]?.tokens[0]?.key ?? ''));
      expect(bundles.map((bundle) => bundle?.grant?.id)).toEqual(units.map((unit) => unit.grants[0]?.id));
    });

    test('one bad unit fails alone (no one can break the sign-in of those who happen to come at the same moment)', async () => {
      const good = Array.from({ length: 20 }, () => buildToken());
      // Two uids under one key: the database refuses it.
      const taken = buildSession();
      await stores.engine.commit({ sessions: [taken] });
      const bad = stores.engine.commit({ sessions: [buildSession({ key: taken.key })], tokens: [buildToken()] });
      const all = await Promise.allSettled([bad, ...good.map((token) => stores.engine.commit({ tokens: [token] }))]);
      expect(all.map(({ status }) => status)).toEqual(['rejected', ...good.map(() => 'fulfilled')]);
      for (const token of good) expect(await stores.engine.readToken(token.key)).toBeDefined();
    });

    test('units that touch the same rows in different orders all finish (no deadlock reaches a caller)', async () => {
      const grants = Array.from({ length: 6 }, () => buildGrant());
      const outcomes = await times(60, (n) =>
        either(n).engine.commit({ grants: n % 2 === 0 ? grants : grants.toReversed(), tokens: [buildToken()] }),
      );
      expect(outcomes.every(({ outcome }) => outcome === 'committed')).toBe(true);
    });

    test('of 50 inserts of one assertion id one gets true (a client assertion works once)', async () => {
      const row = buildToken({ kind: 'ReplayDetection' });
      const results = await times(50, (n) => either(n).engine.insertOnce(row, now));
      expect(results.filter(Boolean)).toHaveLength(1);
    });

    test('of 100 sign-ups under one name one is created (a name belongs to one person)', async () => {
      const username = name();
      const results = await times(100, (n) => either(n).accounts.insert(buildAccount({ username })));
      expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      expect(results.filter(({ outcome }) => outcome === 'taken')).toHaveLength(99);
    });

    test('of concurrent changes of one client one counts per version (no change is lost unseen)', async () => {
      const client = buildClient();
      await stores.clients.insert(client);
      const results = await times(20, (n) => either(n).clients.update({ ...client, metadata: { n }, version: 2 }));
      expect(results.filter(Boolean)).toHaveLength(1);
      expect((await stores.clients.find(client.id))?.metadata).toEqual({ n: results.indexOf(true) });
    });

    test('changes are numbered without gaps, and a reader who sees a number sees all before it', async () => {
      const start = await stores.changes.latest();
      let watching = true;
      const watcher = (async () => {
        while (watching) {
          const seen = await other.changes.latest();
          const changes = await other.changes.since(start);
          expect(changes?.length).toBeGreaterThanOrEqual(seen - start);
          expect(changes?.map(({ seq }) => seq)).toEqual(changes?.map((_, n) => start + n + 1));
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      await times(60, (n) => either(n).changes.note('client', `${n}`));
      watching = false;
      await watcher;
      expect(await stores.changes.since(start)).toHaveLength(60);
    });

    test('of concurrent rotations one counts (two current keys would split the fleet)', async () => {
      const seen = await stores.keys.list();
      const results = await times(10, (n) =>
        either(n).keys.replace(
          seen,
          [buildKey()],
          seen.map(({ id }) => id),
        ),
      );
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await stores.keys.list()).toHaveLength(1);
    });

    test('of concurrent takers of a link one gets it (a set-up link makes one admin)', async () => {
      const link = buildLink();
      await stores.links.insert(link);
      const taken = await times(50, (n) => either(n).links.take(link.key));
      expect(taken.filter((each) => each !== undefined)).toEqual([link]);
    });

    test('of concurrent devices one gets a user code, and of concurrent browsers one decides', async () => {
      const { userCode } = buildDeviceCode();
      const begun = await times(30, (n) => either(n).deviceCodes.insert(buildDeviceCode({ userCode }), now));
      expect(begun.filter(Boolean)).toHaveLength(1);
      const claimed = await times(30, (n) => either(n).deviceCodes.claim(userCode, `browser ${n}`));
      expect(claimed.filter(Boolean)).toHaveLength(1);
    });

    test('of concurrent polls one is in time (two processes of a device must not double its pace)', async () => {
      const { tokenKey } = buildDeviceCode();
      await stores.deviceCodes.insert(buildDeviceCode({ tokenKey }), now);
      const paces = await times(10, (n) => either(n).deviceCodes.poll(tokenKey, 1_000, { least: 0.8, step: 5 }));
      expect(paces.filter((pace) => pace?.early === false)).toHaveLength(1);
      expect(Math.max(...paces.map((pace) => pace?.interval ?? 0))).toBe(50);
    });

    test('of concurrent candidates one gets the lease (background work runs once)', async () => {
      const lease = name();
      const results = await times(20, (n) => either(n).leases.acquire(lease, `holder-${n}`, 1000, 0));
      expect(results.filter(Boolean)).toHaveLength(1);
    });

    test('a refresh racing the revocation of its grant leaves nothing usable', async () => {
      for (let round = 0; round < 20; round++) {
        const grant = buildGrant();
        const old = buildToken({ grantId: grant.id });
        await stores.engine.commit({ grants: [grant], tokens: [old] });
        const next = buildToken({ grantId: grant.id });
        const refresh = stores.engine.commit({ consume: [{ key: old.key, at: now }], tokens: [next] });
        await Promise.all([refresh, other.engine.revokeGrant(grant.id)]);
        // Usable is what comes with its grant.
        expect((await stores.engine.readToken(next.key))?.grant).toBeUndefined();
        expect((await stores.engine.readToken(old.key))?.grant).toBeUndefined();
      }
    });

    test('a grant made of a consent, or written once more, does not outlive the moment in which that is taken back', async () => {
      for (let round = 0; round < 20; round++) {
        const [fresh, known] = [buildGrant(), buildGrant()];
        const { subject, clientId } = fresh;
        const of = { subject, clientId };
        await stores.consents.put({ ...of, scopes: [], claims: [], resources: {}, updatedAt: now });
        await stores.engine.commit({ grants: [{ ...known, ...of }] });
        await Promise.all([
          stores.engine.commit({ grants: [{ ...fresh, rests: 'consent' }] }),
          stores.engine.commit({ grants: [{ ...known, ...of, payload: '{"more":1}', rests: 'grant' }] }),
          other.engine.revokeGrantsOf(subject, clientId),
        ]);
        expect([await stores.engine.readGrant(fresh.id), await stores.engine.readGrant(known.id)]).toEqual([
          undefined,
          undefined,
        ]);
      }
    });

    test('of 30 requests that change one session at once, each made from what it read, none undoes another', async () => {
      const session = buildSession({ payload: '[]' });
      await stores.engine.commit({ sessions: [session] });
      await times(30, async (n) => {
        const engine = n % 2 === 0 ? stores.engine : other.engine;
        for (let before = session.payload; ; ) {
          const payload = JSON.stringify([...JSON.parse(before), n]);
          const outcome = await engine.commit({ sessions: [{ ...session, payload, before }] });
          if (outcome.outcome === 'committed' && !outcome.overtaken) return;
          before = (await engine.readSessionByUid(session.uid))?.session.payload ?? '[]';
        }
      });
      const kept: number[] = JSON.parse((await stores.engine.readSessionByUid(session.uid))?.session.payload ?? '[]');
      expect(kept.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    });

    test('of two last administrators who delete their accounts at once one stays (no one could make another)', async () => {
      for (let round = 0; round < 20; round++) {
        const subjects = await times(2, async () => (await insertAccount(stores, { admin: true })).subject);
        const removed = await Promise.all(subjects.map((subject, n) => either(n).accounts.delete(subject)));
        expect([...removed].sort()).toEqual(['last-admin', 'removed']);
        const stays = subjects[removed.indexOf('last-admin')] ?? '';
        expect((await stores.accounts.bySubject(stays))?.admin).toBe(true);
        await stores.accounts.update(stays, { admin: false }, now);
        expect(await other.accounts.delete(stays)).toBe('removed');
      }
    });

    test('a session that an old password began is written before the password changes, and ended with the others, or not at all', async () => {
      for (let round = 0; round < 30; round++) {
        const { subject } = buildAccount();
        await stores.accounts.insert({ ...buildAccount(), subject, passwordHash: 'old' });
        const sessions = Array.from({ length: 8 }, () => buildSession({ subject }));
        const account = { subject, passwordHash: 'old' };
        const change = async () => {
          await other.accounts.update(subject, { passwordHash: 'new' }, now);
          await other.engine.endAll(subject);
        };
        // Some before it, some beside it.
        const early = sessions.slice(0, 4).map((session) => stores.engine.commit({ account, sessions: [session] }));
        const late = times(4, (n) =>
          either(n).engine.commit({
            account,
            sessions: sessions.slice(4 + n, 5 + n),
            audit: [buildEvent({ subject })],
          }),
        );
        await Promise.all([change(), ...early, late]);
        expect(await stores.engine.listSessions(subject, 10)).toEqual([]);
      }
    });

    test('a request racing the sign-out does not bring the session back', async () => {
      for (let round = 0; round < 20; round++) {
        const session = buildSession({ subject: 'racer' });
        await stores.engine.commit({ sessions: [session] });
        const renewed = { ...session, before: session.payload };
        await Promise.all([stores.engine.commit({ sessions: [renewed] }), other.engine.deleteSession(session.uid)]);
        expect(await stores.engine.readSessionByUid(session.uid)).toBeUndefined();
      }
    });

    test('reads of one moment are not mixed up', async () => {
      const grant = buildGrant();
      const session = buildSession({ grants: { c: grant.id } });
      const tokens = Array.from({ length: 100 }, () => buildToken());
      await stores.engine.commit({ grants: [grant], sessions: [session], tokens });
      const found = await times(100, async (n) =>
        stores.engine.readToken(n % 10 === 0 ? 'none' : (tokens[n]?.key ?? '')),
      );
      expect(found.map((bundle) => bundle?.token.key)).toEqual(
        tokens.map((token, n) => (n % 10 === 0 ? undefined : token.key)),
      );
      const sessions = await times(30, (n) => stores.engine.readSession(session.key, n % 2 === 0 ? 'c' : undefined));
      expect(sessions.map((bundle) => bundle?.grant?.id)).toEqual(
        sessions.map((_, n) => (n % 2 === 0 ? grant.id : undefined)),
      );
    });
  });
}
