/** What a file or a setting holds, as it may be told in a terminal or a log. */

/** At most 121 characters, without what could steer a terminal, and without a password that slipped into an address. */
export function printable(text: string): string {
  // A password may hold a slash: all up to the last @ goes.
  const plain = text.replace(/\p{C}/gu, '?').replace(/\/\/.*@/, '//…@');
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}
