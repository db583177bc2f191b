/** Codes by e-mail as a second step: to whom one goes, how often, and how long it is good. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import type { SignInOutcome } from '../../src/core/sign-in/sign-in.ts';
import { emailCode, newCode } from '../../src/login/email-code/email-code.ts';
import { buildFixture, type Fixture, goodPassword, issuer } from '../core/fixture.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../support/databases.ts';
import { comeBack, stopClock, travel } from '../support/flow.ts';
import { enrolPasskey } from '../support/passkey.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  comeBack();
  await fixture?.close();
  fixture = undefined;
});

const request = { username: 'alice', password: goodPassword, address: '192.0.2.1', via: 'identity', requestId: 'r1' };

async function build(...options: Parameters<typeof buildFixture>) {
  fixture = await buildFixture(...options);
  const { subject } = await fixture.make({ email: 'alice@example.com', verified: true });
  const on = await fixture.factors.switchOn('email-code', subject);
  if (on.outcome !== 'added') throw new Error(on.outcome);
  return { ...fixture, subject, recoveryCodes: on.recoveryCodes };
}

/** The code of the latest mail. */
const mailed = ({ sent }: Fixture): string => sent.at(-1)?.values?.code ?? '';
/** Eight other digits. */
const wrong = (code: string): string => String((Number(code.replace(' ', '')) + 1) % 10 ** 8).padStart(8, '0');
const asked = (outcome: SignInOutcome) => {
  if (outcome.outcome !== 'second-factor') throw new Error(outcome.outcome);
  return outcome;
};
const proofOf = async ({ signIn }: Fixture) => asked(await signIn.signIn(request)).proof;

