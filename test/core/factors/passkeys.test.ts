/**
 * B12 and X4 of the security checklist at the door itself: what a passkey is worth, alone and after a password, and
 * what is not one.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../../src/base/errors.ts';
import { passkeysMax } from '../../../src/core/factors/passkeys.ts';
import type { SignInOutcome } from '../../../src/core/sign-in/sign-in.ts';
import { enrol } from '../../support/authenticator.ts';
import { describePostgres, freshPostgres, freshSqlite, type TestDatabase } from '../../support/databases.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { enrolPasskey, type Lies, makePasskey, type SoftPasskey } from '../../support/passkey.ts';
import { buildFixture, type Fixture, goodPassword, issuer } from '../fixture.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  comeBack();
  await fixture?.close();
  fixture = undefined;
});

const origin = issuer;
const purpose = 'interaction one';
const about = { address: '192.0.2.1', via: 'browser', requestId: 'r1' };

async function build(...options: Parameters<typeof buildFixture>) {
  fixture = await buildFixture(...options);
  const alice = await fixture.make({ email: 'alice@example.com', verified: true });
  const passkey = await enrolPasskey(fixture.passkeys, alice.subject, { origin, name: 'Laptop' });
  return { ...fixture, subject: alice.subject, passkey };
}

/** Signs in with the passkey alone. */
function alone(
  { passkeys, signIn }: Fixture,
  passkey: SoftPasskey,
  lies: Lies = {},
  from = about,
): Promise<SignInOutcome> {
  const assertion = passkey.assert(passkeys.signInOptions(purpose), lies);
  return signIn.withPasskey({ ...from, passkey: { purpose, assertion } });
}

async function proofOf({ signIn }: Fixture, username = 'alice') {
  const outcome = await signIn.signIn({ ...about, username, password: goodPassword });
  if (outcome.outcome !== 'second-factor') throw new Error(outcome.outcome);
  return outcome.proof;
}

/** As the second step, after the password. */
async function secondStep(built: Fixture, subject: string, passkey: SoftPasskey, lies: Lies = {}) {
  const proof = await proofOf(built);
  const assertion = passkey.assert((await built.passkeys.stepOptions(subject, purpose)) ?? '', lies);
  return built.signIn.secondStep({ ...about, proof, passkey: { purpose, assertion } });
}

const refused = { outcome: 'refused', reason: 'passkey' };
const count = (all: readonly { outcome: string }[], outcome: string) =>
  all.filter((one) => one.outcome === outcome).length;

describe('options', () => {
  test('for a new passkey: discoverable, verified, without attestation, and nothing of the person in the handle', async () => {
    const { passkeys, subject, passkey } = await build();
    const begun = await passkeys.beginEnrolment(subject, 'session');
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const options = JSON.parse(begun.options);
    expect(options).toMatchObject({
      rp: { id: 'id.example.com', name: 'Gatehouse' },
      user: { name: 'alice', id: passkey.handle },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: passkey.credentialId, type: 'public-key' }],
    });
    expect(Buffer.from(options.user.id, 'base64url')).toHaveLength(32);
    expect(options.user.id).not.toContain(subject);
  });

  test('for a sign-in: the same for everybody, and a challenge of more than 16 random bytes that is never the same', async () => {
    const { passkeys } = await build();
    const all = Array.from({ length: 1000 }, () => JSON.parse(passkeys.signInOptions(purpose)));
    expect(new Set(all.map(({ challenge }) => challenge.slice(0, 22))).size).toBe(1000);
    expect({ ...all[0], challenge: '' }).toEqual({
      rpId: 'id.example.com',
      challenge: '',
      timeout: 300_000,
      userVerification: 'required',
      allowCredentials: [],
    });
  });

  test('after the password: those of this account, verification preferred', async () => {
    const { passkeys, subject, passkey } = await build();
    expect(JSON.parse((await passkeys.stepOptions(subject, purpose)) ?? '')).toMatchObject({
      userVerification: 'preferred',
      allowCredentials: [{ id: passkey.credentialId, transports: ['internal', 'hybrid'] }],
    });
    expect(await passkeys.stepOptions('nobody', purpose)).toBeUndefined();
  });
});

