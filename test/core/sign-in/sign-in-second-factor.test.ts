/**
 * B11, X4 and X5 of the security checklist at the door itself, and what a password is worth where it is half of the
 * way.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../src/base/errors.ts';
import type { CodeMethod } from '../../../src/core/factors/code-method.ts';
import type { PasswordProof } from '../../../src/core/kernel/password-proof.ts';
import type { SignInOutcome, SignInRequest } from '../../../src/core/sign-in/sign-in.ts';
import { createPasswordHasher } from '../../../src/login/password/password.ts';
import { type Authenticator, enrol } from '../../support/authenticator.ts';
import { setClock } from '../../support/clock.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../../support/databases.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { buildFixture, type Fixture, goodPassword } from '../fixture.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  comeBack();
  await fixture?.close();
  fixture = undefined;
});

/** Alice, with an app. */
async function build(
  ...options: Parameters<typeof buildFixture>
): Promise<Fixture & { subject: string; app: Authenticator }> {
  // The middle of a time step: what is near and what is not does not change while a test runs.
  setClock(Math.floor(Date.now() / 30_000) * 30_000 + 15_000, { runs: false });
  fixture = await buildFixture(...options);
  const { subject } = await fixture.make({ email: 'alice@example.com', verified: true });
  return { ...fixture, subject, app: await enrol(fixture.factors, subject) };
}

const request: SignInRequest = {
  username: 'alice',
  password: goodPassword,
  address: '192.0.2.1',
  via: 'identity',
  requestId: 'r1',
};
const wrongPassword = 'not the password of hers';

