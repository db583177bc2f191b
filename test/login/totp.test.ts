import { describe, expect, test } from '@jest/globals';
import { fromBase32, toBase32 } from '../../src/login/totp/base32.ts';
import { hotp, timeCodes } from '../../src/login/totp/time-codes.ts';

const rfcKey = Buffer.from('12345678901234567890');
const secret = toBase32(rfcKey);

describe('one-time codes by time', () => {
  test.each([
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ])('RFC 6238, appendix B: at %d the code is %s', (time, code) => {
    expect(hotp(rfcKey, Math.floor(time / 30), 8)).toBe(code);
    expect(timeCodes.stepOf(secret, code.slice(2), time)).toBe(Math.floor(time / 30));
  });

  test('RFC 4226, appendix D: the codes of the first ten counters', () => {
    expect(Array.from({ length: 10 }, (_, counter) => hotp(rfcKey, counter))).toEqual([
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ]);
  });

  test.each([
    [-2, undefined],
    [-1, 99],
    [0, 100],
    [1, 101],
    [2, undefined],
  ])('the code of %d steps away is that of step %s (B11)', (away, step) => {
    const code = hotp(rfcKey, 100 + away);
    for (const second of [0, 29]) expect(timeCodes.stepOf(secret, code, 3000 + second)).toBe(step);
  });

  test.each(['123456', ' 123 456 ', '123-456', '１２３４５６', '١٢٣٤٥٦', '۱۲۳۴۵۶', '12\u00a03456'])(
    '%j is read as digits',
    (typed) => {
      expect(timeCodes.read(typed)).toBe('123456');
    },
  );

  test.each(['', '12345', '1234567', '12345a', '123456\0', '१२३४५६', '\ud800123456', '+123456', '1'.repeat(1_000_000)])(
    '%.20j is no code',
    (typed) => {
      expect(timeCodes.read(typed)).toBeUndefined();
    },
  );

  test('a secret has 160 random bits', () => {
    const all = Array.from({ length: 50 }, () => timeCodes.makeSecret());
    expect(new Set(all).size).toBe(50);
    for (const one of all) {
      expect(one).toMatch(/^[A-Z2-7]{32}$/);
      expect(fromBase32(one)).toHaveLength(20);
    }
  });

  test('the address says all that an app has to know, whatever the names hold', () => {
    const uri = timeCodes.uri('ABC', 'My Service & Co', 'ada:lovelace+x@example.org\ud800');
    expect(uri).not.toContain('+');
    const url = new URL(uri);
    expect(url.protocol + url.host).toBe('otpauth:totp');
    expect(decodeURIComponent(url.pathname)).toBe('/My Service & Co:ada:lovelace+x@example.org\ufffd');
    expect(url.pathname.split(':')).toHaveLength(2);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      secret: 'ABC',
      issuer: 'My Service & Co',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});

describe('base32', () => {
  test.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('RFC 4648, section 10: %j is %j', (text, encoded) => {
    expect(toBase32(Buffer.from(text))).toBe(encoded);
    expect(fromBase32(encoded).toString()).toBe(text);
  });
});