describe('alone', () => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)(
    '%s: signed in, by possession and verification',
    async (algorithm) => {
      const built = await build();
      const passkey = await enrolPasskey(built.passkeys, built.subject, { origin, algorithm });
      expect(await alone(built, passkey)).toMatchObject({
        outcome: 'signed-in',
        account: { subject: built.subject, twoFactor: true },
        amr: ['hwk', 'user', 'mfa'],
      });
      const [record] = await built.stores.audit.list({ event: 'sign_in.succeeded' }, 1);
      expect(record).toMatchObject({ subject: built.subject, detail: { amr: ['hwk', 'user', 'mfa'], via: 'browser' } });
      const used = (await built.passkeys.list(built.subject)).find(({ id }) => id === passkey.id);
      expect(used?.lastUsedAt).toBeGreaterThan(0);
    },
  );

  test('a synced one is no hardware key, and its counter stays at 0', async () => {
    const built = await build();
    const synced = await enrolPasskey(built.passkeys, built.subject, { origin, synced: true });
    for (let n = 0; n < 3; n += 1)
      expect(await alone(built, synced)).toMatchObject({ outcome: 'signed-in', amr: ['swk', 'user', 'mfa'] });
  });

  const lies: Record<string, Lies> = {
    'of another origin': { origin: 'https://id.example.com.evil.example' },
    'of another port': { origin: 'https://id.example.com:8443' },
    'of plain http': { origin: 'http://id.example.com' },
    'of another RP ID': { rpId: 'example.com' },
    'inside a frame of another site': { crossOrigin: true },
    'that is for making one': { type: 'webauthn.create' },
    'without verification': { userVerified: false },
    'without a person there': { userPresent: false },
    'of another key': { otherKey: true },
    'without a user handle': { userHandle: undefined },
    'with a foreign user handle': { userHandle: Buffer.alloc(32).toString('base64url') },
    'of an unknown credential': { credentialId: 'A'.repeat(43) },
    'over a challenge of its own': { challenge: Buffer.alloc(72, 7).toString('base64url') },
    'over no challenge': { challenge: '' },
    'that says it is synced': { synced: true },
  };
  test.each(Object.entries(lies))('an assertion %s is refused, with the one answer (B12)', async (_, lie) => {
    const built = await build();
    expect(await alone(built, built.passkey, lie)).toEqual(refused);
    expect(await alone(built, built.passkey)).toMatchObject({ outcome: 'signed-in' });
  });

  test.each([
    '',
    '{}',
    'null',
    '[]',
    '"x"',
    '{"id":1}',
    '\ud800',
    'a\0b',
    `{"id":"${'A'.repeat(2000)}"}`,
    '['.repeat(200),
  ])('%j is none, and no trouble', async (assertion) => {
    const { signIn } = await build();
    expect(await signIn.withPasskey({ ...about, passkey: { purpose, assertion } })).toEqual(refused);
  });

  test('bytes turned over anywhere in it do no harm', async () => {
    const built = await build({ limits: { address: 100_000 } });
    const { passkey, passkeys, signIn } = built;
    const fresh = () => JSON.parse(passkey.assert(passkeys.signInOptions(purpose)));
    for (const part of ['clientDataJSON', 'authenticatorData', 'userHandle']) {
      const { length } = Buffer.from(fresh().response[part], 'base64url');
      for (let at = 0; at < length; at += 7) {
        const whole = fresh();
        const turned = Buffer.from(whole.response[part], 'base64url');
        turned[at] = (turned[at] ?? 0) ^ 0x41;
        const response = { ...whole.response, [part]: turned.toString('base64url') };
        const assertion = JSON.stringify({ ...whole, response });
        expect((await signIn.withPasskey({ ...about, passkey: { purpose, assertion } })).outcome).toBe('refused');
      }
    }
  });

  test('a challenge is good for five minutes, in the interaction it was made for, once', async () => {
    const built = await build();
    const { passkeys, signIn, passkey, subject } = built;
    const give = (assertion: string, at = purpose) =>
      signIn.withPasskey({ ...about, passkey: { purpose: at, assertion } });
    const options = passkeys.signInOptions(purpose);
    expect(await give(passkey.assert(options), 'interaction two')).toEqual(refused);
    expect(await give(passkey.assert((await passkeys.stepOptions(subject, purpose)) ?? ''))).toEqual(refused);
    const begun = await passkeys.beginEnrolment(subject, purpose);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const ofEnrolment = JSON.stringify({ ...JSON.parse(options), challenge: JSON.parse(begun.options).challenge });
    expect(await give(passkey.assert(ofEnrolment))).toEqual(refused);
    const assertion = passkey.assert(options);
    expect(await give(assertion)).toMatchObject({ outcome: 'signed-in' });
    // The same bytes, and a new signature over the same challenge.
    expect(await give(assertion)).toEqual({ outcome: 'refused', reason: 'passkey-used' });
    expect(await give(passkey.assert(options))).toEqual({ outcome: 'refused', reason: 'passkey-used' });
    const late = passkeys.signInOptions(purpose);
    travel(301);
    expect(await give(passkey.assert(late))).toEqual(refused);
    // Nor does a clock that was set back make one immortal.
    const early = passkeys.signInOptions(purpose);
    travel(-120);
    expect(await give(passkey.assert(early))).toEqual(refused);
  });

  test('a counter that does not go forward is refused: there is a copy', async () => {
    const built = await build();
    for (const counter of [5, 6])
      expect(await alone(built, built.passkey, { counter })).toMatchObject({ outcome: 'signed-in' });
    for (const counter of [6, 5, 0]) expect(await alone(built, built.passkey, { counter })).toEqual(refused);
    expect(await alone(built, built.passkey, { counter: 7 })).toMatchObject({ outcome: 'signed-in' });
    const reasons = (await built.audited()).filter(({ event }) => event === 'sign_in.failed');
    expect(reasons.map(({ subject, detail }) => [subject, detail.reason])).toEqual(
      Array(3).fill([built.subject, 'passkey-counter']),
    );
  });

  test('a disabled person, a removed passkey and one whose account is gone get the same answer', async () => {
    const built = await build();
    const { accounts, passkeys, subject, passkey, make } = built;
    await accounts.disable(subject);
    expect(await alone(built, passkey)).toMatchObject({ outcome: 'refused' });
    await accounts.enable(subject);
    expect(await alone(built, passkey)).toMatchObject({ outcome: 'signed-in' });
    expect(await passkeys.remove(subject, passkey.id)).toBe('removed');
    expect(await alone(built, passkey)).toEqual(refused);
    const bob = await make({ username: 'bob' });
    const his = await enrolPasskey(passkeys, bob.subject, { origin });
    await accounts.remove(bob.subject);
    expect(await alone(built, his)).toEqual(refused);
  });

  test("failures count for the address, never for the account; a success clears nothing of the account's", async () => {
    const built = await build({ limits: { account: 3, address: 5 } });
    const { signIn, passkey } = built;
    const guess = () =>
      signIn.signIn({ ...about, address: '192.0.2.9', username: 'alice', password: 'wrong wrong wrong' });
    for (let n = 0; n < 3; n += 1) expect(await guess()).toMatchObject({ outcome: 'refused' });
    expect(await guess()).toMatchObject({ outcome: 'throttled' });
    // One who locks her out by guessing does not lock her passkey, and she does not free the guesser.
    expect(await alone(built, passkey)).toMatchObject({ outcome: 'signed-in' });
    expect(await guess()).toMatchObject({ outcome: 'throttled' });
    for (let n = 0; n < 5; n += 1) expect(await alone(built, passkey, { otherKey: true })).toEqual(refused);
    expect(await alone(built, passkey)).toMatchObject({ outcome: 'throttled', retryAfter: expect.any(Number) });
    expect(await alone(built, passkey, {}, { ...about, address: '192.0.2.2' })).toMatchObject({ outcome: 'signed-in' });
  });

  test('storage that is away is Unavailable, and the attempt does not count', async () => {
    let down = false;
    const built = await build({
      limits: { address: 2 },
      front: ({ passkeys }) => ({
        passkeys: {
          ...passkeys,
          find: (id) => (down ? Promise.reject(new Unavailable('database')) : passkeys.find(id)),
        },
      }),
    });
    down = true;
    for (let n = 0; n < 5; n += 1) await expect(alone(built, built.passkey)).rejects.toBeInstanceOf(Unavailable);
    down = false;
    expect(await alone(built, built.passkey)).toMatchObject({ outcome: 'signed-in' });
  });
});

