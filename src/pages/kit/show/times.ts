/** Moments and languages in the reader's language. Seconds since the epoch; formats are cached. */
import { nowSeconds } from '../../../base/clock.ts';

interface Told {
  readonly iso: string;
  readonly text: string;
}

/** With the exact moment, to show on hover. */
interface ToldBriefly extends Told {
  readonly exact: string;
}

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

export function ago(at: number, locale: string): ToldBriefly {
  const past = nowSeconds() - at;
  const [unit, seconds] = units.find(([, length]) => Math.abs(past) >= length) ?? ['second', 1];
  const count = unit === 'second' ? 0 : -Math.round(past / seconds);
  return { ...exactly(at, locale), text: relativeOf(locale).format(count, unit) };
}

function exactly(at: number, locale: string): { iso: string; exact: string } {
  const { iso, text: exact } = moment(at, locale);
  return { iso, exact };
}

/** "Today", "Yesterday", or the date. page.js names days in the same way. */
export function dayName(at: number, past: number, locale: string): string {
  if (past !== 0 && past !== 1) return formatOf(locale, 'day').format(at * 1000);
  const name = relativeOf(locale).format(-past, 'day');
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
}

const relatives = new Map<string, Intl.RelativeTimeFormat>();
function relativeOf(locale: string): Intl.RelativeTimeFormat {
  const known = relatives.get(locale);
  if (known !== undefined) return known;
  const made = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  relatives.set(locale, made);
  return made;
}

/** The time of day, for a list under the names of days. */
export function clock(at: number, locale: string): ToldBriefly {
  return { ...exactly(at, locale), text: `${formatOf(locale, 'clock').format(at * 1000)} UTC` };
}

/** In UTC, because the server does not know the reader's time zone. The page's script converts it. */
export function moment(at: number, locale: string): Told {
  const date = new Date(at * 1000);
  return { iso: date.toISOString(), text: `${formatOf(locale).format(date)} UTC` };
}

/** Cached: creating a format costs more than rendering a page. Three for each language. */
const formats = new Map<string, Intl.DateTimeFormat>();
const formatKinds = {
  moment: { dateStyle: 'medium', timeStyle: 'short' },
  clock: { timeStyle: 'short' },
  day: { dateStyle: 'full' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;
function formatOf(locale: string, kind: keyof typeof formatKinds = 'moment'): Intl.DateTimeFormat {
  const known = formats.get(`${kind} ${locale}`);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { ...formatKinds[kind], timeZone: 'UTC' });
  formats.set(`${kind} ${locale}`, made);
  return made;
}

/** Each language is named in itself. Cached: only tags of the catalogue occur. */
const languageNames = new Map<string, string>();
export function languageName(tag: string): string {
  const known = languageNames.get(tag);
  if (known !== undefined) return known;
  const name = new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag;
  const shown = name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
  languageNames.set(tag, shown);
  return shown;
}
