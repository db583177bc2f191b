import { describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import { codeMethods, loginMethods } from '../../src/login/methods.ts';
import { createPasswordHasher } from '../../src/login/password/password.ts';

const cheap = { memoryKiB: 256, timeCost: 1, queue: 100, parallel: 2 };

describe('hash and verify', () => {
  const hasher = createPasswordHasher(cheap);

  test('an Argon2id PHC string with its parameters, different each time', async () => {
    const [one, two] = await Promise.all([hasher.hash('wet gravel'), hasher.hash('wet gravel')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=256,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
    expect(await hasher.verify(one, 'wet gravel')).toBe(true);
    expect(await hasher.verify(one, 'wet Gravel')).toBe(false);
  });

  test('NFC and NFD forms of one password are the same (B9)', async () => {
    const phc = await hasher.hash('crème brûlée'.normalize('NFC'));
    expect(await hasher.verify(phc, 'crème brûlée'.normalize('NFD'))).toBe(true);
  });

  test('the whole password counts: no end at 72 bytes, none at U+0000 (B10)', async () => {
    const phc = await hasher.hash(`${'a'.repeat(72)}X`);
    expect(await hasher.verify(phc, `${'a'.repeat(72)}Y`)).toBe(false);
    expect(await hasher.verify(phc, `${'a'.repeat(72)}X`)).toBe(true);
    const abc = await hasher.hash('abc');
    expect(await hasher.verify(abc, 'abc\0def')).toBe(false);
    await expect(hasher.hash('abc\0def')).rejects.toThrow();
  });

  test('two lone surrogates are not the same password by both becoming U+FFFD', async () => {
    const phc = await hasher.hash('x\uFFFDy');
    expect(await hasher.verify(phc, 'x\ud800y')).toBe(false);
  });

  test('null is no account, whatever the password', async () => {
    expect(await hasher.verify(null, '')).toBe(false);
    expect(await hasher.verify(null, 'a\0')).toBe(false);
    expect(await hasher.verify(null, 'x'.repeat(1_000_000))).toBe(false);
  });

  test('an empty password is not the stand-in for one that cannot be', async () => {
    const phc = await hasher.hash('');
    expect(await hasher.verify(phc, '\ud800')).toBe(false);
  });

  test('moved parameters are seen', async () => {
    const phc = await hasher.hash('wet gravel');
    expect(hasher.needsRehash(phc)).toBe(false);
    expect(createPasswordHasher({ ...cheap, memoryKiB: 512 }).needsRehash(phc)).toBe(true);
    expect(createPasswordHasher({ ...cheap, timeCost: 2 }).needsRehash(phc)).toBe(true);
    expect(await createPasswordHasher({ ...cheap, memoryKiB: 512 }).verify(phc, 'wet gravel')).toBe(true);
  });

  test('that it is too short to stand alone is kept with the hash, and is no reason to make a new one', async () => {
    const phc = await hasher.hash('wet gravel', { standsAlone: false });
    expect(hasher.standsAlone(phc)).toBe(false);
    expect(hasher.standsAlone(await hasher.hash('wet gravel'))).toBe(true);
    expect([await hasher.verify(phc, 'wet gravel'), await hasher.verify(phc, 'wet Gravel')]).toEqual([true, false]);
    expect(hasher.needsRehash(phc)).toBe(false);
    expect(createPasswordHasher({ ...cheap, timeCost: 2 }).needsRehash(phc)).toBe(true);
  });
});

describe('the queue', () => {
  test('beyond those at work and those waiting: busy, at once; the others are all served', async () => {
    const hasher = createPasswordHasher({ ...cheap, parallel: 1, queue: 3 });
    const phc = await hasher.hash('wet gravel');
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.verify(phc, 'wet gravel')));
    const served = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(served.map((outcome) => outcome.value)).toEqual([true, true, true, true]);
    for (const outcome of outcomes) {
      if (outcome.status !== 'rejected') continue;
      expect(outcome.reason).toBeInstanceOf(Unavailable);
      expect(outcome.reason).toMatchObject({ what: 'busy', retryAfter: 1 });
    }
    expect(await hasher.verify(phc, 'wet gravel')).toBe(true);
  });

  test('a hash that cannot be read does not keep its place', async () => {
    const hasher = createPasswordHasher({ ...cheap, parallel: 1, queue: 0 });
    await expect(hasher.verify('$nonsense', 'wet gravel')).rejects.toThrow();
    expect(await hasher.verify(null, 'wet gravel')).toBe(false);
  });
});

describe('the list of login methods', () => {
  test('codes that follow a password, the best first', () => {
    expect(codeMethods.map(({ kind, amr, guessable }) => [kind, amr, guessable])).toEqual([
      ['totp', ['otp'], true],
      ['email-code', ['otp'], true],
      ['recovery-code', ['otp'], false],
    ]);
  });

  test.each(['123456', '1234 5678', '0123-4567-89ab-cdef'])('%s is read by one of them', (typed) => {
    expect(codeMethods.filter(({ read }) => read(typed) !== undefined)).toHaveLength(1);
  });

  test('the password is one of them', async () => {
    const password = loginMethods.password(cheap);
    expect(await password.verify(await password.hash('wet gravel'), 'wet gravel')).toBe(true);
  });
});
