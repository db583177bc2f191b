/** Named secrets, and those that were made elsewhere. */
import { describe, expect, test } from '@jest/globals';
import {
  clientSecretsMax,
  newSecret,
  rotated,
  secretBits,
  secretId,
  secretMistake,
  secretName,
  storedSecret,
  verifySecret,
  withSecret,
} from '../../../src/core/clients/client-secrets.ts';
import type { ClientSecret } from '../../../src/core/stores/clients.ts';

describe('P14: a secret that was made elsewhere', () => {
  test.each<[string, string]>([
    ['32 letters and digits, as Keycloak makes them', 'q7Hc2VnXz0LrT9wYbK4sJ8dFgM3pA1eU'],
    ['a UUID', '3f1c8a52-9b7d-4e60-8c24-d1a7f05b93e6'],
    ['40 hexadecimal digits', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['with spaces and signs', 'x8 !q)Zt#4 mK=~wP[2vB^c"9'],
  ])('%s is taken, and works', (_name, value) => {
    expect(secretMistake(value)).toBeUndefined();
    const secret = storedSecret(value, 100);
    expect(JSON.stringify(secret)).not.toContain(value);
    expect(verifySecret({ secrets: [secret] }, value, 200)).toBe(true);
    expect(verifySecret({ secrets: [secret] }, `${value}x`, 200)).toBe(false);
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'too easy'],
    ['a word', 'changeme', 'too easy'],
    ['16 letters and digits', 'q7Hc2VnXz0LrT9wY', 'too easy'],
    ['one character over and over', 'a'.repeat(64), 'too easy'],
    ['31 hexadecimal digits', 'da39a3ee5e6b4b0d3255bfef9560189', 'too easy'],
    ['a space at its end', 'q7Hc2VnXz0LrT9wYbK4sJ8dFgM3pA1eU ', 'space'],
    ['an umlaut', 'q7Hc2VnXz0LrT9wYbK4sJ8dFgM3pA1eä', 'ASCII'],
    ['a line break', 'q7Hc2VnXz0LrT9wYbK4sJ8dFgM3pA1eU\nx', 'ASCII'],
    ['513 characters', 'q7Hc2VnX'.repeat(64).concat('x'), '512'],
  ])('%s is refused, without repeating it', (_name, value, why) => {
    expect(secretMistake(value)).toContain(why);
    if (value.length > 8) expect(secretMistake(value)).not.toContain(value);
  });

  test('one that is made here has 256 bits', () => {
    expect(secretBits(newSecret(1).value)).toBeGreaterThanOrEqual(250);
  });
});

describe('several secrets', () => {
  const named = (name: string, expiresAt: number | null, createdAt = 1): ClientSecret => ({
    ...newSecret(createdAt, { name }).stored,
    expiresAt,
  });

  test('live ones up to the limit; of ended ones as many as there is room for', () => {
    const live = Array.from({ length: clientSecretsMax - 1 }, (_, n) => named(`n${n}`, null));
    const [older, old] = [named('older', 10), named('old', 20)];
    const all = withSecret([old, ...live.slice(1), older], named('new', null), 100);
    expect(all?.map(secretName)).toEqual(['new', 'old', ...live.slice(1).map(secretName)]);
    expect(withSecret([...live, named('last', null)], named('new', null), 100)).toBeUndefined();
    expect(withSecret([...live, named('last', 50)], named('new', null), 100)).toHaveLength(clientSecretsMax);
  });

  test('rotating one leaves those of other names alone', () => {
    const [plain, other] = [newSecret(1).stored, named('other', null)];
    const first = rotated([other, plain], '', 100, 60);
    expect(first?.secrets).toEqual([first?.made.stored, other, { ...plain, expiresAt: 160 }]);
    const second = rotated(first?.secrets ?? [], 'other', 100, 0);
    expect(second?.secrets.map(secretName)).toEqual(['other', '', '']);
  });

  test('one of the version before has an id that stays, and no name', () => {
    const stored = { hash: 'uDSqcW3IOMAVqfAtKa2uEpkNnHW2v-2yUOAjXHbYIc0', createdAt: 1, expiresAt: null };
    expect(secretId(stored)).toMatch(/^[0-9a-f]{12}$/);
    expect(secretId({ ...stored })).toBe(secretId(stored));
    expect(secretName(stored)).toBe('');
    // What is written for one without a name is what that version wrote.
    expect(Object.keys(newSecret(1).stored).sort()).toEqual(Object.keys(stored).sort());
  });
});
