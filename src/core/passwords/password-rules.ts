/**
 * Which passwords may be set, and in which form passwords are compared (NIST SP 800-63B, 3.1.1.2: length, a blocklist, no
 * composition rules). Pure: hashing is in login/password.
 */

import { codePoints, fold, isPlainText } from '../kernel/names.ts';
import { commonPasswords } from './common-passwords.ts';
import { isPattern } from './password-pattern.ts';

/** In code points. A longer one is refused before it is hashed: hashing time must not be the sender's choice. */
export const passwordLimit = 1024;

const passwordProblems = {
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

interface PasswordContext {
  /** In code points. */
  readonly minLength: number;
  readonly serviceName: string;
  /** The person's username, e-mail address and names, as far as they are known. */
  readonly own: readonly string[];
}

/** What `passwordProblem` cannot know: the list is another service's (core/passwords/breached-passwords). */
export const breachedPassword: PasswordProblem = { code: 'breached', sentence: passwordProblems.breached };

/** Why this may not be a new password; undefined where it may. The checks run in the order of `passwordProblems`. */
export function passwordProblem(password: string, context: PasswordContext): PasswordProblem | undefined {
  const code = reason(password, context);
  if (code === undefined) return undefined;
  if (code === 'too-short') return { code, sentence: `The password needs at least ${context.minLength} characters.` };
  return { code, sentence: passwordProblems[code] };
}

/** In code points. One compatibility character can unfold to eighteen (U+FDFA): it counts as the one that was typed. */
export function isLongEnough(password: string, minLength: number): boolean {
  return Math.min(codePoints(password.normalize('NFKC')), codePoints(password.normalize('NFC'))) >= minLength;
}

function reason(password: string, { minLength, serviceName, own }: PasswordContext): PasswordReason | undefined {
  if (password.length > 4 * passwordLimit) return 'too-long';
  if (!isPlainText(password)) return 'malformed';
  const normal = password.normalize('NFKC');
  if (codePoints(normal) > passwordLimit) return 'too-long';
  if (!isLongEnough(password, minLength)) return 'too-short';

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
