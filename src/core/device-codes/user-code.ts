/** The code that a device shows and a person types (RFC 8628, section 6.1): eight consonants, no digits. */

const letters = 'BCDFGHJKLMNPQRSTVWXZ';
const form = new RegExp(`^[${letters}]{8}$`);
const lengthMax = 64;

/**
 * The code without separators, in capitals. Full-width letters of some keyboards count as the plain ones. Returns
 * undefined if no device can have shown it, which is a slip and no guess.
 */
export function userCodeOf(typed: string): string | undefined {
  if (typed.length > lengthMax) return undefined;
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{P}\p{Cf}]/gu, '');
  return form.test(code) ? code : undefined;
}

/** As the device shows it: `BCDF-GHJK`. */
export function shownUserCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
