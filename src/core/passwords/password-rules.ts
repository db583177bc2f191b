/**
 * Which passwords may be set, and in which form they are compared (NIST SP 800-63B, 3.1.1.2: length, a blocklist, no
 * composition rules). These functions are pure; login/password hashes.
 */

import { codePoints, fold, isPlainText } from '../kernel/names.ts';
import { commonPasswords } from './common-passwords.ts';
import { isMostly, isPattern, nameParts, passwordLength } from './password-pattern.ts';

/** Code points. Longer passwords are refused before hashing, so that the sender does not control the hashing time. */
export const passwordLimit = 1024;

const passwordProblems = {
  malformed: 'The password contains a character that is not allowed (U+0000, or half of a surrogate pair).',
  'too-short': 'The password is too short.',
  'too-long': `The password is longer than ${passwordLimit} characters.`,
  'own-name': 'The password is mostly your own username, e-mail address or name.',
  'service-name': 'The password is mostly the name of this service.',
  pattern: 'The password is a simple pattern. Attackers try such passwords first.',
  common: 'The password is one of the most common ones. Attackers try such passwords first.',
  breached: 'The password was stolen elsewhere. Attackers try such passwords first.',
} as const;

export type PasswordReason = keyof typeof passwordProblems;

export interface PasswordProblem {
  readonly code: PasswordReason;
  /** An English sentence. */
  readonly sentence: string;
}

/**
 * Returns the form that is hashed, or undefined if no password can be like this. NFKC makes composed, decomposed and
 * full-width input the same password. The first bound limits the cost of normalization; the second is the rule.
 */
export function normalisePassword(password: string): string | undefined {
  if (password.length > 4 * passwordLimit || !isPlainText(password)) return undefined;
  const normal = password.normalize('NFKC');
  return codePoints(normal) > passwordLimit ? undefined : normal;
}

interface PasswordContext {
  /** In code points. */
  readonly minLength: number;
  readonly serviceName: string;
  /** The user's username, e-mail address and names, as far as known. */
  readonly own: readonly string[];
}

/** Not returned by `passwordProblem`: core/passwords/breached-passwords does this check. */
export const breachedPassword: PasswordProblem = { code: 'breached', sentence: passwordProblems.breached };

/** Returns why this may not be a new password, or undefined. */
export function passwordProblem(password: string, context: PasswordContext): PasswordProblem | undefined {
  const code = reason(password, context);
  if (code === undefined) return undefined;
  if (code === 'too-short') return { code, sentence: `The password needs at least ${context.minLength} characters.` };
  return { code, sentence: passwordProblems[code] };
}

/** `minLength`: code points. */
export function isLongEnough(password: string, minLength: number): boolean {
  return passwordLength(password) >= minLength;
}

function reason(password: string, { minLength, serviceName, own }: PasswordContext): PasswordReason | undefined {
  if (password.length > 4 * passwordLimit) return 'too-long';
  if (!isPlainText(password)) return 'malformed';
  const normal = password.normalize('NFKC');
  if (codePoints(normal) > passwordLimit) return 'too-long';
  if (!isLongEnough(password, minLength)) return 'too-short';

  const text = fold(normal);
  if (own.flatMap((name) => nameParts(fold(name))).some((part) => isMostly(text, part))) return 'own-name';
  if (isMostly(text, fold(serviceName))) return 'service-name';
  if (isPattern(text)) return 'pattern';
  return isCommon(text) ? 'common' : undefined;
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

/**
 * True for a listed password, with or without the usual swaps (p@ssw0rd), separators, and digits or signs around it,
 * and for up to three listed words in a row.
 */
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
  // best[n]: the least number of listed words that form the first n characters.
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
