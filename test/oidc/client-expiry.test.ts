/** Clients that register themselves end if they are not used, with every row that is theirs. */
import { afterEach, expect, test } from '@jest/globals';
import { createUpkeep } from '../../src/core/upkeep/upkeep.ts';
import { openPostgres } from '../../src/storage/sql/postgres.ts';
import type { Sql } from '../../src/storage/sql/sql.ts';
import { openSqlite } from '../../src/storage/sql/sqlite.ts';
import { Agent } from '../support/agent.ts';
import { comeBack, refresh, tokensFor, travel } from '../support/flow.ts';
import { eventually } from '../support/redis-server.ts';
import { leastRoundTrips } from '../support/round-trips.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { managing, registering } from './registering.ts';

const agent = {
  ...{ client_name: 'Book agent', redirect_uris: ['https://agent.example.com/cb'], token_endpoint_auth_method: 'none' },
};
const DAY = 86_400;

function database({ core }: TestServer): Sql {
  const { database } = core.config;
  if (database.kind === 'sqlite') return openSqlite(database.file);
  return openPostgres({ ...database, pool: 2 });
}

const tables = ['clients', 'registrations', 'grants', 'tokens', 'consents', 'sessions', 'changes', 'initial_tokens'];

async function rowsOf(sql: Sql): Promise<Record<string, number>> {
  const counts = await Promise.all(tables.map((table) => sql.knex(table).count({ n: '*' })));
  return Object.fromEntries(tables.map((table, n) => [table, Number(counts[n]?.[0]?.n)]));
}

/** As many registrations more, each a copy of that one. */
async function copies(sql: Sql, id: string, many: number): Promise<void> {
  const numbers =
    sql.dialect === 'postgres'
      ? 'select n from generate_series(1, ?) n'
      : 'with recursive s(n) as (select 1 union all select n + 1 from s where n < ?) select n from s';
  for (const [table, key, rest] of [
    ['clients', 'id', 'metadata, secrets, tokens, owner, origin, version, created_at, updated_at'],
    ['registrations', 'client_id', 'token_hash, created_at'],
  ] as const)
    await sql.knex.raw(
      `insert into ${table} (${key}, ${rest}) select r.${key} || '-' || numbers.n, ${rest}
       from ${table} r join (${numbers}) numbers on true where r.${key} = ?`,
      [many, id],
    );
}

describeStorages('the expiry of registered clients', (storage) => {
  afterEach(comeBack);

  async function make(server: TestServer): Promise<{ id: string; token: string }> {
    const { status, body } = await registering(server, agent);
    expect(status).toBe(201);
    return { id: String(body.client_id), token: String(body.registration_access_token) };
  }

  test('10,000 registrations leave no row after the expiry, and few audit records; what is used or reviewed stays', async () => {
    const server = await storage.start({ REGISTRATION: 'open', REGISTRATION_ADDRESS_LIMIT: '1000' });
    const other = await storage.join(server);
    const sql = database(server);
    try {
      const plain = await buildClient(server);
      const person = await buildPerson(server);
      const before = await rowsOf(sql);
      const made = [];
      for (let n = 0; n < 120; n += 1) made.push(await make(server));
      const [used, reviewed, left, ...unused] = made;
      if (!used || !reviewed || !left) throw new Error('too few');
      await copies(sql, unused[0]?.id ?? '', 9_880);
      expect(await server.core.stores.registrations.count()).toBe(10_000);
      const { body } = await tokensFor(server, used, { person, scope: 'user offline_access' });
      // A person who has come as far as the sign-in page.
      const started = { client_id: left.id, response_type: 'code', code_challenge_method: 'S256' };
      const query = new URLSearchParams({ ...started, code_challenge: 'c'.repeat(43) });
      expect((await new Agent(server).go(`/oauth/authorize?${query}`)).text).toContain('name="password"');
      await server.app.clients.review(reviewed.id);
      await server.core.activity.close();

      const upkeep = createUpkeep(server.core);
      const upkept = (clients: number) =>
        eventually('the clients have expired', async () => {
          await upkeep.once();
          return (await server.core.stores.registrations.count()) === clients;
        });
      travel(DAY - 60);
      await upkeep.once();
      expect(await server.core.stores.registrations.count()).toBe(10_000);
      travel(120);
      await upkept(2);
      expect(await server.core.cached.find(left.id)).toBeUndefined();
      await eventually('the other node knows', async () => (await other.core.cached.find(left.id)) === undefined);
      expect((await managing(server, 'GET', left)).status).toBe(401);
      const answer = await refresh(server, used, body.refresh_token);
      expect(answer.status).toBe(200);
      await server.core.activity.close();

      travel(89 * DAY);
      await upkept(2);
      travel(2 * DAY);
      await upkept(1);
      expect((await managing(server, 'GET', reviewed)).status).toBe(200);
      expect((await managing(server, 'DELETE', reviewed)).status).toBe(204);
      // Rows that expire later than their client: what was begun without one, and the log of changes.
      travel(2 * DAY);
      await eventually('the rest has expired', async () => {
        await upkeep.once();
        return Object.values(await rowsOf(sql)).every((rows, n) => rows <= (Object.values(before)[n] ?? 0));
      });
      expect(await rowsOf(sql)).toMatchObject({
        clients: before.clients,
        registrations: 0,
        grants: 0,
        tokens: 0,
        consents: 0,
      });
      expect(await server.core.stores.clients.find(plain.id)).toBeDefined();

      const audited = await server.core.stores.audit.list({}, 1000);
      const expired = audited.filter(({ event }) => event === 'client.expired');
      expect(expired.reduce((sum, { detail }) => sum + Number(detail.count), 0)).toBe(9_999);
      expect(JSON.stringify(expired)).toContain(left.id);
      expect(audited.filter(({ event }) => event === 'client.registered').length).toBeLessThanOrEqual(100);
      expect(audited.length).toBeLessThan(250);
    } finally {
      await sql.close();
      await server.close();
    }
  });

  test('each token of such a client moves its end, without a round trip more; another client costs no statement', async () => {
    const server = await storage.start({ REGISTRATION: 'open' });
    try {
      const person = await buildPerson(server);
      const client = await make(server);
      const lastUse = async () => (await server.core.stores.registrations.find(client.id))?.lastUsedAt;
      expect(await lastUse()).toBeNull();
      const { body } = await tokensFor(server, client, { person, scope: 'user offline_access' });
      await server.core.activity.close();
      const first = await lastUse();
      expect(first).toEqual(expect.any(Number));
      travel(2 * 3600);
      expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
      await server.core.activity.close();
      expect(await lastUse()).toBeGreaterThanOrEqual(Number(first) + 2 * 3600);

      let current = (await refresh(server, client, body.refresh_token)).body.refresh_token;
      const next = async () => {
        const answer = await refresh(server, client, current);
        expect(answer.status).toBe(200);
        current = answer.body.refresh_token;
      };
      expect(await leastRoundTrips(server.core.stores, next)).toBe(2);

      const touched: unknown[] = [];
      const { registrations } = server.core.stores;
      const touch = registrations.touch.bind(registrations);
      Object.assign(registrations, {
        touch(marks: Parameters<typeof touch>[0]) {
          touched.push(...marks);
          return touch(marks);
        },
      });
      await tokensFor(server, await buildClient(server), { person });
      await server.core.activity.close();
      expect(touched).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
