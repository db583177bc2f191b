/** The form of a client token, and whose it claims to be. */
import { describe, expect, test } from '@jest/globals';
import { digest } from '../../../src/base/secrets.ts';
import { clientTokensMax, newClientToken, readClientToken } from '../../../src/core/clients/client-tokens.ts';

const made = (clientId = 'bookshelf', lifetime: number | null = null) =>
  newClientToken(clientId, { label: 'night report', now: 1_000, lifetime });

describe('a new one', () => {
  test('can be told by its prefix, and holds nothing that a header, a URL or a shell would change', () => {
    for (let many = 0; many < 200; many += 1) {
      expect(made().value).toMatch(/^gatehouse_ct_[A-Za-z0-9_-]+_[A-Za-z0-9_-]{43}$/);
    }
  });

  test('is stored as a hash, and its id is safe on a command line', () => {
    const { value, stored } = made();
    expect(stored).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      hash: digest(value),
      label: 'night report',
      createdAt: 1_000,
      expiresAt: null,
    });
    expect(JSON.stringify(stored)).not.toContain(value.slice(-43));
    expect(made('bookshelf', 60).stored.expiresAt).toBe(1_060);
  });

  test('is another one each time', () => {
    const all = Array.from({ length: 1_000 }, () => made());
    expect(new Set(all.map(({ value }) => value)).size).toBe(1_000);
    expect(new Set(all.map(({ stored }) => stored.id)).size).toBe(1_000);
  });

  test('twenty of the longest ids still make a small record', () => {
    const all = Array.from({ length: clientTokensMax }, () => made('x'.repeat(128)).stored);
    expect(JSON.stringify(all).length).toBeLessThan(8_192);
  });
});

describe('reading one', () => {
  test.each(['bookshelf', 'a', 'A_b-c.d~e', 'x'.repeat(128), '_______', '0'])('finds the client %s', (id) => {
    const { value, stored } = made(id);
    expect(readClientToken(value)).toEqual({ clientId: id, hash: stored.hash });
  });

  test('another value of the same client has another hash', () => {
    const { value, stored } = made();
    for (const changed of [`${value}x`, value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))]) {
      expect(readClientToken(changed)?.hash).not.toBe(stored.hash);
    }
  });

  test.each([
    ...['', 'x', 'gatehouse_ct', 'gatehouse_ct_', 'gatehouse_ct__', `gatehouse_ct_${'x'.repeat(43)}`],
    ...[`gatehouse_ct__${'x'.repeat(43)}`, `GATEHOUSE_CT_eA_${'x'.repeat(43)}`, ` gatehouse_ct_eA_${'x'.repeat(43)}`],
    ...[`gatehouse_ct_eA_${'x'.repeat(42)}`, `gatehouse_ct_${'A'.repeat(10_000)}_${'x'.repeat(43)}`],
  ])('%s is none', (value) => {
    expect(readClientToken(value)).toBeUndefined();
  });
});
