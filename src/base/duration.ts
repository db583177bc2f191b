/** A time span in the language `locale`, rounded up: "30 seconds", "15 minutes", "7 days". */
export function duration(seconds: number, locale: string): string {
  const [amount, unit] =
    seconds < 90
      ? [seconds, 'second']
      : seconds < 5400
        ? [seconds / 60, 'minute']
        : seconds < 172_800
          ? [seconds / 3600, 'hour']
          : [seconds / 86_400, 'day'];
  const whole = Math.max(1, Math.ceil(Number.isFinite(amount) ? amount : 1));
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(whole);
}
