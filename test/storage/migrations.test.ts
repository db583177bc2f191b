import { afterAll, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../src/base/clock.ts';
import { sealSuccessor, successorOf } from '../../src/core/kernel/reuse-window.ts';
import { postgresStatements } from '../../src/storage/sql/engine/engine-postgres.ts';
import { sqliteStatements } from '../../src/storage/sql/engine/engine-sqlite.ts';
import { sharedStatements } from '../../src/storage/sql/engine/engine-store.ts';
import { openSql } from '../../src/storage/sql/open.ts';
import { openPostgres } from '../../src/storage/sql/postgres.ts';
import type { Sql } from '../../src/storage/sql/sql.ts';
import { openSqlite } from '../../src/storage/sql/sqlite.ts';
import { clientStatements } from '../../src/storage/sql/stores/clients.ts';
import { deliveryStatements } from '../../src/storage/sql/stores/deliveries.ts';
import { deviceCodeStatements } from '../../src/storage/sql/stores/device-codes.ts';
import { endedTokenStatements } from '../../src/storage/sql/stores/ended-tokens.ts';
import { factorStatements } from '../../src/storage/sql/stores/factors.ts';
import { groupStatements } from '../../src/storage/sql/stores/groups.ts';
import { identityStatements } from '../../src/storage/sql/stores/identities.ts';
import { knownBrowserStatements } from '../../src/storage/sql/stores/known-browsers.ts';
import { accountsSeen, consentsUsed, registrationsUsed, sessionsSeen } from '../../src/storage/sql/stores/last-seen.ts';
import { passkeyStatements } from '../../src/storage/sql/stores/passkeys.ts';
import { registrationStatements } from '../../src/storage/sql/stores/registrations.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { buildAccount, buildApi, buildClient, buildGrant, buildToken } from './rows.ts';

function open(database: TestDatabase): Sql {
  const { settings } = database;
  return settings.kind === 'sqlite' ? openSqlite(settings.file) : openPostgres(settings);
}

function migrationsOf(make: () => Promise<TestDatabase>): void {
  const made: TestDatabase[] = [];
  async function fresh(): Promise<TestDatabase> {
    const database = await make();
    made.push(database);
    return database;
  }
  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  test('up, down and up again; applying twice changes nothing', async () => {
    const stores = await openSql((await fresh()).settings, { migrateAtOpen: true });
    const { applied } = await stores.migrate.status();
    expect(applied[0]).toBe('0001-tables');
    expect(await stores.migrate.up()).toEqual([]);
    expect(await stores.migrate.down({ steps: applied.length })).toEqual(applied.toReversed());
    expect(await stores.migrate.status()).toEqual({ applied: [], pending: applied, unknown: [] });
    expect(await stores.migrate.up({ to: '0001' })).toEqual(['0001-tables']);
    expect(await stores.migrate.up()).toEqual(applied.slice(1));
    await expect(stores.migrate.up({ to: 'no-such' })).rejects.toThrow('Unknown migration "no-such".');
    await stores.close();
  });

  test('opening again and migrating again leave the data alone', async () => {
    const { settings } = await fresh();
    const first = await openSql(settings, { migrateAtOpen: true });
    const [account, client, token] = [buildAccount(), buildClient(), buildToken()];
    await first.accounts.insert(account);
    await first.clients.insert(client);
    await first.engine.commit({ tokens: [token] });
    await first.close();
    const second = await openSql(settings, { migrateAtOpen: true });
    await second.migrate.up();
    expect(await second.accounts.bySubject(account.subject)).toMatchObject(account);
    expect(await second.clients.find(client.id)).toEqual(client);
    expect((await second.engine.readToken(token.key))?.token).toMatchObject(token);
    expect(await second.changes.latest()).toBe(1);
    await second.close();
  });

  test('a database that lacks migrations is refused with the command that helps, where migrating was not asked for', async () => {
    const { settings } = await fresh();
    await expect(openSql(settings, { migrateAtOpen: false })).rejects.toThrow('npm run cli -- migrate up');
    const stores = await openSql(settings, { migrateAtOpen: 'leave' });
    expect((await stores.migrate.status()).pending).toContain('0001-tables');
    await stores.close();
  });

  test('a database of a newer version is refused', async () => {
    const database = await fresh();
    await (await openSql(database.settings, { migrateAtOpen: true })).close();
    const sql = open(database);
    await sql.knex('migrations').insert({ name: '9999-from-the-future', applied_at: 0 });
    await sql.close();
    await expect(openSql(database.settings, { migrateAtOpen: true })).rejects.toThrow(
      /newer version.*9999-from-the-future/,
    );
  });

  test('S11: clients of the version before are reviewed, but for those that people have registered for themselves', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0008' });
    const sql = open(database);
    const origins = ['register', 'admin', 'cli', 'person', 'built-in'];
    const { metadata } = buildClient();
    for (const [n, origin] of origins.entries()) {
      const times = { created_at: 100 + n, updated_at: 200, version: 1 };
      const json = { metadata: JSON.stringify(metadata), secrets: '[]', tokens: '[]' };
      await sql.knex('clients').insert({ id: origin, origin, ...json, ...times });
    }
    expect(await stores.migrate.up()).toContain('0009-reviewed-clients');
    const reviewed = async () =>
      Promise.all(origins.map(async (origin) => (await stores.clients.find(origin))?.reviewedAt));
    expect(await reviewed()).toEqual([100, 101, 102, null, 104]);
    // What a program of the version before writes while both run.
    const json = { metadata: JSON.stringify(metadata), secrets: '[]' };
    await sql.knex('clients').insert({ id: 'older', origin: 'cli', ...json, version: 1, created_at: 1, updated_at: 1 });
    expect(await stores.clients.find('older')).toMatchObject({ reviewedAt: null, disabledAt: null });

    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0009-reviewed-clients');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0009-reviewed-clients');
    expect(await sql.knex('clients').count({ n: '*' })).toMatchObject([{ n: 6 }]);
    await stores.migrate.up();
    expect(await reviewed()).toEqual([100, 101, 102, null, 104]);
    await sql.close();
    await stores.close();
  });

  test('APIs of the version before keep what they have; a version before never sees a held scope', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0011' });
    const sql = open(database);
    const scopes = [{ name: 'read', sentence: 'Read.' }];
    const row = { identifier: 'https://a.example', name: 'A', scopes: JSON.stringify(scopes), token_format: 'jwt' };
    await sql.knex('apis').insert({ ...row, introspectors: '["c"]' });
    expect((await stores.migrate.up())[0]).toBe('0012-api-scopes');
    const plain = { default: false, optional: false, held: false, bearer: false };
    const api = buildApi({
      ...{ identifier: 'https://a.example', name: 'A', introspectors: ['c'] },
      scopes: [{ name: 'read', sentence: 'Read.', ...plain }],
    });
    expect(await stores.apis.list()).toEqual([api]);
    // What a program of the version before writes while both run.
    await sql.knex('apis').insert({ ...row, identifier: 'https://b.example', introspectors: '[]' });
    expect(await stores.apis.list()).toHaveLength(2);
    const held = { name: 'all', sentence: 'All.', ...plain, held: true };
    await stores.apis.put({ ...api, tokenTyp: 'JWT', scopes: [...api.scopes, held] });
    expect(await stores.apis.list()).toContainEqual({ ...api, tokenTyp: 'JWT', scopes: [...api.scopes, held] });
    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0012-api-scopes');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0012-api-scopes');
    const [old] = await sql.knex('apis').where({ identifier: 'https://a.example' });
    expect(Object.keys(old)).not.toContain('token_typ');
    expect(JSON.parse(old.scopes)).toMatchObject(scopes);
    expect(old.scopes).not.toContain('All.');
    await stores.migrate.up();
    expect(await stores.apis.list()).toContainEqual(api);
    await sql.close();
    await stores.close();
  });

  test('APIs of the version before are no MCP servers; a step back keeps the API', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0014' });
    const sql = open(database);
    const row = { identifier: 'https://a.example', name: 'A', scopes: '[]', token_format: 'jwt', introspectors: '[]' };
    await sql.knex('apis').insert(row);
    await stores.migrate.up({ to: '0020' });
    expect(await stores.apis.list()).toMatchObject([{ identifier: row.identifier, mcpServer: false }]);
    const server = buildApi({ identifier: 'https://b.example/mcp', mcpServer: true });
    await stores.apis.put(server);
    expect(await stores.apis.list()).toContainEqual(server);
    await stores.migrate.down({ steps: 1 });
    expect((await sql.knex('apis').orderBy('identifier')).map(({ name }) => name)).toEqual(['A', server.name]);
    await stores.migrate.up();
    expect(await stores.apis.list()).toContainEqual({ ...server, mcpServer: false });
    await sql.close();
    await stores.close();
  });

  test('recovery codes of the version before count as saved; a step back keeps them', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0020' });
    const sql = open(database);
    await stores.accounts.insert(buildAccount({ subject: 'codes' }));
    const code = (id: string) => ({
      ...{ id, subject: 'codes', kind: 'recovery-code', name: '', secret: `hash ${id}`, state: 'active' },
      ...{ last_step: 0, failures: 0, created_at: id },
    });
    await sql.knex('factors').insert(code('1'));
    await stores.migrate.up({ to: '0021' });
    // As an older node does while both run.
    await sql.knex('factors').insert(code('2'));
    expect((await stores.factors.list('codes')).map(({ saved }) => saved)).toEqual([true, true]);
    await sql.knex('factors').where({ id: '2' }).update({ saved: false });
    expect((await stores.factors.list('codes')).map(({ saved }) => saved)).toEqual([true, false]);
    await stores.migrate.down({ steps: 1 });
    expect(await sql.knex('factors').pluck('secret')).toHaveLength(2);
    await stores.migrate.up();
    expect((await stores.factors.list('codes')).map(({ saved }) => saved)).toEqual([true, true]);
    await sql.close();
    await stores.close();
  });

  test('accounts of the version before have no attributes and no groups, and come back whole from a step back', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0011' });
    const sql = open(database);
    const old = (subject: string) => ({
      ...{ subject, username: subject, username_key: subject, first_name: 'A', last_name: 'B', verified: false },
      ...{ two_factor: false, admin: true, created_at: 1, updated_at: 1, locale: 'de' },
    });
    await sql.knex('accounts').insert(old('before'));
    expect(await stores.migrate.up()).toContain('0013-attributes-and-groups');
    // What a program of the version before writes while both run.
    await sql.knex('accounts').insert(old('beside'));
    const empty = { locale: 'de', picture: null, zoneinfo: null, phone: null, phoneVerified: false, address: null };
    for (const subject of ['before', 'beside']) {
      expect(await stores.accounts.bySubject(subject)).toMatchObject(empty);
      expect(await stores.groups.namesOf(subject)).toEqual([]);
    }
    await stores.accounts.update('before', { phone: '+4930123456', phoneVerified: true }, 2);

    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0013-attributes-and-groups');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0013-attributes-and-groups');
    expect(await sql.knex('accounts').select('subject', 'locale').orderBy('id')).toMatchObject([
      { subject: 'before', locale: 'de' },
      { subject: 'beside', locale: 'de' },
    ]);
    await stores.migrate.up();
    expect(await stores.accounts.bySubject('before')).toMatchObject(empty);
    await sql.close();
    await stores.close();
  });

  test('a token that a version before replaced returns its successor, and its repeats are counted', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0014' });
    const sql = open(database);
    const replaced = (key: string) => ({
      ...{ key, kind: 'RefreshToken', payload: '{}', consumed_at: nowSeconds(), successor_key: 'next' },
      successor_sealed: sealSuccessor('old value', 'next-value'),
    });
    await sql.knex('tokens').insert(replaced('before'));
    expect(await stores.migrate.up()).toContain('0019-repeated-successors');
    // What a program of the version before writes while both run.
    await sql.knex('tokens').insert(replaced('beside'));
    for (const key of ['before', 'beside']) {
      const token = (await stores.engine.readToken(key))?.token;
      expect(token).toMatchObject({ repeats: 0, repeatsNoted: null });
      if (token) expect(successorOf(token, 'old value', 60)).toEqual({ value: 'next-value', network: '', asked: '' });
      expect(await stores.engine.commit({ repeat: { key, elsewhere: false } })).toEqual({ outcome: 'committed' });
      expect((await stores.engine.readToken(key))?.token.repeats).toBe(1);
    }
    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0019-repeated-successors');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0019-repeated-successors');
    const [old] = await sql.knex('tokens').where({ key: 'before' });
    expect(old).toMatchObject({ successor_key: 'next' });
    expect(Object.keys(old)).not.toContain('repeats');
    await sql.close();
    await stores.close();
  });

  test('sessions of the version before have no sid, and go on in both versions; the outbox goes with a step back', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: 'leave' });
    await stores.migrate.up({ to: '0014' });
    const sql = open(database);
    const old = (uid: string) => ({
      ...{ key: uid, uid, subject: 'ada', payload: '{}', grants: '{"c":"g"}', expires_at: 4e9, created_at: 1 },
      ...{ door: 'browser', client_id: null, address: null, user_agent: null },
    });
    await sql.knex('sessions').insert(old('before'));
    expect(await stores.migrate.up()).toContain('0018-deliveries');
    // What a program of the version before writes while both run.
    await sql.knex('sessions').insert(old('beside'));
    const metadata = JSON.stringify({ backchannel_logout_uri: 'https://c.example/' });
    await sql
      .knex('clients')
      .insert({ id: 'c', origin: 'cli', metadata, secrets: '[]', version: 1, created_at: 1, updated_at: 1 });
    for (const uid of ['before', 'beside']) {
      expect((await stores.engine.readSessionByUid(uid))?.session.sids).toEqual({});
      expect(await stores.engine.deleteSession(uid)).toBe(true);
    }
    expect(await stores.deliveries.list({}, 10)).toMatchObject([{ facts: { sub: 'ada', sid: null }, version: 2 }]);
    await sql.knex('sessions').insert(old('after'));
    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0018-deliveries');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0018-deliveries');
    expect(await sql.knex('sessions').select('uid')).toEqual([{ uid: 'after' }]);
    await stores.migrate.up();
    expect(await stores.deliveries.list({}, 10)).toEqual([]);
    expect(await stores.engine.deleteSession('after')).toBe(true);
    await sql.close();
    await stores.close();
  });

  test('clients that registered themselves expire also after a step back, but no longer manage themselves', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: true });
    const client = buildClient({ origin: 'dynamic', createdAt: 100, updatedAt: 200 });
    const registration = { clientId: client.id, tokenHash: 'h', initialToken: null, policy: null, createdAt: 100 };
    await stores.registrations.insert(client, { ...registration, lastUsedAt: null }, 10);
    const plain = buildClient({ origin: 'cli' });
    await stores.clients.insert(plain);
    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0016-registrations');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0016-registrations');
    // The version before takes it for an unreviewed client.
    const sql = open(database);
    expect(await sql.knex('clients').where({ id: client.id }).first()).toMatchObject({
      origin: 'dynamic',
      reviewed_at: null,
    });
    await sql.close();
    await stores.migrate.up();
    const back = { ...registration, tokenHash: '', lastUsedAt: 200 };
    expect(await stores.registrations.find(client.id)).toEqual(back);
    expect(await stores.registrations.expire({ unusedBefore: 1000, idleBefore: 1000 }, 10)).toEqual([client.id]);
    expect((await stores.clients.list('', 10)).map(({ id }) => id)).toEqual([plain.id]);
    await stores.close();
  });

  test('clients of documents go with a step back, with all that is theirs; consents of other clients stay', async () => {
    const stores = await openSql((await fresh()).settings, { migrateAtOpen: true });
    const described = buildClient({ id: 'https://agent.example/client.json', origin: 'metadata' });
    const plain = buildClient({ origin: 'cli' });
    const rows = [described, plain].map(({ id: clientId }) => {
      const grant = buildGrant({ clientId });
      return { clientId, grant, token: buildToken({ clientId, grantId: grant.id }) };
    });
    for (const client of [described, plain]) await stores.clients.insert(client);
    for (const { clientId, grant, token } of rows) {
      await stores.engine.commit({ grants: [grant], tokens: [token] });
      const consent = { subject: 'ada', clientId, scopes: ['openid'], claims: [], resources: {}, updatedAt: 1 };
      await stores.consents.put({ ...consent, snapshot: clientId === described.id ? 'as shown' : null });
    }
    const { applied } = await stores.migrate.status();
    const steps = applied.length - applied.indexOf('0017-metadata-clients');
    expect((await stores.migrate.down({ steps })).at(-1)).toBe('0017-metadata-clients');
    await stores.migrate.up();
    expect((await stores.clients.list('', 10)).map(({ id }) => id)).toEqual([plain.id]);
    expect(await stores.consents.list('ada')).toMatchObject([{ clientId: plain.id, snapshot: null }]);
    const left = await Promise.all(rows.map(({ token }) => stores.engine.readToken(token.key)));
    expect(left.map((bundle) => bundle !== undefined)).toEqual([false, true]);
    await stores.close();
  });

  test('every statement of the hot path finds its rows by an index', async () => {
    const database = await fresh();
    await (await openSql(database.settings, { migrateAtOpen: true })).close();
    const sql = open(database);
    const seen = [accountsSeen, sessionsSeen, consentsUsed, registrationsUsed].map((of) => of.statements[sql.dialect]);
    const statements = [
      ...sharedStatements,
      ...deviceCodeStatements[sql.dialect],
      ...endedTokenStatements,
      ...factorStatements,
      ...passkeyStatements,
      ...identityStatements,
      ...groupStatements,
      ...knownBrowserStatements,
      ...clientStatements,
      ...deliveryStatements,
      ...registrationStatements,
      ...seen,
      ...(sql.dialect === 'sqlite' ? sqliteStatements : postgresStatements),
    ];
    expect(statements.length).toBeGreaterThan(5);
    for (const { name, text } of statements) {
      const plan = await explain(sql, text);
      // Rows that came with the statement itself (by json_each, also under the name e) are no table.
      expect([name, plan.filter((line) => /Seq Scan|\bSCAN (?!e\b|json_each\b|CONSTANT)/.test(line))]).toEqual([
        name,
        [],
      ]);
    }
    await sql.close();
  });

  test('the audit trail of a person, an event, an application, an address and a request is read by an index', async () => {
    const database = await fresh();
    const stores = await openSql(database.settings, { migrateAtOpen: true });
    // Enough for a planner to see what a scan would cost.
    const events = Array.from({ length: 3000 }, (_, n) => ({
      ...{
        atMs: n,
        event: `event-${n % 50}`,
        subject: `s${n}`,
        clientId: `c${n}`,
        address: `a${n}`,
        requestId: `r${n}`,
      },
      detail: {},
    }));
    await stores.audit.append(events);
    await stores.close();
    const sql = open(database);
    if (sql.dialect === 'postgres') await sql.knex.raw('analyze audit');
    for (const column of ['subject', 'event', 'client_id', 'address', 'request_id'])
      for (const order of ['desc', 'asc']) {
        const text = `select * from audit where ${column} = ? order by id ${order} limit 50`;
        const plan = await explain(sql, text, ['x']);
        expect([column, plan.filter((line) => /Seq Scan|\bSCAN\b|TEMP B-TREE/.test(line))]).toEqual([column, []]);
        expect(plan.join()).toContain(`audit_${column}`);
      }
    await sql.close();
  });

  test('deleting by grant, client, person or age finds its rows by an index', async () => {
    const database = await fresh();
    await (await openSql(database.settings, { migrateAtOpen: true })).close();
    const sql = open(database);
    for (const [table, column] of [
      ['tokens', 'grant_id'],
      ['tokens', 'client_id'],
      ['tokens', 'subject'],
      ['tokens', 'expires_at'],
      ['grants', 'client_id'],
      ['grants', 'subject'],
      ['clients', 'owner'],
      ['grants', 'expires_at'],
      ['sessions', 'subject'],
      ['sessions', 'expires_at'],
      ['consents', 'client_id'],
      ['links', 'subject'],
      ['factors', 'subject'],
      ['passkeys', 'subject'],
      ['identities', 'subject'],
      ['group_members', 'subject'],
      ['group_members', 'group_id'],
      ['links', 'expires_at'],
    ]) {
      const plan = await explain(sql, `delete from ${table} where ${column} ${column === 'expires_at' ? '<' : '='} ?`);
      expect([table, column, plan.filter((line) => /Seq Scan|\bSCAN\b/.test(line))]).toEqual([table, column, []]);
    }
    await sql.close();
  });
}