describe('after a password', () => {
  test('an account with a passkey asks for it, and says how both proved it', async () => {
    const built = await build();
    const { signIn, subject, passkey } = built;
    expect(await signIn.signIn({ ...about, username: 'alice', password: goodPassword })).toMatchObject({
      outcome: 'second-factor',
      methods: ['passkey', 'recovery-code'],
    });
    expect(await secondStep(built, subject, passkey)).toMatchObject({
      outcome: 'signed-in',
      amr: ['pwd', 'hwk', 'user', 'mfa'],
    });
    // The password was one factor: here the key need not verify its person again, nor name the account.
    expect(await secondStep(built, subject, passkey, { userVerified: false, userHandle: undefined })).toMatchObject({
      outcome: 'signed-in',
    });
    const otp = passkey.recoveryCodes[0];
    expect(await signIn.signIn({ ...about, username: 'alice', password: goodPassword, otp })).toMatchObject({
      outcome: 'signed-in',
    });
  });

  test("another person's passkey is none, and neither is one that was asked for otherwise (B12)", async () => {
    const built = await build();
    const { passkeys, signIn, subject, make } = built;
    const mallory = await make({ username: 'mallory' });
    const hers = await enrolPasskey(passkeys, mallory.subject, { origin });
    const asked = { outcome: 'second-factor', wrong: 'passkey' };
    expect(await secondStep(built, subject, hers)).toMatchObject(asked);
    expect(await secondStep(built, subject, hers, { userHandle: built.passkey.handle })).toMatchObject(asked);
    expect(await secondStep(built, subject, hers, { credentialId: built.passkey.credentialId })).toMatchObject(asked);
    for (const lie of [{ origin: 'https://evil.example' }, { otherKey: true }, { userPresent: false }])
      expect(await secondStep(built, subject, built.passkey, lie)).toMatchObject(asked);
    // The challenge of the page before, and that of the other's second step.
    const proof = await proofOf(built);
    for (const options of [passkeys.signInOptions(purpose), await passkeys.stepOptions(mallory.subject, purpose)]) {
      const assertion = built.passkey.assert(options ?? '');
      expect(await signIn.secondStep({ ...about, proof, passkey: { purpose, assertion } })).toMatchObject(asked);
    }
    expect(await secondStep(built, subject, built.passkey)).toMatchObject({ outcome: 'signed-in' });
  });

  test('failures are failures like wrong codes', async () => {
    const built = await build({ limits: { account: 3 } });
    for (let n = 0; n < 3; n += 1)
      expect(await secondStep(built, built.subject, built.passkey, { otherKey: true })).toMatchObject({
        wrong: 'passkey',
      });
    await expect(secondStep(built, built.subject, built.passkey)).rejects.toThrow('throttled');
  });
});

