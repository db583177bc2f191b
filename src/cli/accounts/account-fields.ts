/** The names of account members in messages. */
import type { FormField } from '../../core/accounts/account-form.ts';
import type { AttributeField } from '../../core/accounts/attributes.ts';
import { type Outcome, refused } from '../command.ts';

export const fieldNames: Readonly<Record<FormField | AttributeField, string>> = {
  username: 'The username',
  email: 'The e-mail address',
  firstName: 'The first name',
  lastName: 'The last name',
  locale: 'The language',
  picture: 'The picture',
  zoneinfo: 'The time zone',
  phone: 'The phone number',
  formatted: 'The full address',
  street_address: 'The street address',
  locality: 'The locality',
  region: 'The region',
  postal_code: 'The postal code',
  country: 'The country',
};

export function invalidField({
  field,
  reason,
  sentence,
}: {
  readonly field: FormField | AttributeField;
  readonly reason: string;
  readonly sentence: string;
}): Outcome {
  return refused('invalid_account', `${fieldNames[field]} was refused. ${sentence}`, { field, reason });
}

export const takenField = (field: 'username' | 'email'): Outcome =>
  refused('conflict', `${fieldNames[field]} is taken.`, { field });
