/** What becomes of a provider's words about a person. */
import { describe, expect, test } from '@jest/globals';
import { personOf } from '../../../src/login/upstream/person.ts';
import { oidcClaims } from '../../../src/login/upstream/settings.ts';

describe('a person as a provider describes them', () => {
  test('that an address is proved is said of the address beside it, and of no other', () => {
    const beside = { email: 'ada@example.org', email_verified: true };
    const claimed = { email: 'eve@example.org', email_verified: false };
    expect(personOf('1', [beside, claimed], oidcClaims)).toMatchObject({
      email: 'ada@example.org',
      emailVerified: true,
    });
    for (const email of ['', ' ', `${'x'.repeat(1000)}@example.org`, null]) {
      const person = personOf('1', [{ email, email_verified: true }, claimed], oidcClaims);
      expect(person).toMatchObject({ email: 'eve@example.org', emailVerified: false });
    }
  });
});