function outcomes(all: readonly { outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of all) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

const proofOf = (outcome: SignInOutcome): PasswordProof => {
  if (outcome.outcome !== 'second-factor') throw new Error(outcome.outcome);
  return outcome.proof;
};

describe('what is asked for', () => {
  test('the right password alone is answered with the methods, and signs no one in', async () => {
    const { signIn, subject, audited, metrics } = await build();
    expect(await signIn.signIn(request)).toEqual({
      outcome: 'second-factor',
      methods: ['totp', 'recovery-code'],
      wrong: undefined,
      proof: { subject, at: expect.any(Number), password: expect.stringMatching(/^[\w-]{43}$/) },
    });
    for (const otp of ['', '  ']) expect(await signIn.signIn({ ...request, otp })).toMatchObject({ wrong: undefined });
    const events = (await audited()).filter(({ event }) => event.startsWith('sign_in.'));
    expect(events.map(({ event }) => event)).toEqual(Array(3).fill('sign_in.challenged'));
    expect(events[0]).toMatchObject({ subject, address: '192.0.2.1', requestId: 'r1', detail: { via: 'identity' } });
    expect((await metrics.page()).body).toContain('gatehouse_sign_ins_total{outcome="second_factor"} 3');
  });

  test('a code is not mailed by itself where an app has one at hand; asked for, it is', async () => {
    const { signIn, sent, factors, subject } = await build();
    await factors.switchOn('email-code', subject);
    expect(await signIn.signIn(request)).toMatchObject({ methods: ['totp', 'email-code', 'recovery-code'] });
    expect(sent).toHaveLength(0);
    expect(await signIn.signIn({ ...request, otp: 'email-code' })).toMatchObject({ mailed: { outcome: 'sent' } });
    const otp = sent.at(-1)?.values?.code ?? '';
    expect(await signIn.signIn({ ...request, otp })).toMatchObject({ outcome: 'signed-in' });
  });

  test('with a current code it signs in, and says how', async () => {
    const { signIn, app, stores, subject } = await build();
    expect(await signIn.signIn({ ...request, otp: app.code() })).toMatchObject({
      outcome: 'signed-in',
      account: { subject, twoFactor: true },
      amr: ['pwd', 'otp', 'mfa'],
    });
    const [record] = await stores.audit.list({ event: 'sign_in.succeeded' }, 1);
    expect(record).toMatchObject({ subject, detail: { via: 'identity', amr: ['pwd', 'otp', 'mfa'] } });
  });

  test('or with a recovery code', async () => {
    const { signIn, app } = await build();
    const otp = app.recoveryCodes[3];
    expect(await signIn.signIn({ ...request, otp })).toMatchObject({
      outcome: 'signed-in',
      amr: ['pwd', 'otp', 'mfa'],
    });
    expect(await signIn.signIn({ ...request, otp })).toMatchObject({ outcome: 'second-factor', wrong: 'used' });
  });

  test('of a code that was used it is told whether that was a moment ago, when it may be one form sent twice', async () => {
    const { signIn, app, factors, subject } = await build();
    const used = async (otp: string | undefined) => {
      const outcome = await signIn.signIn({ ...request, otp });
      return outcome.outcome === 'second-factor' ? [outcome.wrong, outcome.lately === true] : outcome.outcome;
    };
    const [otp, code] = [app.code(), app.recoveryCodes[0]];
    expect([await used(otp), await used(code)]).toEqual(['signed-in', 'signed-in']);
    expect([await used(otp), await used(code)]).toEqual([
      ['used', true],
      ['used', true],
    ]);
    travel(12);
    expect([await used(otp), await used(code)]).toEqual([
      ['used', false],
      ['used', false],
    ]);
    expect(await used(app.wrong())).toEqual(['wrong', false]);
    // The one that reads it first, and writes second, cannot have seen the other.
    const both = await Promise.all([1, 2].map(() => factors.use(subject, app.code(1), {})));
    expect(both.filter(({ outcome }) => outcome === 'wrong')).toEqual([
      { outcome: 'wrong', why: 'used', lately: true },
    ]);
  });

  test('a wrong password gets the answer of a wrong password, whatever code comes with it, after the same work', async () => {
    let asked = 0;
    const { signIn, app, make, verified } = await build({
      front: ({ factors }) => ({
        factors: {
          ...factors,
          list(subject) {
            asked++;
            return factors.list(subject);
          },
          useCode(...given) {
            asked++;
            return factors.useCode(...given);
          },
        },
      }),
    });
    await make({ username: 'plain' });
    const work = async (part: Partial<SignInRequest>) => {
      const before = [verified.count, asked];
      const outcome = await signIn.signIn({ ...request, password: wrongPassword, ...part });
      return [outcome, ...[verified.count, asked].map((now, n) => now - (before[n] ?? 0))];
    };
    const plain = await work({ username: 'plain' });
    expect(plain).toEqual([{ outcome: 'refused', reason: 'wrong' }, 1, 0]);
    for (const otp of [undefined, app.code(), app.wrong(), app.recoveryCodes[0]])
      expect(await work({ otp })).toEqual(plain);
    // It was not used up either.
    expect(await signIn.signIn({ ...request, otp: app.code() })).toMatchObject({ outcome: 'signed-in' });
  });

  test('a disabled account tells nothing of it', async () => {
    const { signIn, app, accounts, subject } = await build();
    await accounts.disable(subject);
    for (const otp of [undefined, app.code()])
      expect(await signIn.signIn({ ...request, otp })).toEqual({ outcome: 'refused', reason: 'disabled' });
  });

  test('a person who has none may send a code all the same', async () => {
    const { signIn, make } = await build();
    await make({ username: 'plain' });
    expect(await signIn.signIn({ ...request, username: 'plain', otp: '123456' })).toMatchObject({
      outcome: 'signed-in',
      amr: ['pwd'],
    });
  });

  test('once it is removed the password alone suffices', async () => {
    const { signIn, factors, app, subject } = await build();
    await factors.remove(subject, app.factorId);
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in', amr: ['pwd'] });
  });

  test('eight characters are enough for a new password beside it, and only there (B9)', async () => {
    const { accounts, factors, subject } = await build();
    const set = (password: string) => accounts.setPassword(subject, password, { endSessions: false });
    expect(await set('kelp moa')).toEqual({ outcome: 'changed' });
    expect(await set('kelp mo')).toMatchObject({
      outcome: 'weak-password',
      reason: { code: 'too-short', sentence: expect.stringContaining('8') },
    });
    await factors.removeAll(subject);
    expect(await set('kelp moa')).toMatchObject({
      reason: { code: 'too-short', sentence: expect.stringContaining('15') },
    });
  });
});

describe('codes', () => {
  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('the code of %d steps away: %s (B11)', async (away, good) => {
    const { signIn, app } = await build();
    // The code that confirmed the enrolment was of the step before.
    travel(120);
    setClock(Date.now(), { runs: false });
    const outcome = await signIn.signIn({ ...request, otp: app.code(away) });
    expect(outcome).toMatchObject(good ? { outcome: 'signed-in' } : { outcome: 'second-factor', wrong: 'wrong' });
  });

  test('one is good once, at whichever door, and with it all before it', async () => {
    const { signIn, app } = await build();
    expect(await signIn.signIn({ ...request, otp: app.code(1) })).toMatchObject({ outcome: 'signed-in' });
    for (const [away, via] of [
      [1, 'browser'],
      [1, 'identity'],
      [0, 'browser'],
    ] as const)
      expect(await signIn.signIn({ ...request, via, otp: app.code(away) })).toMatchObject({
        outcome: 'second-factor',
        wrong: 'used',
      });
  });

  test.each(['', '12345', '1234567', 'abcdef', '000000\0', '\ud800', 'é'.repeat(1000), '9'.repeat(100_000)])(
    '%.20j is wrong or nothing, and no trouble',
    async (otp) => {
      const { signIn } = await build();
      expect(await signIn.signIn({ ...request, otp })).toMatchObject({
        outcome: 'second-factor',
        wrong: otp === '' ? undefined : 'wrong',
      });
    },
  );
});

function parallelUse(fresh: () => Promise<TestDatabase>): void {
  let database: TestDatabase | undefined;
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
    await database?.drop();
  });
  const open = async () => {
    database = await fresh();
    return build({ limits: { account: 1000, address: 1000, codes: 1000 }, database: database.settings });
  };

  test('of 50 sign-ins with one code exactly one succeeds, over both doors (B11, X4)', async () => {
    const { signIn, app } = await open();
    const proof = proofOf(await signIn.signIn(request));
    const otp = app.code();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        n % 2 === 0 ? signIn.signIn({ ...request, otp }) : signIn.secondStep({ ...request, proof, otp }),
      ),
    );
    expect(outcomes(all)).toEqual({ 'signed-in': 1, 'second-factor': 49 });
  });

  test('of 50 with one recovery code too', async () => {
    const { signIn, app, factors, subject } = await open();
    const otp = app.recoveryCodes[0];
    const all = await Promise.all(Array.from({ length: 50 }, () => signIn.signIn({ ...request, otp })));
    expect(outcomes(all)).toEqual({ 'signed-in': 1, 'second-factor': 49 });
    expect(await factors.list(subject)).toMatchObject({ recoveryCodesLeft: 9 });
  });
}

