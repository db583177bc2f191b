/** What core/stores/registrations promises, on both databases. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { InitialToken, Registration, RegistrationPolicy } from '../../src/core/stores/registrations.ts';
import { openSql, type SqlStores } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { buildClient, buildGrant, buildSession, buildToken, name, now } from './rows.ts';

const policy: RegistrationPolicy = {
  ...{ scopes: ['a'], redirectHosts: null, redirectSchemes: ['acme'], grants: null, reviewed: false },
};

function buildInitialToken(overrides: Partial<InitialToken> = {}): InitialToken {
  return {
    ...{ id: name(), hash: name(), label: 'é\u{1f600}', policy, usesMax: null, uses: 0, createdAt: now },
    ...{ expiresAt: null, lastUsedAt: null },
    ...overrides,
  };
}

function promises(kind: string, fresh: () => Promise<TestDatabase>): void {
  describe(`registrations on ${kind}`, () => {
    let stores: SqlStores;
    let database: TestDatabase;
    beforeAll(async () => {
      database = await fresh();
      stores = await openSql(database.settings, { migrateAtOpen: true });
    });
    afterEach(async () => {
      for (const { id } of await stores.clients.list('', 1000)) await stores.clients.delete(id);
      for (const { id } of await stores.registrations.listTokens(1000)) await stores.registrations.removeToken(id);
    });
    afterAll(async () => {
      await stores.close();
      await database.drop();
    });

    async function register(overrides: Partial<Registration> = {}, reviewedAt: number | null = null) {
      const client = buildClient({ origin: 'dynamic', reviewedAt });
      const registration: Registration = {
        ...{ clientId: client.id, tokenHash: name(), initialToken: null, policy: null, createdAt: now },
        ...{ lastUsedAt: null },
        ...overrides,
      };
      return { id: client.id, registration, outcome: await stores.registrations.insert(client, registration, 1000) };
    }
    const find = (id: string) => stores.registrations.find(id);

    test('a client and its registration are stored together, noted, and found; they go together', async () => {
      const before = await stores.changes.latest();
      const { id, registration, outcome } = await register({ policy });
      expect(outcome).toBe('inserted');
      expect(await find(id)).toEqual(registration);
      expect(await stores.clients.find(id)).toMatchObject({ id, origin: 'dynamic' });
      expect(await stores.changes.since(before)).toMatchObject([{ kind: 'client', id }]);
      expect(await find('a\0b')).toBeUndefined();
      await stores.clients.delete(id);
      expect([await find(id), await stores.registrations.count()]).toEqual([undefined, 0]);
    });

    test('a taken id writes nothing', async () => {
      const { id, registration } = await register();
      const again = await stores.registrations.insert(
        buildClient({ id }),
        { ...registration, tokenHash: 'other' },
        1000,
      );
      expect([again, await find(id), await stores.registrations.count()]).toEqual(['taken', registration, 1]);
    });

    test('of many at once, no more clients than the highest number are stored', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = buildClient({ origin: 'dynamic' });
          const row = { clientId: client.id, tokenHash: name(), initialToken: null, policy: null, createdAt: now };
          return stores.registrations.insert(client, { ...row, lastUsedAt: null }, 7);
        }),
      );
      expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(7);
      expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(13);
      expect([await stores.registrations.count(), await stores.clients.count()]).toEqual([7, 7]);
    });

    test('a use of an initial token is counted with the client, and never beyond its limit', async () => {
      const token = buildInitialToken({ usesMax: 3 });
      await stores.registrations.insertToken(token);
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => register({ initialToken: token.id })));
      expect(outcomes.filter(({ outcome }) => outcome === 'inserted')).toHaveLength(3);
      expect(outcomes.filter(({ outcome }) => outcome === 'spent')).toHaveLength(7);
      expect(await stores.registrations.findToken(token.hash)).toEqual({ ...token, uses: 3, lastUsedAt: now });
      expect(await stores.registrations.count()).toBe(3);
    });

    test('a token that is gone or expired counts no client; tokens are listed, the newest first, and removed once', async () => {
      const expired = buildInitialToken({ expiresAt: now });
      const newer = buildInitialToken({ createdAt: now + 1 });
      await stores.registrations.insertToken(expired);
      await stores.registrations.insertToken(newer);
      for (const initialToken of [expired.id, 'unknown'])
        expect((await register({ initialToken })).outcome).toBe('spent');
      expect(await stores.registrations.listTokens(10)).toEqual([newer, expired]);
      const { id } = await register({ initialToken: newer.id });
      expect([
        await stores.registrations.removeToken(newer.id),
        await stores.registrations.removeToken(newer.id),
      ]).toEqual([true, false]);
      expect(await stores.registrations.findToken(newer.hash)).toBeUndefined();
      expect((await find(id))?.initialToken).toBe(newer.id);
    });

    test('last uses move forward only', async () => {
      const { id } = await register();
      await stores.registrations.touch([
        { clientId: id, at: now + 5 },
        { clientId: 'unknown', at: now },
      ]);
      await stores.registrations.touch([{ clientId: id, at: now + 1 }]);
      expect((await find(id))?.lastUsedAt).toBe(now + 5);
    });

    const times = { unusedBefore: now - 100, idleBefore: now - 1000 };
    const consent = (clientId: string, updatedAt: number) =>
      stores.consents.put({ subject: 's', clientId, scopes: [], claims: [], resources: {}, updatedAt });

    test('unused and idle clients expire with all that is theirs; used, reviewed and lately allowed ones stay', async () => {
      const unused = await register({ createdAt: now - 101 });
      const idle = await register({ createdAt: now - 9000, lastUsedAt: now - 1001 });
      const forgotten = await register({ createdAt: now - 9000 });
      const stay = [
        await register({ createdAt: now - 100 }),
        await register({ createdAt: now - 9000, lastUsedAt: now - 1000 }),
        await register({ createdAt: now - 9000 }, now),
      ];
      const allowed = await register({ createdAt: now - 9000 });
      const allowedLater = await register({ createdAt: now - 9000, lastUsedAt: now - 2000 });
      for (const { id } of [allowed, allowedLater]) await consent(id, now - 500);
      await consent(forgotten.id, now - 1001);
      const gone = [unused, idle, forgotten].map(({ id }) => id);
      const grants = gone.map((clientId) => buildGrant({ clientId }));
      const tokens = grants.map(({ id, clientId }) => buildToken({ clientId, grantId: id }));
      const origin = { door: 'space-guard', clientId: gone[0] ?? null, address: null, userAgent: null };
      await stores.engine.commit({ grants, tokens, sessions: [buildSession({ origin })] });
      const plain = buildClient({ createdAt: 0 });
      await stores.clients.insert(plain);
      const before = await stores.changes.latest();

      expect((await stores.registrations.expire(times, 100)).toSorted()).toEqual(gone.toSorted());
      expect((await stores.changes.since(before))?.map(({ id }) => id).toSorted()).toEqual(gone.toSorted());
      const left = (await stores.clients.list('', 100)).map(({ id }) => id).toSorted();
      expect(left).toEqual([...stay, allowed, allowedLater, plain].map(({ id }) => id).toSorted());
      for (const { key } of tokens) expect(await stores.engine.readToken(key)).toBeUndefined();
      for (const { id } of grants) expect((await stores.engine.readGrant(id))?.grant).toBeUndefined();
      for (const id of gone) expect(await find(id)).toBeUndefined();
      expect(await stores.consents.list('s')).toHaveLength(2);
      expect(await stores.registrations.expire(times, 100)).toEqual([]);
    });

    test('as many expire at once as asked for, each once, also with two at work', async () => {
      const ids = [];
      for (let n = 0; n < 9; n += 1)
        ids.push((await register({ createdAt: now - 200, ...(n % 2 && { lastUsedAt: now - 2000 }) })).id);
      expect(await stores.registrations.expire(times, 2)).toHaveLength(2);
      const runs = await Promise.all([stores.registrations.expire(times, 5), stores.registrations.expire(times, 5)]);
      const rest = await stores.registrations.expire(times, 100);
      expect(new Set([...runs.flat(), ...rest]).size).toBe(7);
      expect(await stores.registrations.count()).toBe(0);
    });
  });
}

promises('SQLite', freshSqlite);
describePostgres('registrations', () => promises('Postgres', () => freshPostgres(8)));