function atOnce(fresh: () => Promise<TestDatabase>): void {
  let database: TestDatabase | undefined;
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
    await database?.drop();
  });
  const open = async () => {
    database = await fresh();
    return build({ limits: { account: 1000, address: 1000 }, database: database.settings });
  };

  test.each([false, true])('of 50 uses of one assertion exactly one signs in (B12, X4); synced: %s', async (synced) => {
    const built = await open();
    const passkey = await enrolPasskey(built.passkeys, built.subject, { origin, synced });
    const assertion = passkey.assert(built.passkeys.signInOptions(purpose));
    const all = await Promise.all(
      Array.from({ length: 50 }, () => built.signIn.withPasskey({ ...about, passkey: { purpose, assertion } })),
    );
    expect([count(all, 'signed-in'), count(all, 'refused')]).toEqual([1, 49]);
  });

  test('of 50 assertions with one counter exactly one signs in', async () => {
    const built = await open();
    const all = await Promise.all(Array.from({ length: 50 }, () => alone(built, built.passkey, { counter: 9 })));
    expect([count(all, 'signed-in'), count(all, 'refused')]).toEqual([1, 49]);
  });

  test('of 20 that finish one enrolment exactly one does', async () => {
    const built = await open();
    const begun = await built.passkeys.beginEnrolment(built.subject, 'x');
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const { credential } = makePasskey(begun.options, { origin });
    const all = await Promise.all(
      Array.from({ length: 20 }, () =>
        built.passkeys.finishEnrolment(built.subject, { purpose: 'x', credential, name: '' }),
      ),
    );
    expect([count(all, 'enrolled'), count(all, 'refused')]).toEqual([1, 19]);
    expect(await built.passkeys.list(built.subject)).toHaveLength(2);
  });
}

