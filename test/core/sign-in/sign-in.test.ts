/** B6, B7, B8, B10 of the security checklist, at the door itself; the surfaces show the same from outside. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../src/base/errors.ts';
import { addressThrottleKey } from '../../../src/core/kernel/throttle-keys.ts';
import type { SignInOutcome, SignInRequest } from '../../../src/core/sign-in/sign-in.ts';
import { createPasswordHasher } from '../../../src/login/password/password.ts';
import { setClock } from '../../support/clock.ts';
import { comeBack } from '../../support/flow.ts';
import { leastRoundTrips } from '../../support/round-trips.ts';
import { buildFixture, type Fixture, goodPassword } from '../fixture.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});
async function build(...options: Parameters<typeof buildFixture>): Promise<Fixture> {
  fixture = await buildFixture(...options);
  return fixture;
}

const request: SignInRequest = {
  username: 'alice',
  password: goodPassword,
  address: '192.0.2.1',
  via: 'browser',
  requestId: 'r1',
};
const wrong: SignInRequest = { ...request, password: 'not the password of hers' };

function outcomes(all: SignInOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of all) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

describe('who gets in', () => {
  test('the right password: the account, how it was proved, and a durable record', async () => {
    const { signIn, make, stores } = await build();
    const account = await make();
    const signsIn = () => signIn.signIn({ ...request, userAgent: 'Browser/1' });
    const outcome = await signsIn();
    expect(await leastRoundTrips(stores, signsIn, 4)).toBe(2);
    expect(outcome).toEqual({ outcome: 'signed-in', account, amr: ['pwd'], at: expect.any(Number) });
    const [record] = await stores.audit.list({ event: 'sign_in.succeeded' }, 10);
    expect(record).toMatchObject({
      subject: account.subject,
      address: '192.0.2.1',
      requestId: 'r1',
      detail: { via: 'browser', user_agent: 'Browser/1', amr: ['pwd'] },
    });
  });

  test.each(['alice', 'ALICE', 'ａｌｉｃｅ', ' alice ', 'alice@example.com', 'Alice@EXAMPLE.com'])(
    '%j is Alice',
    async (username) => {
      const { signIn, make } = await build();
      await make({ email: 'alice@example.com', verified: true });
      expect(await signIn.signIn({ ...request, username })).toMatchObject({ outcome: 'signed-in' });
    },
  );

  test('an e-mail address that is not verified does not sign in', async () => {
    const { signIn, make } = await build();
    await make({ email: 'alice@example.com' });
    expect(await signIn.signIn({ ...request, username: 'alice@example.com' })).toEqual({
      outcome: 'refused',
      reason: 'unknown',
    });
  });

  test.each(['NFC', 'NFD', 'NFKC', 'NFKD'])('the %s form of the password (B9)', async (form) => {
    const { signIn, make } = await build();
    await make({ password: 'crème brûlée à la ﬁn' });
    expect(await signIn.signIn({ ...request, password: 'crème brûlée à la ﬁn'.normalize(form) })).toMatchObject({
      outcome: 'signed-in',
    });
  });

  test('the whole password counts (B10)', async () => {
    const { signIn, make } = await build();
    const long = 'Quite a long one, longer than seventy-two bytes, which is where bcrypt stops looking';
    await make({ password: `${long}X` });
    expect(await signIn.signIn({ ...request, password: `${long}Y` })).toMatchObject({ outcome: 'refused' });
    expect(await signIn.signIn({ ...request, password: `${long}X\0` })).toMatchObject({ outcome: 'refused' });
    expect(await signIn.signIn({ ...request, password: `${long}X` })).toMatchObject({ outcome: 'signed-in' });
  });
});

describe('who does not', () => {
  test('each for a reason that only the audit trail knows, each after one hash', async () => {
    const { signIn, make, accounts, verified, audited } = await build();
    const { subject } = await make();
    const off = await make({ username: 'off' });
    await accounts.disable(off.subject);
    await make({ username: 'bare', password: undefined });
    const cases: [Partial<SignInRequest>, string][] = [
      [{ password: 'not the password of hers' }, 'wrong'],
      [{ password: '' }, 'wrong'],
      [{ password: 'a\0' }, 'wrong'],
      [{ password: '\ud800' }, 'wrong'],
      [{ password: 'x'.repeat(2000) }, 'wrong'],
      [{ username: 'nobody' }, 'unknown'],
      [{ username: 'alice\0' }, 'unknown'],
      [{ username: '\udfff' }, 'unknown'],
      [{ username: '' }, 'unknown'],
      [{ username: 'x'.repeat(900) }, 'unknown'],
      [{ username: "' or 1=1 --" }, 'unknown'],
      [{ username: 'off' }, 'disabled'],
      [{ username: 'off', password: 'not the password of it' }, 'wrong'],
      [{ username: 'bare' }, 'wrong'],
    ];
    for (const [part, reason] of cases) {
      const before = verified.count;
      expect([part, await signIn.signIn({ ...request, ...part })]).toEqual([part, { outcome: 'refused', reason }]);
      expect(verified.count - before).toBe(1);
    }
    const failed = (await audited()).filter(({ event }) => event === 'sign_in.failed');
    expect(failed.map(({ detail }) => detail.reason)).toEqual(cases.map(([, reason]) => reason));
    expect(failed[0]).toMatchObject({ subject, address: '192.0.2.1' });
    // People type their password into the wrong field.
    expect(JSON.stringify(failed)).not.toContain('nobody');
  });

  test.each([{ username: 'x'.repeat(1025) }, { password: 'x'.repeat(4097) }, { password: 'x'.repeat(10_000_000) }])(
    'a monster is refused without a hash',
    async (part) => {
      const { signIn, verified, stores } = await build();
      const isRefused = async () =>
        expect(await signIn.signIn({ ...request, ...part })).toMatchObject({ outcome: 'refused' });
      expect(await leastRoundTrips(stores, isRefused, 4)).toBe(0);
      expect(verified.count).toBe(0);
    },
  );
});

describe('the throttle', () => {
  test('of 200 wrong passwords at once, in every spelling, no more than the limit are looked at (B7)', async () => {
    const { signIn, make, verified } = await build({ limits: { account: 10, address: 1000 } });
    await make({ email: 'alice@example.com', verified: true });
    const names = ['alice', 'ALICE', 'ａｌｉｃｅ', 'alice@example.com', 'ALICE@example.com', ' alice'];
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        signIn.signIn({
          ...wrong,
          username: names[n % names.length] ?? '',
          address: `192.0.2.${n % 250}`,
          via: n % 2 === 0 ? 'browser' : 'identity',
        }),
      ),
    );
    expect(outcomes(all)).toEqual({ refused: 10, throttled: 190 });
    expect(verified.count).toBe(10);
    expect(await signIn.signIn(request)).toEqual({ outcome: 'throttled', retryAfter: expect.any(Number) });
    expect(verified.count).toBe(10);
  });

  test('a name that no account has is locked the same way, so a lock tells nothing', async () => {
    const { signIn } = await build({ limits: { account: 3 } });
    const all = [];
    for (const username of ['nobody', 'NOBODY', 'ｎobody', 'nobody'])
      all.push(await signIn.signIn({ ...wrong, username }));
    expect(all.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'throttled']);
  });

  test('so is a disabled account, with the right password too', async () => {
    const { signIn, make, accounts } = await build({ limits: { account: 3 } });
    const { subject } = await make();
    await accounts.disable(subject);
    const all = [];
    for (let n = 0; n < 4; n++) all.push(await signIn.signIn(request));
    expect(all.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'throttled']);
  });

  test('one address may not try all accounts; another address may go on', async () => {
    const { signIn, make } = await build({ limits: { address: 5 } });
    await make();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) => signIn.signIn({ ...wrong, username: `user${n}` })),
    );
    expect(outcomes(all)).toEqual({ refused: 5, throttled: 45 });
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'throttled' });
    expect(await signIn.signIn({ ...request, address: '192.0.2.2' })).toMatchObject({ outcome: 'signed-in' });
  });

  test('a success gives its attempt back to the address and clears the account', async () => {
    const { signIn, make } = await build({ limits: { account: 3, address: 4 } });
    await make();
    for (let n = 0; n < 20; n++) expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in' });
    await signIn.signIn(wrong);
    await signIn.signIn(wrong);
    await signIn.signIn(request);
    // The account is clear again; the address remembers two failures.
    const all = [await signIn.signIn(wrong), await signIn.signIn(wrong), await signIn.signIn(wrong)];
    expect(all.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'throttled']);
  });

  test('the lock releases itself (B8)', async () => {
    const { signIn, make } = await build({ limits: { account: 1, windowSeconds: 1 } });
    await make();
    const now = Date.now();
    setClock(now, { runs: false });
    try {
      await signIn.signIn(wrong);
      expect(await signIn.signIn(request)).toEqual({ outcome: 'throttled', retryAfter: 1 });
      setClock(now + 1000, { runs: false });
      expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in' });
    } finally {
      comeBack();
    }
  });

  test('a flood of throttled attempts is one record a window', async () => {
    const { signIn, make, audited, metrics } = await build({ limits: { account: 2 } });
    await make();
    for (let n = 0; n < 30; n++) await signIn.signIn({ ...wrong, address: `192.0.2.${n}` });
    const events = (await audited()).map(({ event }) => event).filter((event) => event.startsWith('sign_in.'));
    expect(events).toEqual(['sign_in.failed', 'sign_in.failed', 'sign_in.throttled']);
    expect((await metrics.page()).body).toContain('gatehouse_sign_ins_total{outcome="throttled"} 28');
  });

  test.each([
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['192.0.2.1', '::ffff:c000:201', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::2', true],
    ['2001:db8:1:2::1', '2001:0DB8:0001:0002:a:b:c:d', true],
    ['fe80::1%eth0', 'fe80::2', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::1', '192.0.2.1', false],
    ['', 'unknown', false],
  ])('%j and %j: one counter: %s', (a, b, same) => {
    expect(addressThrottleKey(a) === addressThrottleKey(b)).toBe(same);
    expect(addressThrottleKey(a).length).toBeLessThan(64);
  });
});

describe('when something is away', () => {
  test('too many at once: Unavailable, and the attempts that were not looked at do not count', async () => {
    const { signIn, make } = await build({ limits: { account: 5 }, hasher: { parallel: 1, queue: 0 } });
    await make();
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => signIn.signIn(wrong)));
    expect(all.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    for (const each of all)
      if (each.status === 'rejected')
        expect(each.reason).toMatchObject({ name: 'Unavailable', what: 'busy', retryAfter: 1 });
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in' });
  });

  test('a sign-in whose record cannot be written is none', async () => {
    const { signIn, make } = await build({
      front: (stores) => ({
        audit: {
          ...stores.audit,
          append: (events) =>
            events.some(({ event }) => event === 'sign_in.succeeded')
              ? Promise.reject(new Unavailable('database'))
              : stores.audit.append(events),
        },
      }),
    });
    await make();
    await expect(signIn.signIn(request)).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('afterwards', () => {
  test('the person was seen', async () => {
    const { signIn, activity, make, accounts } = await build();
    const { subject } = await make();
    const outcome = await signIn.signIn(request);
    await activity.close();
    const account = await accounts.findBySubject(subject);
    expect(account?.lastSeenAt).toBeGreaterThanOrEqual(outcome.outcome === 'signed-in' ? outcome.at : Number.NaN);
  });

  test('a hash of older parameters is replaced', async () => {
    const { signIn, make, accounts, stores } = await build();
    const { subject } = await make();
    const older = await createPasswordHasher({ memoryKiB: 32, timeCost: 1, queue: 1 }).hash(goodPassword);
    await stores.accounts.update(subject, { passwordHash: older }, 1);
    const outcome = await signIn.signIn(request);
    const account = await accounts.findBySubject(subject);
    expect(account?.passwordHash).toMatch(/m=64,t=1/);
    // What is compared with the account later on (a proof, a session that begins) must be of the new hash.
    expect(outcome).toMatchObject({ outcome: 'signed-in', account: { passwordHash: account?.passwordHash } });
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in' });
  });

  test('but never over a password that was set in between', async () => {
    const newer = await createPasswordHasher({ memoryKiB: 64, timeCost: 1, queue: 1 }).hash('dry pebbles above sand');
    const { signIn, make, stores } = await build({
      front: ({ accounts }) => ({
        accounts: {
          ...accounts,
          // At the last moment.
          async replacePasswordHash(subject, ...rest) {
            await accounts.update(subject, { passwordHash: newer }, 2);
            return accounts.replacePasswordHash(subject, ...rest);
          },
        },
      }),
    });
    const { subject } = await make();
    const older = await createPasswordHasher({ memoryKiB: 32, timeCost: 1, queue: 1 }).hash(goodPassword);
    await stores.accounts.update(subject, { passwordHash: older }, 1);
    // With the hash that it proved, so that the code that begins a session sees that it is the account's no longer.
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in', account: { passwordHash: older } });
    expect((await stores.accounts.byUsernameKey('alice'))?.passwordHash).toBe(newer);
  });

  test('and where another sign-in was faster, its hash is the one that counts', async () => {
    const faster = await createPasswordHasher({ memoryKiB: 64, timeCost: 1, queue: 1 }).hash(goodPassword);
    const { signIn, make, stores } = await build({
      front: ({ accounts }) => ({
        accounts: {
          ...accounts,
          async replacePasswordHash(subject, ...rest) {
            await accounts.update(subject, { passwordHash: faster }, 2);
            return accounts.replacePasswordHash(subject, ...rest);
          },
        },
      }),
    });
    const { subject } = await make();
    const older = await createPasswordHasher({ memoryKiB: 32, timeCost: 1, queue: 1 }).hash(goodPassword);
    await stores.accounts.update(subject, { passwordHash: older }, 1);
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in', account: { passwordHash: faster } });
  });
});
