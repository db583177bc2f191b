/** Makes foreign values safe to show: names, addresses and typed text, as views print them. */

/**
 * A foreign value, shortened for one line. Removes control and bidirectional formatting characters (U+202E reverses the
 * rest of a sentence, U+2069 breaks out of isolation) and more than three combining marks in a row.
 */
export function clip(value: string | undefined, longest = 64): string {
  const clean = plain((value ?? '').slice(0, longest * 8))
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .trim();
  const letters = Array.from(clean);
  return letters.length > longest
    ? `${letters
        .slice(0, longest - 1)
        .join('')
        .trimEnd()}…`
    : clean;
}

/** A value that the user typed, for its own form field. */
export function typed(value: string | undefined, longest = 256): string {
  return plain((value ?? '').slice(0, longest));
}

/** The same for a multi-line field. */
export function typedLines(value: string | undefined): string {
  return (value ?? '')
    .slice(0, 1200)
    .split(/\r\n?|\n/)
    .map(plain)
    .join('\n');
}

function plain(value: string): string {
  return value
    .toWellFormed()
    .replace(/[\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/g, '')
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/** A value for developers: spells out invisible characters. */
export function exact(value: string | undefined): string {
  const spelled = (value ?? '')
    .slice(0, 600)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/(\p{M}{3})\p{M}+/gu, '$1…');
  return (value ?? '').length > 600 ? `${spelled}…` : spelled;
}

/**
 * Accepts a path of this server or an http(s) URL. `javascript:` and similar schemes never become a link. `kind`: the
 * link opens an authenticator app, and nothing else is accepted.
 */
export function href(value: string | null | undefined, kind?: 'otpauth'): string | undefined {
  if (typeof value !== 'string' || value.length > 2048) return undefined;
  if (kind === 'otpauth') return /^otpauth:\/\/totp\/[\x21-\x7e]+$/.test(value) ? value : undefined;
  if (/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return value;
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

export function initial(value: string): string {
  return (Array.from(clip(value).replace(/^[^\p{L}\p{N}]+/u, ''))[0] ?? '•').toUpperCase();
}

/** One of eight hues for a monogram. The same name always has the same one. */
export function hueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % 8;
}
