/**
 * Hashes that other systems made: published ones, and some made with Python's hashlib, bcrypt, argon2-cffi and passlib.
 */
import { describe, expect, test } from '@jest/globals';
import { Unavailable } from '../../src/base/errors.ts';
import { createPasswordHasher } from '../../src/login/password/password.ts';

const cheap = { memoryKiB: 256, timeCost: 1, queue: 100, parallel: 2 };
const hasher = createPasswordHasher(cheap);

function stored(hash: string): string {
  const looked = hasher.foreign(hash);
  if (looked.outcome !== 'usable') throw new Error(`${hash}: ${looked.sentence}`);
  return looked.stored;
}

const phrase = 'wet gravel under boots';

describe('is verified as its own system did it', () => {
  const vectors: [what: string, hash: string, password: string][] = [
    // RFC 7914, section 12; RFC 6070, section 2; the tests of crypt_blowfish and of the Argon2 reference
    // implementation.
    [
      'scrypt of RFC 7914',
      '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw',
      'pleaseletmein',
    ],
    ['PBKDF2 of RFC 6070', '$pbkdf2-sha1$i=4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE', 'password'],
    ['bcrypt 2a', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
    ['Argon2id', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', 'password'],
    ['Argon2i', '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA', 'password'],
    ['bcrypt 2b', '$2b$04$JonzrvGBwEUIfp1QaceKtueAA5HeaZndqocnKytCm3dShUGb8bdXm', phrase],
    ['bcrypt 2y, as PHP writes it', '$2y$04$JonzrvGBwEUIfp1QaceKtueAA5HeaZndqocnKytCm3dShUGb8bdXm', phrase],
    ['bcrypt of Django', 'bcrypt$$2b$04$JonzrvGBwEUIfp1QaceKtueAA5HeaZndqocnKytCm3dShUGb8bdXm', phrase],
    [
      'Argon2i with four lanes',
      '$argon2i$v=19$m=128,t=3,p=4$c29tZXNhbHQxMjM0NTY3OA$Lapovrk2v/KY/uiCTLdjMeTBb/7MHvJr',
      phrase,
    ],
    [
      'Argon2d',
      '$argon2d$v=19$m=64,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$KiP0kEsRYzUSwOKV7yPZv/A4OZt1rSJH45CkzO5PV0s',
      phrase,
    ],
    [
      'Argon2id 1.0',
      '$argon2id$v=16$m=64,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$cV3e4Bo9UJpfodq6sxroEhTZrvVLg2BvjrSCUbF7HGo',
      phrase,
    ],
    [
      'Argon2id of Django',
      'argon2$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$OBme1MP4tSBlqeCsHGHcvDr+8rE4tsto0B9dPmQ4Kac',
      phrase,
    ],
    [
      'PBKDF2-SHA256 of passlib',
      '$pbkdf2-sha256$1000$WGvtfQ8BYMw5p9Qag3BOyQ$lDRgTuFK.pLUUgi29Zh1g6tk81ZFJ/PrmNNFZQ9mwIU',
      phrase,
    ],
    [
      'PBKDF2-SHA512 of passlib',
      '$pbkdf2-sha512$1000$o9S6VyplzBnDuBfinDNmDA$rRraJnBUA86TEhXj2pXdCcfR40jSa1JjlIN2HkQ6GgewFD/8FjH/sc4/q5YqiUDrZFDqEMCVyOewWlat.8Ohfg',
      phrase,
    ],
    ['PBKDF2-SHA1 of passlib', '$pbkdf2$1000$/h.jVMp5793bG4PQ.v.f0w$equdiN8Dz3pRfjGthuRmEDCzTZc', phrase],
    [
      'PBKDF2-SHA256 of two blocks, as Keycloak makes it',
      '$pbkdf2-sha256$i=27500,l=64$MDEyMzQ1Njc4OWFiY2RlZg$srkdyrYRDLcIY8jFy9GbB9DWC4eOy1mXS6pjKe2bTYqAFvo+MeAcvLcG+K8QxmzyAKrdcqVLv4Tx3nRf+JmdEQ',
      phrase,
    ],
    ['PBKDF2-SHA256 of Django', 'pbkdf2_sha256$1000$8eQwRW3g7qzk$eZQ9Tb1UsxLIJ4JxsV0WlxQVRYhNPHjnV8p4ps3ku7A=', phrase],
    ['PBKDF2-SHA1 of Django', 'pbkdf2_sha1$1000$GXNehBKMxtb8$vwh9CsGkjDT849NDKpovHvVoSzM=', phrase],
    [
      'PBKDF2-SHA512 in the form of Django',
      'pbkdf2_sha512$1000$saltysalt$QA6jWZSkZuTA/RnyYg/hPxnJCZJX9RoYmW6ive2jPFilde0ror8kPC2qMz6/LGIkewg1IcAmuWHP5yxWmJiMtg==',
      phrase,
    ],
    [
      'scrypt of passlib',
      '$scrypt$ln=8,r=8,p=1$dM75fy8l5FwrBaCUMqY0Rg$8jNY9w/CkkOJxZJBS55m8BEcaMdWwHLnsaSEY+mEtcs',
      phrase,
    ],
  ];
  test.each(vectors)('%s', async (_what, hash, password) => {
    const kept = stored(hash);
    expect(await hasher.verify(kept, password)).toBe(true);
    expect(await hasher.verify(kept, `${password} `)).toBe(false);
    expect(await hasher.verify(kept, '')).toBe(false);
    expect(hasher.needsRehash(kept)).toBe(true);
  });

  const typed = 'Ünïcödé ½ ﬁsh';
  test.each([
    ['bcrypt', '$2b$04$bF.SjpjGUli6iv16cmZFPuuVSLD4cDLeSdTSnUkIwgo.GPjzdPv7G'],
    ['PBKDF2', '$pbkdf2-sha256$1000$g7D2/j/HeK/1fg9BiLGWcg$hx2pCyl2w0hKD2/aOwVWQDvaJ4CqDDfTvNYbwulvIaQ'],
    ['scrypt', '$scrypt$ln=8,r=8,p=1$NCYEIIRQCgEAwDjHuBdCiA$2F+ib8vF2Nusd4OPkarF4ihzvzcjrVD8C3qWMpQkSdI'],
    ['Argon2', '$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$VKkzzVD3Pss/ziNxxHkRx2S+JJMMXBMzonYENbSu9jE'],
  ])('%s of a password that its system did not normalise', async (_what, hash) => {
    expect(typed.normalize('NFKC')).not.toBe(typed);
    expect(await hasher.verify(stored(hash), typed)).toBe(true);
    // What was hashed cannot be told from another spelling of it.
    expect(await hasher.verify(stored(hash), typed.normalize('NFKC'))).toBe(false);
  });

  test('a password whose usual form was hashed, typed in another one', async () => {
    const kept = stored('$pbkdf2-sha256$i=1000$c2FsdHlzYWx0$sAlyVfLWk9K43xwuRFMZFAUMKGtBF9T82NC4FRtlff8');
    expect(await hasher.verify(kept, 'crème brûlée à la carte')).toBe(true);
    expect(await hasher.verify(kept, 'crème brûlée à la carte'.normalize('NFD'))).toBe(true);
  });

  test('bcrypt ends at 72 bytes, as it did there; ours never does (B10)', async () => {
    const kept = stored('$2b$04$.NhrzKvoIYBDuXvAf6FVLOMqVV49p1Iz9yMkkvdj5cB5BNNfGCXgq');
    expect(await hasher.verify(kept, 'x'.repeat(72))).toBe(true);
    expect(await hasher.verify(kept, 'x'.repeat(80))).toBe(true);
    expect(await hasher.verify(kept, 'x'.repeat(71))).toBe(false);
    const ours = await hasher.hash('x'.repeat(72));
    expect(await hasher.verify(ours, 'x'.repeat(80))).toBe(false);
  });

  test('what can be no password there is none here either', async () => {
    const empty = stored('$2b$04$H4m5s0zdDPtjeFlfMHlghObm1AnVTv9IyckLD4eypsS9et1sJZkkS');
    expect(await hasher.verify(empty, '')).toBe(true);
    for (const password of ['\0', '\ud800', 'x'.repeat(5000)]) expect(await hasher.verify(empty, password)).toBe(false);
  });

  test('an Argon2id hash of our own parameters is still replaced', () => {
    const alike = '$argon2id$v=19$m=256,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$OBme1MP4tSBlqeCsHGHcvDr+8rE4tsto0B9dPmQ4Kac';
    expect(hasher.needsRehash(alike)).toBe(false);
    expect(hasher.needsRehash(stored(alike))).toBe(true);
  });
});

describe('is refused before it is stored', () => {
  const salt = 'MDEyMzQ1Njc4OWFiY2RlZg';
  const digest = 'lDRgTuFK+pLUUgi29Zh1g6tk81ZFJ/PrmNNFZQ9mwIU';
  const bcrypt = 'JonzrvGBwEUIfp1QaceKtueAA5HeaZndqocnKytCm3dShUGb8bdXm';

  test.each([
    ['', 'none of the hashes'],
    ['secret', 'none of the hashes'],
    ['5f4dcc3b5aa765d61d8327deb882cf99', 'none of the hashes'],
    ['$1$abc$0123456789abcdefghijkl', 'none of the hashes'],
    ['$6$salt$hash', 'none of the hashes'],
    [`$2x$04$${bcrypt}`, 'none of the hashes'],
    [`imported:$2b$04$${bcrypt}`, 'none of the hashes'],
    [`bcrypt_sha256$$2b$04$${bcrypt}`, 'none of the hashes'],
    [`$2b$04$${bcrypt}${'x'.repeat(2000)}`, 'none of the hashes'],
    [`$2b$04$${bcrypt}x`, 'is none'],
    [`$2b$03$${bcrypt}`, 'is none'],
    // A digest of no bytes, or of few, would let every password in, or many.
    [`$pbkdf2-sha256$1000$${salt}$`, 'is none'],
    [`$pbkdf2-sha256$1000$${salt}$AAAA`, 'is none'],
    [`pbkdf2_sha256$1000$salt$AAAA`, 'is none'],
    [`$scrypt$ln=8,r=8,p=1$${salt}$AAAA`, 'is none'],
    [`$argon2id$v=19$m=64,t=1,p=1$${salt}$AAAAAAAA`, 'is none'],
    [`$pbkdf2-sha256$i=1000,l=64$${salt}$${digest}`, 'is none'],
    [`$pbkdf2-sha256$0$${salt}$${digest}`, 'is none'],
    [`$scrypt$ln=0,r=8,p=1$${salt}$${digest}`, 'is none'],
    [`$scrypt$ln=8,r=0,p=1$${salt}$${digest}`, 'is none'],
    [`$argon2id$v=19$m=4,t=1,p=4$${salt}$${digest}`, 'is none'],
    [`$argon2id$v=19$m=64,t=0,p=1$${salt}$${digest}`, 'is none'],
    [`$argon2id$v=19$m=64,t=1,p=1$c2FsdA$${digest}`, 'is none'],
    [`$2b$16$${bcrypt}`, 'too much'],
    [`$pbkdf2-sha256$5000001$${salt}$${digest}`, 'too much'],
    // Two blocks, so twice the iterations.
    [`$pbkdf2-sha1$2600000$${salt}$${digest}`, 'too much'],
    [`pbkdf2_sha256$9999999999$salt$${digest}=`, 'too much'],
    [`$scrypt$ln=18,r=16,p=1$${salt}$${digest}`, 'too much'],
    [`$scrypt$ln=14,r=8,p=64$${salt}$${digest}`, 'too much'],
    [`$scrypt$ln=99,r=8,p=1$${salt}$${digest}`, 'too much'],
    [`$argon2id$v=19$m=1048577,t=1,p=1$${salt}$${digest}`, 'too much'],
    [`$argon2id$v=19$m=65536,t=65,p=1$${salt}$${digest}`, 'too much'],
  ])('%s', (hash, sentence) => {
    expect(hasher.foreign(hash)).toEqual({ outcome: 'unusable', sentence: expect.stringContaining(sentence) });
  });

  test.each([
    ['scrypt as OWASP advises', `$scrypt$ln=17,r=8,p=1$${salt}$${digest}`],
    ['scrypt of 256 MiB', `$scrypt$ln=18,r=8,p=1$${salt}$${digest}`],
    ['PBKDF2 of a million', `pbkdf2_sha256$1000000$salt$${digest}=`],
    ['bcrypt of 15', `$2b$15$${bcrypt}`],
    ['Argon2id of a gigabyte', `$argon2id$v=19$m=1048576,t=4,p=4$${salt}$${digest}`],
  ])('but not %s', (_what, hash) => {
    expect(hasher.foreign(hash)).toMatchObject({ outcome: 'usable' });
  });

  test.each([
    ['$scrypt$ln=18,r=8,p=1$', 'scrypt'],
    ['$scrypt$ln=17,r=8,p=4$', 'scrypt'],
  ])('what passes at the border can be computed: %s', async (head) => {
    expect(await hasher.verify(stored(`${head}${salt}$${digest}`), phrase)).toBe(false);
  });
});

describe('in the queue', () => {
  const slow = '$2b$10$JonzrvGBwEUIfp1QaceKtueAA5HeaZndqocnKytCm3dShUGb8bdXm';

  test('foreign hashes and ours wait in one line', async () => {
    const narrow = createPasswordHasher({ ...cheap, parallel: 1, queue: 2 });
    const outcomes = await Promise.allSettled([
      narrow.verify(stored(slow), phrase),
      narrow.verify(null, phrase),
      narrow.verify(stored(slow), phrase),
      narrow.verify(stored(slow), phrase),
      narrow.verify(null, phrase),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Unavailable);
    }
  });

  test.each([
    ['bcrypt', slow],
    ['PBKDF2', 'pbkdf2_sha256$300000$salt$lDRgTuFK+pLUUgi29Zh1g6tk81ZFJ/PrmNNFZQ9mwIU='],
    ['scrypt', '$scrypt$ln=15,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$lDRgTuFK+pLUUgi29Zh1g6tk81ZFJ/PrmNNFZQ9mwIU'],
  ])('the event loop turns while %s is computed', async (_what, hash) => {
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await hasher.verify(stored(hash), 'some other password');
    done = true;
    // On the event loop itself it would have turned a few times at most.
    expect(turns).toBeGreaterThan(20);
  });
});
