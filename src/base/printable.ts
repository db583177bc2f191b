/** Makes a value from a file or a setting safe to print in a terminal or a log. */

/** At most 121 characters, without control characters, and without the password of a URL. */
export function printable(text: string): string {
  // A password may contain a slash, so everything up to the last @ is removed.
  const plain = text.replace(/\p{C}/gu, '?').replace(/\/\/.*@/, '//…@');
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}
