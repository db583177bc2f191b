/** How long a copy of a document is fresh (RFC 9111, section 4.2), within bounds of this server. All in seconds. */

const shortest = 60;
const longest = 86_400;
/** Without a word of its server. */
const usual = 3600;

export function freshFor(headers: Readonly<Record<string, string>>, now: number): number {
  const control = headers['cache-control'] ?? '';
  if (/\bno-(?:store|cache)\b/i.test(control)) return shortest;
  const maxAge = /\bmax-age\s*=\s*"?(\d{1,10})/i.exec(control)?.[1];
  const age = /^\d{1,10}$/.test(headers.age ?? '') ? Number(headers.age) : 0;
  if (maxAge !== undefined) return within(Number(maxAge) - age);
  const expires = Date.parse(headers.expires ?? '');
  return Number.isNaN(expires) ? usual : within(Math.floor(expires / 1000) - now);
}

const within = (seconds: number): number => Math.min(longest, Math.max(shortest, seconds));
