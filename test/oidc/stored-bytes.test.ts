/** A reader of the database, its backup, the cache or the log finds nothing that opens anything. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Agent, codeOf, csrfOf, token } from '../support/agent.ts';
import { ask, redeem, refresh, userinfo } from '../support/flow.ts';
import { adminKey, buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('stored bytes', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ LOG_LEVEL: 'trace' });
  });
  afterAll(() => server.close());

  /** Value -> what it is. */
  const handedOut = new Map<string, string>();
  let username = '';
  function note(what: string, value: string | undefined): string {
    if (value === undefined || value.length < 16) throw new Error(`no ${what}`);
    handedOut.set(value, what);
    return value;
  }
  function noteCookies(agent: Agent, when: string): void {
    for (const { name, value } of agent.cookies.values()) if (value.length >= 16) note(`cookie ${name} ${when}`, value);
  }

  test('a whole run: sign-in, consent, tokens of every kind, refreshes, a sign-out, and one that is left half done', async () => {
    note('admin key', adminKey);
    note('set-up token', (await server.core.setup.createSetupLink())?.token);
    note('password', password);
    for (const key of server.core.keys.ring()) note('private key', key.privateKey.export({ format: 'jwk' }).d);

    const person = await buildPerson(server);
    ({ username } = person);
    const secretive = await buildClient(server, {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    });
    const open = await buildClient(server, { token_endpoint_auth_method: 'none' });
    note('client secret', secretive.secret);
    const rotated = await server.app.clients.rotateSecret(secretive.id);
    if (rotated.outcome === 'rotated') note('rotated secret', rotated.secret);

    for (const client of [secretive, open]) {
      for (const scope of ['openid profile', 'user']) {
        const agent = new Agent(server);
        const code_verifier = note('verifier', 'v'.repeat(20) + Math.random().toString(36).repeat(3).replace('.', '-'));
        const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(code_verifier))).toString(
          'base64url',
        );
        const query = new URLSearchParams({
          client_id: client.id,
          response_type: 'code',
          scope,
          state: note('state', `state-${Math.random()}-of-the-application`),
          code_challenge: challenge,
          code_challenge_method: 'S256',
        });
        const login = await agent.go(`/oauth/authorize?${query}`);
        noteCookies(agent, 'before the login');
        note('interaction', new URL(login.url).pathname.split('/').pop());
        note('form token', csrfOf(login));
        const consent = await agent.submit(login, { username: person.username, password });
        noteCookies(agent, 'at the consent');
        note('interaction', new URL(consent.url).pathname.split('/').pop());
        const answer = await agent.submit(consent, { answer: 'allow' });
        noteCookies(agent, 'after the login');
        const code = note('code', codeOf(answer));
        const { body } = await redeem(server, client, { code, code_verifier });
        const again = await refresh(server, client, body.refresh_token);
        for (const { access_token, refresh_token, id_token } of [body, again.body]) {
          note('access token', access_token);
          note('refresh token', refresh_token);
          if (id_token) note('ID token', id_token);
          for (const jwt of [access_token, id_token]) if (jwt?.includes('.')) note('signature', jwt.split('.')[2]);
        }
        await userinfo(server, body.access_token);
        await ask(server, 'introspect', client, body.refresh_token);
        // An unfinished one, and a code that no one redeems, are the ones that could still be used.
        const another = await agent.go(`/oauth/authorize?${query}`, { follow: false });
        note('unused code', codeOf(another));
        await new Agent(server).go(`/oauth/authorize?${query}`);
        const relogin = await agent.go(`/oauth/authorize?${query}&prompt=login`);
        note('unfinished interaction', new URL(relogin.url).pathname.split('/').pop());
        noteCookies(agent, 'in the middle');
      }
    }
    const own = await token(server, secretive, { grant_type: 'client_credentials' });
    note('machine token', own.body.access_token);
    expect(handedOut.size).toBeGreaterThan(40);
  });

  const holds = (where: string, bytes: Buffer): string[] =>
    [...handedOut].filter(([value]) => bytes.includes(value)).map(([, what]) => `${where}: ${what}`);

  test('no stored byte contains a usable value', async () => {
    const all = await stored();
    expect(all.flatMap(([where, bytes]) => holds(where, bytes))).toEqual([]);
    // What is no secret is found: the search looks in the right place.
    expect(all.some(([, bytes]) => bytes.includes(username))).toBe(true);
  });

  test('no line of the log does, at its most talkative', () => {
    const lines = Buffer.from(server.logged.join('\n'));
    expect(lines.length).toBeGreaterThan(1000);
    // An address names its interaction; without the cookie of the browser it opens nothing (B3).
    expect(
      holds('log', lines).filter(
        (what) => !/interaction|before the login|at the consent|in the middle|after the login/.test(what),
      ),
    ).toEqual([]);
    expect(lines.includes('gatehouse.sig=')).toBe(false);
  });

  async function stored(): Promise<[string, Buffer][]> {
    if (storage.kind === 'sqlite') {
      const files = readdirSync(server.dataDir).filter((name) => name.includes('.sqlite'));
      expect(files.length).toBeGreaterThan(0);
      return files.map((name) => [name, readFileSync(join(server.dataDir, name))]);
    }
    const all: [string, Buffer][] = [];
    const { config } = server.core;
    if (config.database.kind !== 'postgres') throw new Error('another database than expected');
    const client = new pg.Client({ connectionString: config.database.url });
    await client.connect();
    const tables = await client.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public'",
    );
    for (const { tablename } of tables.rows) {
      const { rows } = await client.query<{ text: string }>(`select t::text as text from "${tablename}" t`);
      all.push([tablename, Buffer.from(rows.map(({ text }) => text).join('\n'))]);
    }
    await client.end();
    expect(all.filter(([, bytes]) => bytes.length > 0).length).toBeGreaterThan(5);
    if (config.redis) {
      const redis = new Redis(config.redis.url);
      for (const key of await redis.keys(`${config.redis.prefix}*`)) {
        const values = (await redis.type(key)) === 'hash' ? await redis.hvalsBuffer(key) : [await redis.getBuffer(key)];
        all.push([`redis ${key}`, Buffer.concat([Buffer.from(key), ...values.filter((value) => value !== null)])]);
      }
      redis.disconnect();
    }
    return all;
  }
});