describe('at once, in SQLite', () => parallelUse(freshSqlite));
describePostgres('at once, in Postgres', () => parallelUse(() => freshPostgres()));

/** Counts the codes that could be guessed and were looked at: those of a locked app are not. */
function countingLooks() {
  const looked = { count: 0 };
  const method = (real: CodeMethod): CodeMethod => ({
    ...real,
    open(parts) {
      const open = real.open(parts);
      return {
        ...open,
        async verify(...given) {
          const verified = await open.verify(...given);
          const locked = verified.outcome === 'wrong' && verified.why === 'locked';
          if (real.guessable && !locked) looked.count++;
          return verified;
        },
      };
    },
  });
  return { looked, method };
}

describe('guessing', () => {
  test('of 200 wrong codes at once, over both doors, no more than the limit are looked at (B11, X5)', async () => {
    const { looked, method } = countingLooks();
    const { signIn, app } = await build({ limits: { account: 1000, address: 1000, codes: 10 }, method });
    const proof = proofOf(await signIn.signIn(request));
    const before = looked.count;
    const otp = app.wrong();
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        n % 2 === 0
          ? signIn.signIn({ ...request, otp, address: `192.0.2.${n}` })
          : signIn.secondStep({ ...request, proof, otp, address: `192.0.2.${n}` }),
      ),
    );
    expect(outcomes(all)).toEqual({ 'second-factor': 10, throttled: 190 });
    expect(looked.count - before).toBe(10);
    // The right one is not looked at either, but a recovery code, which no one guesses, is.
    expect(await signIn.signIn({ ...request, otp: app.code() })).toEqual({
      outcome: 'throttled',
      retryAfter: expect.any(Number),
    });
    expect(await signIn.signIn({ ...request, otp: app.recoveryCodes[0] })).toMatchObject({ outcome: 'signed-in' });
    expect(await signIn.signIn({ ...request, otp: app.code() })).toMatchObject({ outcome: 'throttled' });
    travel(900);
    expect(await signIn.signIn({ ...request, otp: app.code() })).toMatchObject({ outcome: 'signed-in' });
  });

  test('wrong codes are failures like wrong passwords, to the same limits', async () => {
    const { signIn, app } = await build({ limits: { account: 4, codes: 100 } });
    const all = [];
    for (const part of [
      { otp: app.wrong() },
      { password: wrongPassword },
      { otp: app.wrong() },
      { otp: 'nonsense' },
      {},
    ])
      all.push(await signIn.signIn({ ...request, ...part }));
    expect(all.map(({ outcome }) => outcome)).toEqual([
      'second-factor',
      'refused',
      'second-factor',
      'second-factor',
      'throttled',
    ]);
  });

  test('and count for the address', async () => {
    const { signIn, app } = await build({ limits: { account: 100, address: 2, codes: 100 } });
    await signIn.signIn({ ...request, otp: app.wrong() });
    await signIn.signIn({ ...request, otp: app.wrong() });
    expect(await signIn.signIn({ ...request, otp: app.code() })).toMatchObject({ outcome: 'throttled' });
    expect(await signIn.signIn({ ...request, address: '192.0.2.2', otp: app.code() })).toMatchObject({
      outcome: 'signed-in',
    });
  });

  test('the right password without a code neither counts nor clears what was counted', async () => {
    const { signIn } = await build({ limits: { account: 3, address: 100 } });
    const all = [];
    for (let round = 0; round < 4; round += 1) {
      for (let n = 0; n < 3; n += 1) all.push((await signIn.signIn(request)).outcome);
      all.push((await signIn.signIn({ ...request, password: wrongPassword })).outcome);
    }
    const asked = Array(3).fill('second-factor');
    const locked = Array(4).fill('throttled');
    expect(all).toEqual([...asked, 'refused', ...asked, 'refused', ...asked, 'refused', ...locked]);
  });

  test("the person's own success gives a guesser no fresh start", async () => {
    const { signIn, app } = await build({ limits: { account: 100, address: 100, codes: 4 } });
    for (let n = 0; n < 3; n += 1) await signIn.signIn({ ...request, otp: app.wrong() });
    expect(await signIn.signIn({ ...request, otp: app.fresh() })).toMatchObject({ outcome: 'signed-in' });
    expect(await signIn.signIn({ ...request, otp: app.wrong() })).toMatchObject({ wrong: 'wrong' });
    expect(await signIn.signIn({ ...request, otp: app.wrong() })).toMatchObject({ outcome: 'throttled' });
  });

  test('after a hundred in a row the app is locked on all nodes, for whatever time, until a recovery code is used', async () => {
    const { looked, method } = countingLooks();
    const { signIn, app, factors, subject } = await build({
      limits: { account: 1000, address: 1000, codes: 1000 },
      method,
    });
    for (let n = 0; n < 99; n += 1) await signIn.signIn({ ...request, otp: app.wrong() });
    // The ninety-ninth was not the last: a right one ends the row.
    expect(await signIn.signIn({ ...request, otp: app.fresh() })).toMatchObject({ outcome: 'signed-in' });
    for (let n = 0; n < 100; n += 1)
      expect(await signIn.signIn({ ...request, otp: app.wrong() })).toMatchObject({ wrong: 'wrong' });
    expect(await factors.list(subject)).toMatchObject({ factors: [{ locked: true }] });
    const before = looked.count;
    travel(86_400);
    expect(await signIn.signIn({ ...request, otp: app.fresh() })).toMatchObject({
      outcome: 'second-factor',
      methods: ['recovery-code'],
      wrong: 'locked',
    });
    expect(looked.count).toBe(before);
    expect(await signIn.signIn({ ...request, otp: app.recoveryCodes[0] })).toMatchObject({ outcome: 'signed-in' });
    expect(await signIn.signIn({ ...request, otp: app.fresh() })).toMatchObject({ outcome: 'signed-in' });
  });

  test('a flood of throttled codes is one record a window', async () => {
    const { signIn, app, audited } = await build({ limits: { account: 1000, address: 1000, codes: 2 } });
    for (let n = 0; n < 20; n += 1) await signIn.signIn({ ...request, otp: app.wrong() });
    const events = (await audited()).filter(({ event }) => event.startsWith('sign_in.'));
    expect(events.map(({ event, detail }) => [event, detail.reason])).toEqual([
      ['sign_in.failed', 'wrong-code'],
      ['sign_in.failed', 'wrong-code'],
      ['sign_in.throttled', undefined],
    ]);
  });
});

