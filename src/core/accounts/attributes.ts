/**
 * What an account tells beyond its names (OpenID Connect Core, section 5.1): language, picture, time zone, phone number
 * and postal address. The rules hold at every entry point. Nothing is fetched or dialled: that a value is well formed is
 * all that is known of it.
 */
import { codePoints, isPlainText } from '../kernel/names.ts';
import type { Address, AddressMember, Attributes } from '../stores/accounts.ts';

/** OpenID Connect Core, section 5.1.1. */
export const addressMembers = [
  'formatted',
  'street_address',
  'locality',
  'region',
  'postal_code',
  'country',
] as const satisfies readonly AddressMember[];

export type AttributeField = 'locale' | 'picture' | 'zoneinfo' | 'phone' | AddressMember;

/** As it was typed. A member that is left out stays; an empty or null one is removed. */
export type AttributeForm = Readonly<Partial<Record<AttributeField, string | null | undefined>>>;

const attributeProblems = {
  malformed: 'It holds characters that are not valid text.',
  'too-long': 'It is too long.',
  'not-a-picture': 'It is not an absolute https URL without a user name or password.',
  'not-a-locale': 'It is not a language tag, such as de, pt-BR or zh-Hant (BCP 47).',
  'not-a-zone': 'It is not a time zone of the IANA database, such as Europe/Berlin.',
  'not-a-phone': 'It is not an international number: + and 7 to 15 digits, the country code first (E.164).',
} as const;
export type AttributeProblem = keyof typeof attributeProblems;

/** Well formed. `address`: null members are to be removed. */
type AttributeChange = Partial<Pick<Attributes, 'locale' | 'picture' | 'zoneinfo' | 'phone'>> & {
  readonly address?: Readonly<Partial<Record<AddressMember, string | null>>>;
};

export type InvalidAttribute = {
  readonly outcome: 'invalid';
  readonly field: AttributeField;
  readonly reason: AttributeProblem;
  readonly sentence: string;
};

const longestPicture = 2048;
const longestLine = 200;
const longestFormatted = 1000;
/** What turns the reading direction or cannot be seen; a line break is allowed in two members. */
const control = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,3}$/;

type Checked = { readonly value: string } | { readonly reason: AttributeProblem };

const checks: Readonly<Record<'locale' | 'picture' | 'zoneinfo' | 'phone', (text: string) => Checked>> = {
  locale: localeTag,
  picture: pictureUrl,
  zoneinfo: timeZone,
  phone: phoneNumber,
};

/** The first value that is refused is the answer. */
export function readAttributes(form: AttributeForm): { outcome: 'read'; change: AttributeChange } | InvalidAttribute {
  const change: Record<string, string | null> = {};
  const address: Partial<Record<AddressMember, string | null>> = {};
  const fields: readonly AttributeField[] = ['locale', 'picture', 'zoneinfo', 'phone', ...addressMembers];
  for (const field of fields) {
    const typed = form[field];
    if (typed === undefined) continue;
    const into = isAddressMember(field) ? address : change;
    const text = typed?.trim() ?? '';
    if (text === '') {
      Reflect.set(into, field, null);
      continue;
    }
    const checked = isAddressMember(field) ? addressText(field, text) : checks[field](text);
    if ('reason' in checked) {
      return { outcome: 'invalid', field, reason: checked.reason, sentence: attributeProblems[checked.reason] };
    }
    Reflect.set(into, field, checked.value);
  }
  return { outcome: 'read', change: { ...change, ...(Object.keys(address).length > 0 && { address }) } };
}

/** What a change depends on. */
type Before = Pick<Attributes, 'phone' | 'address'>;

/** What the change makes of an account. A number that changes is proved no more. */
export function changedAttributes(before: Before, { address, ...change }: AttributeChange): Partial<Attributes> {
  const phone = change.phone === undefined ? before.phone : change.phone;
  return {
    ...change,
    ...(phone !== before.phone && { phoneVerified: false }),
    ...(address !== undefined && { address: mergedAddress(before.address, address) }),
  };
}

/** Of an account that has none. */
export const noAttributes: Before = { phone: null, address: null };

/** The canonical form of a language tag; undefined if it is none. */
export function canonicalLocale(tag: string): string | undefined {
  const checked = localeTag(tag);
  return 'value' in checked ? checked.value : undefined;
}

export function isAddressMember(field: string): field is AddressMember {
  return (addressMembers as readonly string[]).includes(field);
}

function mergedAddress(before: Address | null, change: NonNullable<AttributeChange['address']>): Address | null {
  const all = { ...before, ...change };
  const kept = addressMembers.flatMap((member): [string, string][] => {
    const value = all[member];
    return typeof value === 'string' ? [[member, value]] : [];
  });
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

function localeTag(text: string): Checked {
  if (text.length > 64) return { reason: 'too-long' };
  try {
    const [value] = Intl.getCanonicalLocales(text);
    return value === undefined ? { reason: 'not-a-locale' } : { value };
  } catch {
    return { reason: 'not-a-locale' };
  }
}

function pictureUrl(text: string): Checked {
  if (text.length > longestPicture) return { reason: 'too-long' };
  const url = /^[\x21-\x7e\u00a0-\u{10ffff}]+$/u.test(text) && isPlainText(text) ? URL.parse(text) : null;
  const usable = url?.protocol === 'https:' && url.username === '' && url.password === '' && /^https:\/\//i.test(text);
  if (!usable) return { reason: 'not-a-picture' };
  // Percent-encoding may make it longer than what was typed.
  return url.href.length > longestPicture ? { reason: 'too-long' } : { value: url.href };
}

/** `Intl` also takes offsets (`+01:00`), which are no names. */
function timeZone(text: string): Checked {
  if (text.length > 64) return { reason: 'too-long' };
  if (!zoneName.test(text)) return { reason: 'not-a-zone' };
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions();
    // Its usual spelling. Of a name that has another one today (`Europe/Kyiv`) the one that was given stays.
    return { value: timeZone.toLowerCase() === text.toLowerCase() ? timeZone : text };
  } catch {
    return { reason: 'not-a-zone' };
  }
}

/** People group digits; E.164 does not. */
function phoneNumber(text: string): Checked {
  if (text.length > 64) return { reason: 'too-long' };
  const value = text.normalize('NFKC').replaceAll(/[\s().\u2010-\u2015/-]/g, '');
  return /^\+[1-9]\d{6,14}$/.test(value) ? { value } : { reason: 'not-a-phone' };
}

function addressText(member: AddressMember, text: string): Checked {
  if (!isPlainText(text)) return { reason: 'malformed' };
  const value = text.replaceAll(/\r\n?/g, '\n');
  if (codePoints(value) > (member === 'formatted' ? longestFormatted : longestLine)) return { reason: 'too-long' };
  const lines = member === 'formatted' || member === 'street_address' ? value.replaceAll('\n', ' ') : value;
  return control.test(lines) ? { reason: 'malformed' } : { value };
}
