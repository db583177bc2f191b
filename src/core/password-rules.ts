/**
 * Which passwords may be set, and in which form passwords are compared (NIST SP 800-63B, 3.1.1.2: length, a blocklist, no
 * composition rules). Pure: hashing is in login/password.
 */

import { commonPasswords } from './common-passwords.ts';
import { codePoints, fold, isPlainText } from './names.ts';

/** In code points. A longer one is refused before it is hashed: hashing time must not be the sender's choice. */
export const passwordLimit = 1024;

export const passwordProblems = {
  malformed: 'The password holds a character that cannot be used (U+0000, or half of a surrogate pair).',
  'too-short': 'The password is too short.',
  'too-long': `The password is longer than ${passwordLimit} characters.`,
  'own-name': 'The password is mostly your own user name, e-mail address or name.',
  'service-name': 'The password is mostly the name of this service.',
  pattern: 'The password is a simple pattern, which is guessed early.',
  common: 'The password is one of the most used ones, which are guessed first.',
  breached: 'The password is on a list of passwords that were stolen elsewhere, which are guessed first.',
} as const;

export type PasswordReason = keyof typeof passwordProblems;

export interface PasswordProblem {
  readonly code: PasswordReason;
  /** An English sentence. */
  readonly sentence: string;
}

/**
 * The form that is hashed; undefined for what can be nobody's password. NFKC, so that the composed, decomposed and
 * full-width forms which keyboards send for the same keys are one password. The bound before it keeps the cost of
 * normalising small; the one after it is the rule.
 */
export function normalisePassword(password: string): string | undefined {
  if (password.length > 4 * passwordLimit || !isPlainText(password)) return undefined;
  const normal = password.normalize('NFKC');
  return codePoints(normal) > passwordLimit ? undefined : normal;
}

export interface PasswordContext {
  /** In code points. */
  readonly minLength: number;
  readonly serviceName: string;
  /** The person's username, e-mail address and names, as far as they are known. */
  readonly own: readonly string[];
}

/** What `passwordProblem` cannot know: the list is somebody else's (core/breached-passwords). */
export const breachedPassword: PasswordProblem = { code: 'breached', sentence: passwordProblems.breached };

/** Why this may not be a new password; undefined where it may. The checks run in the order of `passwordProblems`. */
export function passwordProblem(password: string, context: PasswordContext): PasswordProblem | undefined {
  const code = reason(password, context);
  if (code === undefined) return undefined;
  if (code === 'too-short') return { code, sentence: `The password needs at least ${context.minLength} characters.` };
  return { code, sentence: passwordProblems[code] };
}

function reason(password: string, { minLength, serviceName, own }: PasswordContext): PasswordReason | undefined {
  if (password.length > 4 * passwordLimit) return 'too-long';
  if (!isPlainText(password)) return 'malformed';
  const normal = password.normalize('NFKC');
  const length = codePoints(normal);
  if (length > passwordLimit) return 'too-long';
  // One compatibility character can unfold to eighteen (U+FDFA): it counts as the one that was typed.
  if (Math.min(length, codePoints(password.normalize('NFC'))) < minLength) return 'too-short';

  const text = fold(normal);
  if (own.flatMap(parts).some((part) => isMostly(text, part))) return 'own-name';
  if (isMostly(text, fold(serviceName))) return 'service-name';
  if (isPattern(text)) return 'pattern';
  return isCommon(text) ? 'common' : undefined;
}

/** A name, and for an e-mail address its local part as well. */
function parts(name: string): string[] {
  const folded = fold(name);
  const at = folded.indexOf('@');
  return at > 0 ? [folded, folded.slice(0, at)] : [folded];
}

/** What is left without the name is shorter than the name, or is too little to be a secret. */
function isMostly(text: string, part: string): boolean {
  const size = codePoints(part);
  if (size < 3 || !text.includes(part)) return text === part;
  const left = codePoints(text.replaceAll(part, ''));
  return left < 6 || left < size;
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

/** Few different characters, a short piece repeated, or pieces of rows of the keyboard and the alphabet. */
function isPattern(text: string): boolean {
  const characters = [...text];
  if (new Set(characters).size < 5) return true;
  for (let size = 1; size <= 6 && size * 2 <= characters.length; size++) {
    if (characters.every((character, at) => character === characters[at % size])) return true;
  }
  return rowPieces(characters.join('')) <= Math.max(2, Math.floor(characters.length / 8));
}

/** Into how many pieces of at least three characters of one row the text falls; Infinity where it does not. */
function rowPieces(text: string): number {
  let pieces = 0;
  for (let at = 0; at < text.length; pieces++) {
    let size = 0;
    for (const run of runs) {
      let here = Math.min(run.length, text.length - at);
      while (here > size && !run.includes(text.slice(at, at + here))) here--;
      size = Math.max(size, here);
    }
    if (size < 3) return Number.POSITIVE_INFINITY;
    at += size;
  }
  return pieces;
}

const swaps: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  $: 's',
  '@': 'a',
  '!': 'i',
};

/** A listed password as it is, or with the usual swaps (p@ssw0rd), blanks, and digits or marks around it, or put together from listed words only. */
function isCommon(text: string): boolean {
  const joined = text.replaceAll(/[\s._-]/gu, '');
  const bare = joined.replaceAll(/^[\d\p{P}\p{S}]{1,6}|[\d\p{P}\p{S}]{1,6}$/gu, '');
  const forms = [text, joined, bare].flatMap((form) => [
    form,
    form.replaceAll(/[013457$@!]/g, (sign) => swaps[sign] ?? sign),
  ]);
  return forms.some((form) => form !== '' && (commonPasswords.has(form) || fallsIntoCommon(form)));
}

function fallsIntoCommon(text: string): boolean {
  const characters = text.slice(0, 64);
  // best[n]: the fewest listed words that make up the first n characters.
  const best = [0];
  for (let end = 1; end <= characters.length; end++) {
    let fewest = Number.POSITIVE_INFINITY;
    for (let start = Math.max(0, end - 16); start < end; start++) {
      const before = best[start] ?? Number.POSITIVE_INFINITY;
      if (before + 1 < fewest && commonPasswords.has(characters.slice(start, end))) fewest = before + 1;
    }
    best[end] = fewest;
  }
  return text.length <= 64 && (best[characters.length] ?? Number.POSITIVE_INFINITY) <= 3;
}