describe('the mail', () => {
  test('is typed as it was mailed, with its gap, in other digits, or with the marks that isolate it in a right-to-left line', () => {
    for (const typed of ['4920 7316', '4920-7316', ' 49207316\n', '\u20684920 7316\u2069', '٤٩٢٠ ٧٣١٦'])
      expect([typed, emailCode.read(typed)]).toEqual([typed, '49207316']);
  });

  test('goes out with the right password, to the verified address, and its code signs in once', async () => {
    const built = await build();
    const { signIn, sent, subject, audited } = built;
    expect(await signIn.signIn(request)).toMatchObject({
      outcome: 'second-factor',
      methods: ['email-code', 'recovery-code'],
      mailed: { outcome: 'sent', to: 'al•••@example.com', retryAfter: 60 },
    });
    expect(sent).toMatchObject([{ kind: 'sign-in-code', to: 'alice@example.com', subject, seconds: 600 }]);
    const otp = mailed(built);
    expect(otp).toMatch(/^\d{4} \d{4}$/);
    expect(await signIn.signIn({ ...request, otp })).toMatchObject({
      outcome: 'signed-in',
      account: { twoFactor: true },
      amr: ['pwd', 'otp', 'mfa'],
    });
    expect(await signIn.signIn({ ...request, otp })).toMatchObject({ wrong: 'over' });
    const events = (await audited()).map(({ event, detail }) => [event, detail.kind ?? detail.reason]);
    expect(events).toEqual([
      ['account.created', undefined],
      ['factor.added', 'email-code'],
      ['recovery_codes.made', undefined],
      ['sign_in.challenged', undefined],
      ['email_code.sent', undefined],
      ['sign_in.succeeded', undefined],
      ['sign_in.failed', 'over-code'],
    ]);
  });

  test('never goes out for a wrong password, nor at the wish of a stranger', async () => {
    const { signIn, sent } = await build();
    for (const part of [
      { password: 'not the password of hers' },
      { password: 'not the password of hers', otp: 'email-code' },
      { username: 'nobody', otp: 'email-code' },
      { password: '', otp: 'email-code' },
    ])
      expect((await signIn.signIn({ ...request, ...part })).outcome).toBe('refused');
    expect(sent).toEqual([]);
  });

  test('goes out once a minute, and no more often than the limits allow', async () => {
    const built = await build();
    const { signIn, sent } = built;
    stopClock();
    for (let n = 0; n < 5; n += 1) await signIn.signIn(request);
    expect(sent).toHaveLength(1);
    const proof = await proofOf(built);
    const again = () => signIn.secondStep({ ...request, proof, otp: 'email-code' });
    expect(await again()).toMatchObject({ mailed: { outcome: 'wait', retryAfter: 60 } });
    travel(60);
    expect(await again()).toMatchObject({ mailed: { outcome: 'sent' } });
    expect(sent).toHaveLength(2);
    for (let n = 0; n < 20; n += 1) {
      travel(61);
      await signIn.signIn(request);
    }
    expect(sent).toHaveLength(10);
  });

  test('goes out however many links strangers have had sent to that mailbox (B8)', async () => {
    const { signIn, sent, subject, mailLimits } = await build();
    for (let n = 0; n < 20; n += 1) {
      await mailLimits.mayMailReset(subject, undefined);
      await mailLimits.mayConfirm('alice@example.com', subject);
    }
    expect(await signIn.signIn(request)).toMatchObject({ mailed: { outcome: 'sent' } });
    expect(sent).toHaveLength(1);
  });

  test('counts no more once its code was used: the owner of the mailbox signs in as often as they like', async () => {
    const built = await build();
    const { signIn, sent } = built;
    for (let n = 1; n <= 25; n += 1) {
      expect([n, await signIn.signIn(request)]).toMatchObject([n, { mailed: { outcome: 'sent' } }]);
      expect(await signIn.signIn({ ...request, otp: mailed(built) })).toMatchObject({ outcome: 'signed-in' });
      travel(61);
    }
    expect(sent).toHaveLength(25);
    // Wrong ones do.
    for (let n = 0; n < 12; n += 1) {
      await signIn.signIn(request);
      await signIn.signIn({ ...request, otp: wrong(mailed(built)) });
      travel(61);
    }
    expect(sent).toHaveLength(35);
  });

  test('that the limits forbid leaves the code before it as good as it was', async () => {
    const built = await build();
    const { signIn, sent } = built;
    for (let n = 0; n < 10; n += 1) {
      await signIn.signIn(request);
      travel(61);
    }
    expect(sent).toHaveLength(10);
    expect(await signIn.signIn(request)).toMatchObject({ mailed: { outcome: 'wait' } });
    expect(await signIn.signIn({ ...request, otp: mailed(built) })).toMatchObject({ outcome: 'signed-in' });
  });

  test('is not sent by itself where a page asks for a passkey first; a program cannot, and gets it', async () => {
    const { signIn, sent, passkeys, subject } = await build();
    await enrolPasskey(passkeys, subject, { origin: issuer });
    expect(asked(await signIn.signIn({ ...request, via: 'browser' })).methods[0]).toBe('passkey');
    expect(sent).toHaveLength(0);
    await signIn.signIn(request);
    expect(sent).toHaveLength(1);
  });

  test('that cannot be stored: Unavailable, and the attempt is given back, once', async () => {
    let down = false;
    const { signIn, sent } = await build({
      limits: { account: 2 },
      front: ({ factors }) => ({
        factors: {
          ...factors,
          putSentCode: (...given) =>
            down ? Promise.reject(new Unavailable('database')) : factors.putSentCode(...given),
        },
      }),
    });
    const guess = { ...request, password: 'not the password of hers' };
    expect(await signIn.signIn(guess)).toMatchObject({ outcome: 'refused' });
    down = true;
    for (let n = 0; n < 3; n += 1) await expect(signIn.signIn(request)).rejects.toBeInstanceOf(Unavailable);
    down = false;
    expect(await signIn.signIn(guess)).toMatchObject({ outcome: 'refused' });
    expect(await signIn.signIn(guess)).toMatchObject({ outcome: 'throttled' });
    expect(sent).toHaveLength(0);
  });

  test('does not go to an address that is not proved any more; the recovery codes remain', async () => {
    const { signIn, sent, stores, subject, recoveryCodes } = await build();
    await stores.accounts.update(subject, { verified: false }, 1);
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'second-factor', methods: ['recovery-code'] });
    expect(await signIn.signIn({ ...request, otp: 'email-code' })).toMatchObject({ outcome: 'second-factor' });
    expect(sent).toEqual([]);
    expect(await signIn.signIn({ ...request, otp: recoveryCodes[0] })).toMatchObject({ outcome: 'signed-in' });
  });
});

