/** What an account tells beyond its names, as options of a command. */
import type { AttributeField, AttributeForm } from '../../core/accounts/attributes.ts';
import type { Call, Opt } from '../command.ts';

const fieldOf: Readonly<Record<string, AttributeField>> = {
  ...{ picture: 'picture', locale: 'locale', zoneinfo: 'zoneinfo', phone: 'phone' },
  ...{ 'formatted-address': 'formatted', 'street-address': 'street_address', locality: 'locality', region: 'region' },
  ...{ 'postal-code': 'postal_code', country: 'country' },
};

export const attributeOptions: readonly Opt[] = [
  { flags: '--picture <url>', sentence: 'The https address of a picture. This server never fetches it.' },
  { flags: '--locale <tag>', sentence: 'Their language (BCP 47), such as de or pt-BR.' },
  { flags: '--zoneinfo <name>', sentence: 'Their time zone in the IANA database, such as Europe/Berlin.' },
  { flags: '--phone <number>', sentence: 'Their telephone number with its country code (E.164).' },
  { flags: '--phone-verified', sentence: 'The number is known to be theirs.' },
  { flags: '--street-address <text>', sentence: 'Of their postal address: street and number.' },
  { flags: '--locality <text>', sentence: 'The town.' },
  { flags: '--region <text>', sentence: 'The state, province or region.' },
  { flags: '--postal-code <text>', sentence: 'The postal code.' },
  { flags: '--country <text>', sentence: 'The country.' },
  { flags: '--formatted-address <text>', sentence: 'The whole address, as it stands on an envelope.' },
];

/** Those that were given. */
export function attributesOf(call: Call): AttributeForm {
  return Object.fromEntries(
    Object.entries(fieldOf).flatMap(([option, field]) => {
      const value = call.text(option);
      return value === undefined ? [] : [[field, value]];
    }),
  );
}
