/** A line of `accounts import`. Loaded on demand, because zod is slow to load. */
import { z } from 'zod';
import type { ImportForm } from '../../core/accounts/account-import.ts';
import { addressMembers } from '../../core/accounts/attributes.ts';

/** Databases export null for a missing value. */
const text = z.string().max(4096).nullish();
const flag = z.boolean().nullish();

/** Strict, because a misspelt member would be lost silently. */
const accountLine = z.strictObject({
  username: z.string().max(4096),
  first_name: text,
  last_name: text,
  email: text,
  verified: flag,
  password_hash: text,
  disabled: flag,
  admin: flag,
  // The names of the claims in OpenID Connect Core, section 5.1.
  picture: text,
  locale: text,
  zoneinfo: text,
  phone_number: text,
  phone_number_verified: flag,
  address: z.partialRecord(z.enum(addressMembers), text).nullish(),
});

export function readAccountLine(value: unknown): { readonly form: ImportForm } | { readonly problem: string } {
  const parsed = accountLine.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.');
    return {
      problem: `${where ? `${where}: ` : ''}${issue?.message ?? 'It is not an account.'}.`.replace(/\.\.$/, '.'),
    };
  }
  const line = parsed.data;
  return {
    form: {
      username: line.username,
      firstName: line.first_name ?? '',
      lastName: line.last_name ?? '',
      email: line.email || undefined,
      verified: line.verified ?? false,
      admin: line.admin ?? false,
      disabled: line.disabled ?? false,
      passwordHash: line.password_hash || undefined,
      attributes: {
        picture: line.picture,
        locale: line.locale,
        zoneinfo: line.zoneinfo,
        phone: line.phone_number,
        ...line.address,
      },
      phoneVerified: line.phone_number_verified ?? false,
    },
  };
}
