/**
 * Account attributes beyond names (OpenID Connect Core, section 5.1): language, picture, time zone, phone number and
 * postal address. The same rules hold at every entry point. They check the format only: this server fetches no URL and
 * calls no number.
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

/** As the user typed it. A member that is left out stays; an empty or null one is removed. */
export type AttributeForm = Readonly<Partial<Record<AttributeField, string | null | undefined>>>;

const attributeProblems = {
  malformed: 'It contains characters that are not valid text.',
  'too-long': 'It is too long.',
  'not-a-picture': 'It must be an absolute https URL without a user name or password.',
  'not-a-locale': 'It is not a language tag, such as de, pt-BR or zh-Hant (BCP 47).',
  'not-a-zone': 'It is not a time zone of the IANA database, such as Europe/Berlin.',
  'not-a-phone': 'It is not an international number: + and 7 to 15 digits, starting with the country code (E.164).',
} as const;
export type AttributeProblem = keyof typeof attributeProblems;

/** Checked values. Null members of `address` are removed. */
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
/** Control characters, and invisible ones that change the reading direction. Two members allow line breaks. */
const control = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,3}$/;

type Checked = { readonly value: string } | { readonly reason: AttributeProblem };

const checks: Readonly<Record<'locale' | 'picture' | 'zoneinfo' | 'phone', (text: string) => Checked>> = {
  locale: localeTag,
  picture: pictureUrl,
  zoneinfo: timeZone,
  phone: phoneNumber,
};

/** Returns the change, or the first invalid value. */
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

type Before = Pick<Attributes, 'phone' | 'address'>;

/** Returns the members to store. A changed phone number is unproved. */
export function changedAttributes(before: Before, { address, ...change }: AttributeChange): Partial<Attributes> {
  const phone = change.phone === undefined ? before.phone : change.phone;
  return {
    ...change,
    ...(phone !== before.phone && { phoneVerified: false }),
    ...(address !== undefined && { address: mergedAddress(before.address, address) }),
  };
}

export const noAttributes: Before = { phone: null, address: null };

/** Returns the canonical form, or undefined if it is not a language tag. */
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
  // Percent-encoding may make the URL longer.
  return url.href.length > longestPicture ? { reason: 'too-long' } : { value: url.href };
}

/** `Intl` also accepts offsets (`+01:00`), which are not zone names. */
function timeZone(text: string): Checked {
  if (text.length > 64) return { reason: 'too-long' };
  if (!zoneName.test(text)) return { reason: 'not-a-zone' };
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions();
    // Takes the usual capitals. If `Intl` returns another name for the zone (`Europe/Kyiv`), the given name stays.
    return { value: timeZone.toLowerCase() === text.toLowerCase() ? timeZone : text };
  } catch {
    return { reason: 'not-a-zone' };
  }
}

/** Removes the separators that people type: E.164 has none. */
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