describe('at once, in SQLite', () => atOnce(freshSqlite));
describePostgres('at once, in Postgres', () => atOnce(() => freshPostgres()));

describe('enrolling', () => {
  test('makes the account one with a second factor, gives recovery codes once, and is on record', async () => {
    const built = await build();
    const { passkeys, passkey, subject, stores, audited } = built;
    expect(passkey.recoveryCodes).toHaveLength(10);
    expect(await stores.accounts.bySubject(subject)).toMatchObject({ twoFactor: true });
    expect((await enrolPasskey(passkeys, subject, { origin })).recoveryCodes).toEqual([]);
    const all = await passkeys.list(subject);
    const bare = { id: expect.any(String), createdAt: expect.any(Number), synced: false, lastUsedAt: null };
    expect(all.find(({ id }) => id === passkey.id)).toEqual({ ...bare, name: 'Laptop' });
    expect(all.find(({ id }) => id !== passkey.id)).toEqual({ ...bare, name: '' });
    expect((await audited()).map(({ event, detail }) => [event, detail.kind])).toEqual([
      ['account.created', undefined],
      ['factor.added', 'passkey'],
      ['recovery_codes.made', undefined],
      ['factor.added', 'passkey'],
    ]);
  });

  const lies: Record<string, Lies> = {
    'of another origin': { origin: 'https://evil.example' },
    'for another RP': { rpId: 'evil.example' },
    'that is a sign-in': { type: 'webauthn.get' },
    'without verification': { userVerified: false },
    'in a frame': { crossOrigin: true },
    'over a challenge of its own': { challenge: 'AAAA' },
  };
  test.each(Object.entries(lies))('a credential %s is refused', async (_, lie) => {
    const { passkeys, subject } = await build();
    const begun = await passkeys.beginEnrolment(subject, 'x');
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const { credential } = makePasskey(begun.options, { origin }, lie);
    expect(await passkeys.finishEnrolment(subject, { purpose: 'x', credential, name: '' })).toEqual({
      outcome: 'refused',
    });
    expect(await passkeys.list(subject)).toHaveLength(1);
  });

  test('belongs to its session and its person, and ends after five minutes', async () => {
    const { passkeys, subject, make } = await build();
    const bob = await make({ username: 'bob' });
    const begin = async () => {
      const begun = await passkeys.beginEnrolment(subject, 'session one');
      if (begun.outcome !== 'begun') throw new Error(begun.outcome);
      return makePasskey(begun.options, { origin }).credential;
    };
    const finish = (who: string, purpose: string, credential: string) =>
      passkeys.finishEnrolment(who, { purpose, credential, name: '' });
    expect(await finish(subject, 'session two', await begin())).toEqual({ outcome: 'refused' });
    expect(await finish(bob.subject, 'session one', await begin())).toEqual({ outcome: 'refused' });
    const late = await begin();
    travel(300);
    expect(await finish(subject, 'session one', late)).toEqual({ outcome: 'refused' });
    for (const nonsense of ['', '{}', 'null', '\ud800', '['.repeat(9999)])
      expect(await finish(subject, 'session one', nonsense)).toEqual({ outcome: 'refused' });
  });

  test("a credential is one account's, and an account has twenty at most", async () => {
    const { passkeys, subject, make, stores } = await build();
    const bob = await make({ username: 'bob' });
    const credentialId = Buffer.alloc(32, 1);
    await enrolPasskey(passkeys, subject, { origin, credentialId });
    for (const who of [subject, bob.subject])
      await expect(enrolPasskey(passkeys, who, { origin, credentialId })).rejects.toThrow('not enrolled: taken');
    expect(await stores.accounts.bySubject(bob.subject)).toMatchObject({ twoFactor: false });
    const early = await passkeys.beginEnrolment(subject, 'x');
    if (early.outcome !== 'begun') throw new Error(early.outcome);
    for (let n = 2; n < passkeysMax; n += 1) await enrolPasskey(passkeys, subject, { origin });
    expect(await passkeys.beginEnrolment(subject, 'x')).toEqual({ outcome: 'too-many' });
    const { credential } = makePasskey(early.options, { origin });
    expect(await passkeys.finishEnrolment(subject, { purpose: 'x', credential, name: '' })).toEqual({
      outcome: 'too-many',
    });
  });

  test('names are trimmed, and no longer than sixty letters', async () => {
    const { passkeys, passkey, subject } = await build();
    expect(await passkeys.rename(subject, passkey.id, `  ${'📱'.repeat(60)} `)).toBe('renamed');
    expect(await passkeys.rename(subject, passkey.id, 'x'.repeat(61))).toBe('bad-name');
    expect(await passkeys.list(subject)).toMatchObject([{ name: '📱'.repeat(60) }]);
    const begun = await passkeys.beginEnrolment(subject, 'x');
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const { credential } = makePasskey(begun.options, { origin });
    const given = { purpose: 'x', credential };
    expect(await passkeys.finishEnrolment(subject, { ...given, name: 'x'.repeat(61) })).toEqual({
      outcome: 'bad-name',
    });
    expect(await passkeys.finishEnrolment(subject, { ...given, name: 'a\0b\ud800' })).toMatchObject({
      passkey: { name: 'a\ufffdb\ufffd' },
    });
  });
});