async function explain(sql: Sql, text: string, given?: readonly string[]): Promise<string[]> {
  if (sql.dialect === 'sqlite') {
    const rows: { detail: string }[] = await sql.knex.raw(
      `explain query plan ${text}`,
      given ?? text.match(/\?/g)?.map(() => null) ?? [],
    );
    return rows.map((row) => row.detail);
  }
  return sql.transaction(async (trx) => {
    let count = 0;
    await trx.raw(`prepare explained as ${text.replace(/\?/g, () => `$${++count}`)}`);
    const values = Array.from({ length: count }, (_, n) => (given?.[n] === undefined ? 'null' : `'${given[n]}'`)).join(
      ', ',
    );
    const { rows } = await trx.raw(`explain execute explained${count === 0 ? '' : `(${values})`}`);
    await trx.raw('deallocate explained');
    return rows.map((row: Record<string, string>) => row['QUERY PLAN']);
  });
}

describe('migrations of SQLite', () => migrationsOf(freshSqlite));

describePostgres('migrations of Postgres', () => {
  migrationsOf(() => freshPostgres(3));

  test('several processes that start at once migrate once', async () => {
    const database = await freshPostgres(2);
    const all = await Promise.all(Array.from({ length: 4 }, () => openSql(database.settings, { migrateAtOpen: true })));
    expect((await all[0]?.migrate.status())?.pending).toEqual([]);
    for (const stores of all) await stores.close();
    await database.drop();
  });
});