describe('the second step', () => {
  test('needs the code only, and says the same as one step would', async () => {
    const { signIn, app, subject } = await build();
    const proof = proofOf(await signIn.signIn(request));
    expect(await signIn.secondStep({ ...request, proof })).toMatchObject({
      outcome: 'second-factor',
      wrong: undefined,
    });
    expect(await signIn.secondStep({ ...request, proof, otp: app.wrong() })).toMatchObject({
      outcome: 'second-factor',
      wrong: 'wrong',
    });
    expect(await signIn.secondStep({ ...request, proof, otp: app.code() })).toMatchObject({
      outcome: 'signed-in',
      account: { subject },
      amr: ['pwd', 'otp', 'mfa'],
    });
  });

  test('comes within five minutes', async () => {
    const { signIn, app } = await build();
    const proof = proofOf(await signIn.signIn(request));
    setClock(proof.at * 1000 + 299_999, { runs: false });
    expect(await signIn.secondStep({ ...request, proof })).toMatchObject({ outcome: 'second-factor' });
    setClock(proof.at * 1000 + 300_000, { runs: false });
    expect(await signIn.secondStep({ ...request, proof, otp: app.code() })).toEqual({ outcome: 'expired' });
    // A clock that was set back makes no proof immortal.
    setClock(proof.at * 1000 - 60_000, { runs: false });
    expect(await signIn.secondStep({ ...request, proof, otp: app.code() })).toEqual({ outcome: 'expired' });
  });

  test('ends with a new password, the account, its enablement and its second factor', async () => {
    const { signIn, app, accounts, factors, subject, make } = await build();
    const step = (proof: PasswordProof) => signIn.secondStep({ ...request, proof, otp: app.fresh() });
    const old = proofOf(await signIn.signIn(request));
    await accounts.setPassword(subject, goodPassword, { endSessions: false });
    expect(await step(old)).toEqual({ outcome: 'expired' });

    const proof = proofOf(await signIn.signIn(request));
    await accounts.disable(subject);
    travel(60);
    expect(await step(proof)).toEqual({ outcome: 'expired' });
    await accounts.enable(subject);
    await factors.removeAll(subject);
    expect(await step(proof)).toEqual({ outcome: 'expired' });

    const bob = await make({ username: 'bob' });
    const his = await enrol(factors, bob.subject);
    const gone = proofOf(await signIn.signIn({ ...request, username: 'bob' }));
    await accounts.remove(bob.subject);
    expect(await signIn.secondStep({ ...request, proof: gone, otp: his.fresh() })).toEqual({ outcome: 'expired' });
  });

  test("a proof of one account is none of another's, even with the same password", async () => {
    const { signIn, app, make } = await build();
    const bob = await make({ username: 'bob' });
    const proof = { ...proofOf(await signIn.signIn(request)), subject: bob.subject };
    expect(await signIn.secondStep({ ...request, proof, otp: app.code() })).toEqual({ outcome: 'expired' });
  });

  test('survives that the hash was brought up to date', async () => {
    const { signIn, app, stores, subject } = await build();
    const older = await createPasswordHasher({ memoryKiB: 32, timeCost: 1, queue: 1 }).hash(goodPassword);
    await stores.accounts.update(subject, { passwordHash: older }, 1);
    const proof = proofOf(await signIn.signIn(request));
    expect((await stores.accounts.bySubject(subject))?.passwordHash).toMatch(/m=64,t=1/);
    expect(await signIn.secondStep({ ...request, proof, otp: app.code() })).toMatchObject({ outcome: 'signed-in' });
  });
});

