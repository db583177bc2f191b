/**
 * Enrolling, removing, and what is stored of it. Signing in with a second factor is in sign-in-second-factor.test.ts.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { nowSeconds } from '../../../src/base/clock.ts';
import { newFactor } from '../../../src/core/factors/factor-row.ts';
import { newRecoveryCodes } from '../../../src/core/factors/recovery-codes.ts';
import type { PasskeyRow } from '../../../src/core/stores/passkeys.ts';
import { recoveryCodeFormat } from '../../../src/login/recovery-code/recovery-code.ts';
import { codeOf, enrol } from '../../support/authenticator.ts';
import { setClock } from '../../support/clock.ts';
import { comeBack } from '../../support/flow.ts';
import { buildFixture, type Fixture, goodPassword } from '../fixture.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  comeBack();
  await fixture?.close();
  fixture = undefined;
});
async function build(...options: Parameters<typeof buildFixture>) {
  fixture = await buildFixture(...options);
  const { subject } = await fixture.make();
  return { ...fixture, subject };
}

const start = 1_800_000_000_000;
const at = (seconds: number) => setClock(start + seconds * 1000, { runs: false });

describe('enrolling', () => {
  test('nothing is a second factor before a right code has shown that the app has the secret', async () => {
    at(0);
    const { factors, accounts, subject, audited } = await build();
    const begun = await factors.begin('totp', subject, { name: 'Phone' });
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const { factorId, secret, uri } = begun;
    expect(new URL(uri).searchParams.get('secret')).toBe(secret);
    expect(decodeURIComponent(new URL(uri).pathname)).toBe('/Gatehouse:alice');

    expect(await factors.methods(subject)).toEqual({ required: false, methods: [] });
    expect(await factors.list(subject)).toEqual({ factors: [], recoveryCodesLeft: 0, recoveryCodesSaved: true });
    for (const code of ['', '12345', codeOf(secret, 2), codeOf(secret, -2), 'x'.repeat(100_000)])
      expect(await factors.confirm('totp', subject, factorId, code)).toEqual({ outcome: 'wrong-code' });
    expect((await accounts.findBySubject(subject))?.twoFactor).toBe(false);

    const confirmed = await factors.confirm('totp', subject, factorId, codeOf(secret), {
      via: 'browser',
      address: '::1',
    });
    if (confirmed.outcome !== 'enrolled') throw new Error(confirmed.outcome);
    expect(new Set(confirmed.recoveryCodes).size).toBe(10);
    expect((await accounts.findBySubject(subject))?.twoFactor).toBe(true);
    expect(await factors.methods(subject)).toEqual({ required: true, methods: ['totp', 'recovery-code'] });
    expect(await factors.list(subject)).toEqual({
      factors: [
        { id: factorId, kind: 'totp', name: 'Phone', createdAt: start / 1000, lastUsedAt: null, locked: false },
      ],
      recoveryCodesLeft: 10,
      recoveryCodesSaved: false,
    });
    expect(await factors.confirm('totp', subject, factorId, codeOf(secret, 1))).toEqual({ outcome: 'gone' });
    expect((await audited()).filter(({ event }) => !event.startsWith('account.'))).toMatchObject([
      { event: 'factor.added', subject, address: '::1', detail: { via: 'browser', kind: 'totp' } },
      { event: 'recovery_codes.made', subject, address: '::1', detail: { via: 'browser' } },
    ]);
  });

  test('the code that confirmed is used, and so is every earlier one', async () => {
    at(0);
    const { factors, subject } = await build();
    const { secret } = await enrol(factors, subject);
    expect(await factors.use(subject, codeOf(secret, -1), {})).toEqual({ outcome: 'wrong', why: 'used' });
    expect(await factors.use(subject, codeOf(secret, 1), {})).toEqual({ outcome: 'right', amr: ['otp'] });
    expect(await factors.use(subject, codeOf(secret, 0), {})).toMatchObject({ outcome: 'wrong', why: 'used' });
  });

  test('an enrolment is good for a quarter of an hour, and until the next one', async () => {
    at(0);
    const { factors, subject } = await build();
    const late = await factors.begin('totp', subject);
    if (late.outcome !== 'begun') throw new Error(late.outcome);
    at(900);
    expect(await factors.confirm('totp', subject, late.factorId, codeOf(late.secret))).toEqual({ outcome: 'gone' });
    const [first, second] = [await factors.begin('totp', subject), await factors.begin('totp', subject)];
    if (first.outcome !== 'begun' || second.outcome !== 'begun') throw new Error('not begun');
    expect(await factors.confirm('totp', subject, first.factorId, codeOf(first.secret))).toEqual({ outcome: 'gone' });
    expect(await factors.confirm('totp', subject, second.factorId, codeOf(second.secret))).toMatchObject({
      outcome: 'enrolled',
    });
  });

  test("another person's enrolment cannot be confirmed, and one without an account is no enrolment", async () => {
    const { factors, subject, make } = await build();
    const bob = await make({ username: 'bob' });
    const begun = await factors.begin('totp', subject);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    for (const [whose, id] of [
      [bob.subject, begun.factorId],
      [subject, 'nobody'],
      [subject, 'a\0b'],
    ] as const)
      expect(await factors.confirm('totp', whose, id, codeOf(begun.secret))).toEqual({ outcome: 'gone' });
    expect(await factors.begin('totp', 'nobody')).toEqual({ outcome: 'not-found' });
  });

  test('of 20 confirmations at once one is told the recovery codes, and those are the ones that work', async () => {
    at(0);
    const { factors, subject } = await build();
    const begun = await factors.begin('totp', subject);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const all = await Promise.all(
      Array.from({ length: 20 }, () => factors.confirm('totp', subject, begun.factorId, codeOf(begun.secret))),
    );
    const enrolled = all.filter((one) => one.outcome === 'enrolled');
    expect(enrolled).toHaveLength(1);
    expect(all.filter(({ outcome }) => outcome === 'gone')).toHaveLength(19);
    const [code = ''] = enrolled[0]?.recoveryCodes ?? [];
    expect(await factors.use(subject, code, {})).toEqual({ outcome: 'right', amr: ['otp'] });
  });

  test('a second app leaves the recovery codes alone; either app works; five are enough', async () => {
    at(0);
    const { factors, subject } = await build();
    const first = await enrol(factors, subject, 'Phone');
    const second = await enrol(factors, subject, 'Tablet\0\ud800');
    expect(second.recoveryCodes).toEqual([]);
    expect((await factors.list(subject)).factors.map(({ name }) => name).sort()).toEqual([
      'Phone',
      'Tablet\ufffd\ufffd',
    ]);
    for (const app of [first, second])
      expect(await factors.use(subject, app.fresh(), {})).toEqual({ outcome: 'right', amr: ['otp'] });
    expect(await factors.use(subject, first.recoveryCodes[0] ?? '', {})).toEqual({ outcome: 'right', amr: ['otp'] });
    for (let more = 0; more < 3; more += 1) await enrol(factors, subject);
    expect(await factors.begin('totp', subject)).toEqual({ outcome: 'too-many' });
  });
});

describe('removing', () => {
  test('with the last app everything goes, and the account says so', async () => {
    const { factors, accounts, subject, audited } = await build();
    const [first, second] = [await enrol(factors, subject), await enrol(factors, subject)];
    expect(await factors.remove(subject, first.factorId, { by: 'admin', via: 'cli' })).toBe(true);
    expect(await factors.methods(subject)).toMatchObject({ required: true });
    expect(await factors.use(subject, first.fresh(), {})).toEqual({ outcome: 'wrong', why: 'wrong' });
    expect(await factors.remove(subject, second.factorId)).toBe(true);
    expect(await factors.remove(subject, second.factorId)).toBe(false);
    expect(await factors.methods(subject)).toEqual({ required: false, methods: [] });
    expect((await accounts.findBySubject(subject))?.twoFactor).toBe(false);
    expect(await factors.use(subject, first.recoveryCodes[0] ?? '', {})).toMatchObject({ outcome: 'wrong' });
    expect((await audited()).filter(({ event }) => event === 'factor.removed')).toMatchObject([
      { subject, detail: { by: 'admin', via: 'cli', kind: 'totp' } },
      { subject },
    ]);
  });

  test('all at once, for the person who has lost everything', async () => {
    const { factors, accounts, subject } = await build();
    await enrol(factors, subject);
    expect(await factors.removeAll(subject)).toBe(true);
    expect(await factors.removeAll(subject)).toBe(false);
    expect((await accounts.findBySubject(subject))?.twoFactor).toBe(false);
  });

  test('with the account', async () => {
    const { factors, accounts, stores, subject } = await build();
    await enrol(factors, subject);
    await accounts.remove(subject);
    expect(await stores.factors.list(subject)).toEqual([]);
  });
});

describe('recovery codes', () => {
  test('each works once, in any spelling, and the trail says how many are left', async () => {
    const { factors, subject, audited } = await build();
    const { recoveryCodes } = await enrol(factors, subject);
    const [first = '', second = ''] = recoveryCodes;
    const caller = { via: 'identity', address: '192.0.2.7' };
    expect(await factors.use(subject, ` ${first.toUpperCase().replaceAll('-', ' ')} `, {})).toEqual({
      outcome: 'right',
      amr: ['otp'],
    });
    expect(await factors.use(subject, first, {})).toMatchObject({ outcome: 'wrong', why: 'used' });
    expect(await factors.use(subject, second.replaceAll('-', ''), { caller })).toEqual({
      outcome: 'right',
      amr: ['otp'],
    });
    expect(await factors.list(subject)).toMatchObject({ recoveryCodesLeft: 8 });
    expect((await audited()).filter(({ event }) => event === 'recovery_code.used')).toMatchObject([
      { subject, detail: { left: 9 } },
      { subject, address: '192.0.2.7', detail: { left: 8 } },
    ]);
  });

  test('new ones take the place of the old ones; without a second factor there are none', async () => {
    const { factors, subject } = await build();
    expect(await factors.regenerateRecoveryCodes(subject)).toBeUndefined();
    const { recoveryCodes } = await enrol(factors, subject);
    const newer = (await factors.regenerateRecoveryCodes(subject)) ?? [];
    expect(newer).toHaveLength(10);
    expect(await factors.use(subject, recoveryCodes[0] ?? '', {})).toMatchObject({ outcome: 'wrong' });
    expect(await factors.use(subject, newer[0] ?? '', {})).toEqual({ outcome: 'right', amr: ['otp'] });
  });

  test('they count as saved once one of them has been typed, in any spelling, or used; typing it does not use it', async () => {
    const { factors, subject, make, audited } = await build();
    const bob = await make({ username: 'bob' });
    const hers = await enrol(factors, subject);
    const [first = '', second = ''] = hers.recoveryCodes;
    const saved = async () => (await factors.list(subject)).recoveryCodesSaved;
    for (const typed of ['', 'x'.repeat(100_000), 'abcd-efgh-jkmn-pqrs', hers.fresh()])
      expect(await factors.confirmSaved(subject, typed)).toBe(false);
    expect(await factors.confirmSaved(bob.subject, first)).toBe(false);
    expect(await saved()).toBe(false);
    expect(await factors.confirmSaved(subject, ` ${first.toUpperCase().replaceAll('-', ' ')}`)).toBe(true);
    expect(await saved()).toBe(true);
    expect((await audited()).filter(({ event }) => event === 'recovery_codes.saved')).toMatchObject([{ subject }]);
    expect(await factors.use(subject, first, {})).toEqual({ outcome: 'right', amr: ['otp'] });

    // New ones are not saved yet. Of the old ones, only a page that still shows them takes one, and marks nothing.
    const [newer = ''] = (await factors.regenerateRecoveryCodes(subject)) ?? [];
    expect(await factors.confirmSaved(subject, second)).toBe(false);
    expect(await factors.confirmSaved(subject, second, undefined, [first, second])).toBe(true);
    expect(await saved()).toBe(false);
    await factors.use(subject, newer, {});
    expect(await saved()).toBe(true);
  });

  test('a factor gets another name, which the trail has; another person’s does not', async () => {
    const { factors, subject, make, audited } = await build();
    const bob = await make({ username: 'bob' });
    const { factorId } = await enrol(factors, subject, 'Phone');
    expect(await factors.rename(bob.subject, factorId, 'mine')).toBe(false);
    expect(await factors.rename(subject, 'nobody', 'mine')).toBe(false);
    expect(await factors.rename(subject, factorId, `Tablet\0${'x'.repeat(100)}`)).toBe(true);
    expect((await factors.list(subject)).factors).toMatchObject([{ name: `Tablet\ufffd${'x'.repeat(57)}` }]);
    expect((await audited()).filter(({ event }) => event === 'factor.renamed')).toMatchObject([
      { subject, detail: { kind: 'totp' } },
    ]);
  });

  test("one person's code is not another's", async () => {
    const { factors, subject, make } = await build();
    const bob = await make({ username: 'bob' });
    const hers = await enrol(factors, subject);
    await enrol(factors, bob.subject);
    expect(await factors.use(bob.subject, hers.recoveryCodes[0] ?? '', {})).toEqual({ outcome: 'wrong', why: 'wrong' });
    expect(await factors.use(subject, hers.recoveryCodes[0] ?? '', {})).toEqual({ outcome: 'right', amr: ['otp'] });
  });
});

describe('what is stored', () => {
  test('neither the secret nor a code, and a row that is moved to another account does not open', async () => {
    const { factors, stores, subject, make } = await build();
    const { secret, recoveryCodes, ...app } = await enrol(factors, subject);
    const rows = await stores.factors.list(subject);
    const bytes = JSON.stringify(rows);
    for (const value of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
      expect(bytes).not.toContain(value);
    // Each code's hash is its own, although the same account made them.
    expect(new Set(rows.map((row) => row.secret)).size).toBe(11);

    const bob = await make({ username: 'bob' });
    await stores.factors.removeAll(subject, 1);
    const [stolen] = rows.filter(({ kind }) => kind === 'totp');
    if (!stolen) throw new Error('no row');
    // Where it was it opens; under another account, with the same id, it does not.
    for (const [whose, outcome] of [
      [bob.subject, 'gone'],
      [subject, 'enrolled'],
    ] as const) {
      await stores.factors.removeAll(bob.subject, 1);
      await stores.factors.begin({ ...stolen, subject: whose, state: 'pending' });
      expect(await factors.confirm('totp', whose, stolen.id, app.fresh())).toMatchObject({ outcome });
    }
  });
});

describe('a login method that has been deleted', () => {
  test.each(['totp', 'email-code'] as const)(
    '%s: accounts that have it are asked for a second factor as before',
    async (kind) => {
      const { factors, signIn, stores, subject } = await build({ without: [kind] });
      const { shown, rows } = newRecoveryCodes(recoveryCodeFormat, subject);
      await stores.factors.switchOn(newFactor(subject, kind, { secret: '', state: 'active' }), rows, nowSeconds());
      expect(await factors.methods(subject)).toEqual({ required: true, methods: ['recovery-code'] });
      const request = {
        username: 'alice',
        password: goodPassword,
        address: '192.0.2.1',
        via: 'identity',
        requestId: 'r1',
      };
      for (const otp of ['', kind])
        expect(await signIn.signIn({ ...request, otp })).toMatchObject({ outcome: 'second-factor' });
      expect(await signIn.signIn({ ...request, otp: shown[0] })).toMatchObject({ outcome: 'signed-in' });
    },
  );

  test.each(['totp', 'email-code'] as const)('%s: it cannot be added', async (kind) => {
    const { factors, subject, accounts } = await build({ without: [kind] });
    const account = await accounts.findBySubject(subject);
    expect(await factors.begin(kind, subject)).toEqual({ outcome: 'not-found' });
    expect(await factors.confirm(kind, subject, 'x', '123456')).toEqual({ outcome: 'gone' });
    expect(await factors.switchOn(kind, subject)).toEqual({ outcome: 'not-found' });
    expect([factors.enrols.includes(kind), account && factors.switches(account).includes(kind)]).toEqual([
      false,
      false,
    ]);
  });

  test('passkeys: none is asked for or taken, and an account that has one is asked for a second factor as before', async () => {
    const { factors, passkeys, signIn, stores, subject } = await build({ without: ['passkey'] });
    const row: PasskeyRow = {
      ...{ id: 'p', subject, credentialId: 'c', publicKey: 'k', counter: 0, transports: [], synced: true, handle: 'h' },
      ...{ name: '', createdAt: 1, lastUsedAt: null },
    };
    await stores.passkeys.insert(row, [], 20, nowSeconds());
    expect(await factors.methods(subject)).toEqual({ required: true, methods: [] });
    expect([passkeys.offered, factors.adds('passkey'), factors.adds(undefined)]).toEqual([false, false, true]);
    expect(passkeys.signInOptions('here')).toBe('');
    const passkey = { purpose: 'here', assertion: '{}' };
    const origin = { address: '192.0.2.1', via: 'browser', requestId: 'r1' };
    expect(await signIn.withPasskey({ ...origin, passkey })).toMatchObject({ outcome: 'refused', reason: 'passkey' });
    expect(await passkeys.finishEnrolment(subject, { purpose: 'here', credential: '{}', name: '' })).toEqual({
      outcome: 'refused',
    });
    expect(await passkeys.remove(subject, 'p')).toBe('removed');
  });
});
