/** The options for the profile of an account. */
import type { AttributeField, AttributeForm } from '../../core/accounts/attributes.ts';
import type { Call, Opt } from '../command.ts';

const fieldOf: Readonly<Record<string, AttributeField>> = {
  picture: 'picture',
  locale: 'locale',
  zoneinfo: 'zoneinfo',
  phone: 'phone',
  'formatted-address': 'formatted',
  'street-address': 'street_address',
  locality: 'locality',
  region: 'region',
  'postal-code': 'postal_code',
  country: 'country',
};

export const attributeOptions: readonly Opt[] = [
  { flags: '--picture <url>', sentence: 'The https address of a picture. This server never fetches it.' },
  { flags: '--locale <tag>', sentence: 'The language (BCP 47), such as de or pt-BR.' },
  { flags: '--zoneinfo <name>', sentence: 'The time zone in the IANA database, such as Europe/Berlin.' },
  { flags: '--phone <number>', sentence: 'The phone number with its country code (E.164).' },
  { flags: '--phone-verified', sentence: 'The number is confirmed.' },
  { flags: '--street-address <text>', sentence: 'The postal address: street and number.' },
  { flags: '--locality <text>', sentence: 'The city.' },
  { flags: '--region <text>', sentence: 'The state, province or region.' },
  { flags: '--postal-code <text>', sentence: 'The postal code.' },
  { flags: '--country <text>', sentence: 'The country.' },
  { flags: '--formatted-address <text>', sentence: 'The full address, as written on an envelope.' },
];

/** The values that were given. */
export function attributesOf(call: Call): AttributeForm {
  return Object.fromEntries(
    Object.entries(fieldOf).flatMap(([option, field]) => {
      const value = call.text(option);
      return value === undefined ? [] : [[field, value]];
    }),
  );
}
