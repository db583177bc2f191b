/** A moment as a mail shows it. `seconds`: since the epoch. */
export function mailTime(seconds: number, locale: string): string {
  const form = { dateStyle: 'long', timeStyle: 'long', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale, form).format(seconds * 1000);
}