describe('the code', () => {
  test('is good for ten minutes, for its own account, and only the newest', async () => {
    const built = await build();
    const { signIn, make, factors } = built;
    const bob = await make({ username: 'bob', email: 'bob@example.com', verified: true });
    await factors.switchOn('email-code', bob.subject);
    await signIn.signIn(request);
    const first = mailed(built);
    expect(await signIn.signIn({ ...request, username: 'bob', otp: first })).toMatchObject({ wrong: 'over' });
    travel(61);
    await signIn.signIn(request);
    const second = mailed(built);
    expect(await signIn.signIn({ ...request, otp: first })).toMatchObject({ wrong: 'wrong' });
    travel(600);
    expect(await signIn.signIn({ ...request, otp: second })).toMatchObject({ wrong: 'over' });
    await signIn.signIn(request);
    expect(await signIn.signIn({ ...request, otp: mailed(built).replace(' ', '') })).toMatchObject({
      outcome: 'signed-in',
    });
  });

  test('the fifth wrong guess ends it; guesses count for the account over all codes', async () => {
    const built = await build({ limits: { account: 1000, address: 1000, codes: 8 } });
    const { signIn } = built;
    await signIn.signIn(request);
    const right = mailed(built);
    const wrongs = [];
    for (let n = 0; n < 5; n += 1) wrongs.push(asked(await signIn.signIn({ ...request, otp: wrong(right) })).wrong);
    expect(wrongs).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'over']);
    expect(await signIn.signIn({ ...request, otp: right })).toMatchObject({ wrong: 'over' });
    travel(61);
    await signIn.signIn(request);
    for (let n = 0; n < 2; n += 1)
      expect(await signIn.signIn({ ...request, otp: wrong(mailed(built)) })).toMatchObject({ wrong: 'wrong' });
    expect(await signIn.signIn({ ...request, otp: mailed(built) })).toMatchObject({ outcome: 'throttled' });
  });

  test('is not in the database, nor its plain digest', async () => {
    const built = await build();
    await built.signIn.signIn(request);
    const [row] = (await built.stores.factors.list(built.subject)).filter(({ kind }) => kind === 'email-code');
    expect(row?.secret).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(await built.stores.audit.list({}, 100))).not.toContain(mailed(built).slice(0, 4));
  });

  test('is eight digits, read however they are typed', () => {
    for (let n = 0; n < 100; n += 1) expect(newCode()).toMatch(/^\d{8}$/);
    for (const typed of ['12345678', ' 1234 5678 ', '1234-5678', '１２３４５６７８', '١٢٣٤٥٦٧٨'])
      expect(emailCode.read(typed)).toBe('12345678');
    for (const typed of ['', '1234567', '123456789', '123456', 'abcdefgh', '1'.repeat(100)])
      expect(emailCode.read(typed)).toBeUndefined();
  });
});

describe('switching it on', () => {
  test('needs a verified address and a server that sends mails', async () => {
    fixture = await buildFixture({ mails: false });
    const { subject } = await fixture.make({ email: 'alice@example.com', verified: true });
    expect(await fixture.factors.switchOn('email-code', subject)).toEqual({ outcome: 'no-mail' });
    await fixture.close();
    fixture = await buildFixture();
    const bare = await fixture.make({ username: 'bare' });
    const unproved = await fixture.make({ username: 'unproved', email: 'u@example.com' });
    for (const { subject } of [bare, unproved])
      expect(await fixture.factors.switchOn('email-code', subject)).toEqual({ outcome: 'no-address' });
    expect(await fixture.factors.switchOn('email-code', 'nobody')).toEqual({ outcome: 'not-found' });
    expect(await fixture.stores.accounts.bySubject(bare.subject)).toMatchObject({ twoFactor: false });
  });

  test('twice changes nothing, and it is switched off like any other factor', async () => {
    const { factors, subject, stores, signIn, recoveryCodes } = await build();
    expect(recoveryCodes).toHaveLength(10);
    expect(await factors.switchOn('email-code', subject)).toEqual({ outcome: 'on-already' });
    const { factors: listed } = await factors.list(subject);
    expect(listed).toMatchObject([{ kind: 'email-code', locked: false }]);
    expect(await factors.remove(subject, listed[0]?.id ?? '')).toBe(true);
    expect(await stores.accounts.bySubject(subject)).toMatchObject({ twoFactor: false });
    expect(await signIn.signIn(request)).toMatchObject({ outcome: 'signed-in', amr: ['pwd'] });
  });
});

function atOnce(fresh: () => Promise<TestDatabase>): void {
  let database: TestDatabase | undefined;
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
    await database?.drop();
  });

  test('of 50 requests one sends a mail, and of 50 uses of its code one signs in (X4)', async () => {
    database = await fresh();
    const built = await build({ limits: { account: 1000, address: 1000, codes: 1000 }, database: database.settings });
    await Promise.all(Array.from({ length: 50 }, () => built.signIn.signIn(request)));
    expect(built.sent).toHaveLength(1);
    const otp = mailed(built);
    const all = await Promise.all(Array.from({ length: 50 }, () => built.signIn.signIn({ ...request, otp })));
    expect(all.filter(({ outcome }) => outcome === 'signed-in')).toHaveLength(1);
  });
}

describe('at once, in SQLite', () => atOnce(freshSqlite));
describePostgres('at once, in Postgres', () => atOnce(() => freshPostgres()));
