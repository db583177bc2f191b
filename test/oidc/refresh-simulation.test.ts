/**
 * Programs that share one stored refresh token for a day, and a thief among them (test/simulation). A fixed seed and a
 * fake clock; the server and its storage are real.
 */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { runFamily, simulationEnv } from '../simulation/family.ts';
import { day, figureFor, robbery, rowOf, sharedStore, staleMinutes } from '../simulation/figures.ts';
import { setClock as setDate } from '../support/clock.ts';
import { comeBack } from '../support/flow.ts';
import { mailsTo } from '../support/mail.ts';
import { eventually } from '../support/redis-server.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const setClock = (now: number): void => setDate(now, { runs: false });

describeStorages('programs that share one refresh token', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start(simulationEnv);
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  test('five for 24 hours, with lost answers and a burst: no forced sign-in, one live family', async () => {
    const result = await runFamily(server, {}, sharedStore, setClock);
    expect(result).toMatchObject({ forced: 0, grants: 1, live: [result.generations.at(-1)] });
    expect(new Set(result.generations).size).toBe(result.generations.length);
    // The run means something: answers were lost, tokens were repeated, and many generations passed.
    expect(result.requests).toBeGreaterThan(700);
    expect(result.lost).toBe(Math.ceil(result.requests / 20));
    expect(result.repeats).toBeGreaterThan(result.lost);
    expect(result.generations.length).toBeGreaterThan(600);
    comeBack();
    await eventually('the burst is noted', async () => {
      const { clientId } = result;
      return (await server.core.stores.audit.list({ event: 'grant.shared', clientId }, 10)).length > 0;
    });
  });

  test('C11: a thief two generations back ends the family at once: no token of it works, and the person reads why', async () => {
    const result = await runFamily(server, {}, robbery, setClock);
    expect(result).toMatchObject({ thief: { status: 400 }, forced: 1, live: [], grants: 0 });
    comeBack();
    await eventually('the replay is noted', async () => {
      const { clientId, subject } = result;
      const noted = await server.core.stores.audit.list({ event: 'grant.replayed', clientId }, 10);
      return noted.length === 1 && noted[0]?.subject === subject && noted[0].detail.kind === 'refresh_token';
    });
    const person = await server.core.accounts.findBySubject(result.subject);
    const mails = await mailsTo(server, person?.email ?? '');
    expect(mails.filter(({ kind }) => kind === 'access-ended')).toHaveLength(1);
  });

  test('without a window the first lost answer forces a sign-in', async () => {
    const plan = { ...day, hours: 2, stale: 0, untilForced: true } as const;
    const result = await runFamily(server, { refresh_reuse: 'strict' }, plan, setClock);
    expect(result).toMatchObject({ forced: 1, live: [] });
  });
});

describe('programs that keep a stale copy', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ env: simulationEnv });
  });
  afterAll(() => server.close());
  afterEach(comeBack);

  const page = readFileSync(new URL('../../docs/refresh-tokens.md', import.meta.url), 'utf8');
  for (const minutes of staleMinutes) {
    test(`of ${minutes} minutes: the figure of docs/refresh-tokens.md is enough, and a second less is not`, async () => {
      expect(page).toContain(rowOf(await figureFor(server, minutes, setClock)));
    });
  }
});