describe('when the storage is away', () => {
  test.each(['list', 'advance', 'useCode'] as const)(
    '%s: Unavailable, and the attempt does not count',
    async (broken) => {
      let down = false;
      const { signIn, app } = await build({
        limits: { account: 2, codes: 2 },
        front: ({ factors }) => ({
          factors: {
            ...factors,
            [broken]: (...given: never[]) =>
              down
                ? Promise.reject(new Unavailable('database'))
                : (factors[broken] as (...all: never[]) => unknown)(...given),
          },
        }),
      });
      const otp = broken === 'useCode' ? app.recoveryCodes[0] : app.code();
      down = true;
      for (let n = 0; n < 5; n += 1)
        await expect(signIn.signIn({ ...request, otp })).rejects.toBeInstanceOf(Unavailable);
      down = false;
      expect(await signIn.signIn({ ...request, otp })).toMatchObject({ outcome: 'signed-in' });
    },
  );

  test('any other error leaves the attempt counted', async () => {
    let broken = false;
    const { signIn, app } = await build({
      limits: { account: 2 },
      front: ({ factors }) => ({
        factors: {
          ...factors,
          list: (subject) => (broken ? Promise.reject(new Error('a mistake')) : factors.list(subject)),
        },
      }),
    });
    const otp = app.code();
    broken = true;
    for (let n = 0; n < 2; n += 1) await expect(signIn.signIn({ ...request, otp })).rejects.toThrow('a mistake');
    broken = false;
    expect(await signIn.signIn({ ...request, otp })).toMatchObject({ outcome: 'throttled' });
  });
});
