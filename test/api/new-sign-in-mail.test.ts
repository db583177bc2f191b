/** A sign-in through a program is told by mail where that program has not come from there lately. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { comeBack, travel } from '../support/flow.ts';
import { mailsTo } from '../support/mail.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('a sign-in through an API', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  async function login(username: string, agent = 'okhttp/4.12', at: TestServer = server, secret = password) {
    const authorization = `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
    return (await fetch(`${at.url}/v1/login`, { headers: { authorization, 'user-agent': agent } })).status;
  }
  const told = async (to: string | null, at: TestServer = server) =>
    (await mailsTo(at, to ?? '')).filter(({ kind }) => kind === 'new-sign-in');

  test('is told once, however often the program comes, of whatever version, and anew for another one', async () => {
    const { username, email } = await buildPerson(server);
    expect(await login(username)).toBe(200);
    const [letter] = await told(email);
    expect(letter?.text).toMatch(/okhttp/);
    for (const agent of ['okhttp/4.12', 'okhttp/5.0']) expect(await login(username, agent)).toBe(200);
    expect(await told(email)).toHaveLength(1);
    expect(await login(username, 'curl/8.9.1')).toBe(200);
    expect(await told(email)).toHaveLength(2);
  });

  test('ten at once are one mail', async () => {
    const { username, email } = await buildPerson(server);
    await Promise.all(Array.from({ length: 10 }, () => login(username)));
    expect(await told(email)).toHaveLength(1);
  });

  test('is forgotten after a season, and remembered through a restart', async () => {
    const { username, email } = await buildPerson(server);
    await login(username);
    expect(await told(email)).toHaveLength(1);
    server = await server.restart();
    await login(username);
    expect(await told(email)).toHaveLength(0);
    travel(91 * 86_400);
    await login(username);
    expect(await told(email)).toHaveLength(1);
  });

  test('another account’s program at the same place is told of to its own person; a wrong password to no one', async () => {
    const [one, other] = [await buildPerson(server), await buildPerson(server)];
    await login(one.username);
    expect(await login(other.username, 'okhttp/4.12', server, 'not the password')).toBe(401);
    expect(await told(other.email)).toEqual([]);
    await login(other.username);
    expect([await told(one.email), await told(other.email)]).toMatchObject([[{}], [{}]]);
  });

  test('is told to no one where that is off', async () => {
    const quiet = await startServer({ env: { NEW_DEVICE_MAIL: 'false' } });
    try {
      const { username, email } = await buildPerson(quiet);
      expect(await login(username, 'okhttp/4.12', quiet)).toBe(200);
      expect(await told(email, quiet)).toEqual([]);
    } finally {
      await quiet.close();
    }
  });
});