describe('removing', () => {
  test("another's is not there, by whatever name (B12)", async () => {
    const { passkeys, passkey, subject, make, stores } = await build();
    const bob = await make({ username: 'bob' });
    for (const id of [passkey.id, passkey.credentialId, 'x', '', 'a\0b', "' or 1=1 --"]) {
      expect(await passkeys.remove(bob.subject, id)).toBe('not-found');
      expect(await passkeys.rename(bob.subject, id, 'mine')).toBe('not-found');
    }
    expect(await stores.passkeys.list(subject)).toMatchObject([{ name: 'Laptop' }]);
  });

  test('with the last one the second factor and its recovery codes go, unless there is another', async () => {
    const { passkeys, passkey, subject, factors, stores, audited } = await build();
    await enrol(factors, subject);
    expect(await passkeys.remove(subject, passkey.id)).toBe('removed');
    expect(await stores.accounts.bySubject(subject)).toMatchObject({ twoFactor: true });
    expect(await factors.methods(subject)).toEqual({ required: true, methods: ['totp', 'recovery-code'] });
    const again = await enrolPasskey(passkeys, subject, { origin });
    const [app] = (await factors.list(subject)).factors;
    expect(await factors.remove(subject, app?.id ?? '')).toBe(true);
    expect(await stores.accounts.bySubject(subject)).toMatchObject({ twoFactor: true });
    expect(await passkeys.remove(subject, again.id)).toBe('removed');
    expect(await stores.accounts.bySubject(subject)).toMatchObject({ twoFactor: false });
    expect(await stores.factors.list(subject)).toEqual([]);
    const removed = (await audited()).filter(({ event }) => event === 'factor.removed');
    expect(removed.map(({ detail }) => detail.kind)).toEqual(['passkey', 'totp', 'passkey']);
  });

  test('a person without a password keeps the last one, also of two that are removed at once', async () => {
    const { passkeys, make, factors, signIn, ...rest } = await build();
    const bob = await make({ username: 'bob', password: undefined });
    const one = await enrolPasskey(passkeys, bob.subject, { origin });
    // They would stand in for it after a password, which he has not.
    expect(one.recoveryCodes).toEqual([]);
    expect(await alone({ passkeys, signIn, make, factors, ...rest }, one)).toMatchObject({
      outcome: 'signed-in',
      account: { username: 'bob' },
    });
    expect(await passkeys.remove(bob.subject, one.id)).toBe('last');
    const two = await enrolPasskey(passkeys, bob.subject, { origin });
    const both = await Promise.all([one, two].map(({ id }) => passkeys.remove(bob.subject, id)));
    expect(both.sort()).toEqual(['last', 'removed']);
    expect(await passkeys.list(bob.subject)).toHaveLength(1);
    // An admin may, for a person who has lost it.
    expect(await factors.removeAll(bob.subject)).toBe(true);
    expect(await passkeys.list(bob.subject)).toEqual([]);
  });
});
