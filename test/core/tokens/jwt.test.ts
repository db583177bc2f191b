/** What is remembered of a token that was good: never more than that it was, as long as its key and its times hold. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { nowSeconds } from '../../../src/base/clock.ts';
import { createKeys, type Keys } from '../../../src/core/keys/keys.ts';
import { type ExpectedJwt, signJwt, verifyJwt } from '../../../src/core/tokens/jwt.ts';
import { openSql, type SqlStores } from '../../../src/storage/sql/open.ts';
import { setClock } from '../../support/clock.ts';

const settings = {
  secretKey: 'a-secret-key-for-tests-0123456789abcdef',
  jwksMaxAge: 10,
  rotationDays: 0,
  longestToken: 100,
};
const expected: ExpectedJwt = {
  issuer: 'https://id.example.com',
  audience: 'https://id.example.com/v1',
  typ: 'identity+jwt',
  requiredClaims: ['sub', 'exp'],
};

let stores: SqlStores;
let keys: Keys;
beforeEach(async () => {
  setClock(Date.UTC(2026, 0, 1), { runs: false });
  stores = await openSql({ kind: 'sqlite', file: ':memory:' });
  keys = createKeys(stores.keys, settings);
  await keys.load();
});
afterEach(async () => {
  jest.useRealTimers();
  await stores.close();
});

const later = (seconds: number) => jest.setSystemTime(Date.now() + seconds * 1000);

function token(more: object = {}): string {
  const iat = nowSeconds();
  return signJwt(keys, expected.typ, {
    iss: expected.issuer,
    aud: expected.audience,
    sub: 'ada',
    iat,
    exp: iat + 600,
    ...more,
  });
}

/** Looks at it often enough for it to be remembered. */
async function remembered(value = token()): Promise<string> {
  for (let n = 0; n < 3; n += 1) expect((await verifyJwt(keys, value, expected)).outcome).toBe('valid');
  return value;
}

const reason = async (value: string, wanted = expected) => {
  const verified = await verifyJwt(keys, value, wanted);
  return verified.outcome === 'valid' ? 'valid' : verified.reason;
};

test('a remembered token gives the same claims', async () => {
  const value = await remembered();
  const [one, other] = [await verifyJwt(keys, value, expected), await verifyJwt(keys, value, expected)];
  expect(one).toEqual(other);
  expect(one).toMatchObject({ outcome: 'valid', claims: { sub: 'ada', aud: expected.audience } });
});

test('a token that was looked at for no audience is remembered for that alone', async () => {
  const value = token();
  for (let n = 0; n < 3; n += 1) expect(await reason(value, { ...expected, audience: undefined })).toBe('valid');
  for (const audience of ['', 'null', 'https://id.example.com']) {
    expect(await reason(value, { ...expected, audience })).toBe('audience');
  }
});

test('a remembered token expires', async () => {
  const value = await remembered();
  later(615);
  expect(await reason(value)).toBe('expired');
});

test('a remembered token is refused once its key is no longer in the ring', async () => {
  await keys.upkeep();
  await keys.load();
  const value = await remembered(token({ exp: nowSeconds() + 10_000 }));
  later(settings.jwksMaxAge);
  expect((await keys.rotate()).outcome).toBe('rotated');
  await remembered(value);
  later(settings.longestToken + settings.jwksMaxAge + 1);
  await keys.upkeep();
  await keys.load();
  expect(await reason(value)).toBe('signature');
});

test('what was remembered as one kind, or for one audience or issuer, is still refused as another', async () => {
  const value = await remembered();
  expect(await reason(value, { ...expected, typ: 'tinyoauth+jwt' })).toBe('malformed');
  expect(await reason(value, { ...expected, audience: 'https://id.example.com/protected' })).toBe('audience');
  expect(await reason(value, { ...expected, issuer: 'https://other.example.com' })).toBe('malformed');
  expect(await reason(value, { ...expected, requiredClaims: ['sub', 'sid'] })).toBe('malformed');
});

test('another signature under the remembered words is a forgery', async () => {
  const value = await remembered();
  const [header, payload] = value.split('.');
  const foreign = Buffer.alloc(64, 7).toString('base64url');
  expect(await reason(`${header}.${payload}.${foreign}`)).toBe('signature');
});

test('a token of the near future is taken as before, and remembered only when its time has come', async () => {
  const value = token({ iat: nowSeconds() + 10 });
  expect(await reason(value)).toBe('valid');
  later(-30);
  expect(await reason(value)).toBe('malformed');
});

test('a caller that is given the claims cannot change them for others', async () => {
  const value = await remembered();
  const verified = await verifyJwt(keys, value, expected);
  expect(() => Object.assign((verified as { claims: object }).claims, { sub: 'eve' })).toThrow(TypeError);
  expect(await verifyJwt(keys, value, expected)).toMatchObject({ claims: { sub: 'ada' } });
});
