/**
 * Rules of new passwords that the pages' hint runs too: pages/kit/static.ts puts their source into `strength.js`. So
 * these functions use nothing outside of themselves.
 */

/** In code points. One character can become eighteen under NFKC (U+FDFA); it counts as one. */
export function passwordLength(password: string): number {
  return Math.min([...password.normalize('NFKC')].length, [...password.normalize('NFC')].length);
}

/** A folded name, and the local part of an e-mail address. */
export function nameParts(folded: string): string[] {
  const at = folded.indexOf('@');
  return at > 0 ? [folded, folded.slice(0, at)] : [folded];
}

/** True if the rest without the name has fewer characters than the name, or fewer than six. Both are folded. */
export function isMostly(text: string, part: string): boolean {
  const size = [...part].length;
  if (size < 3 || !text.includes(part)) return text === part;
  const left = [...text.replaceAll(part, '')].length;
  return left < 6 || left < size;
}

/**
 * Tells whether a folded password is a simple pattern: few different characters, a repeated short piece, or pieces of
 * rows of the keyboard or the alphabet.
 */
export function isPattern(text: string): boolean {
  const characters = [...text];
  if (new Set(characters).size < 5) return true;
  for (let size = 1; size <= 8 && size * 2 <= characters.length; size++) {
    if (characters.every((character, at) => character === characters[at % size])) return true;
  }

  const runs = [
    'abcdefghijklmnopqrstuvwxyz',
    '01234567890',
    'qwertyuiopasdfghjklzxcvbnm',
    'qwertzuiopasdfghjklyxcvbnm',
    'azertyuiopqsdfghjklmwxcvbn',
    '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
    'qazwsxedcrfvtgbyhnujmikolp',
    '1q2w3e4r5t6y7u8i9o0p',
    'q1w2e3r4t5y6u7i8o9p0',
    'a1b2c3d4e5f6g7h8i9j0',
    '!@#$%^&*()_+',
  ].flatMap((run) => [run, [...run].reverse().join('')]);

  // Counts the fewest pieces of rows that form the text. A piece has at least three characters.
  let pieces = 0;
  for (let at = 0; at < text.length; pieces++) {
    let size = 0;
    for (const run of runs) {
      let here = Math.min(run.length, text.length - at);
      while (here > size && !run.includes(text.slice(at, at + here))) here--;
      size = Math.max(size, here);
    }
    if (size < 3) return false;
    at += size;
  }
  return pieces <= Math.max(2, Math.floor(characters.length / 8));
}
