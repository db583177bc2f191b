/**
 * What counts as the same name, and which names may be given. Two spellings that a person would read as one name have one
 * key: compatibility forms, case and width do not tell accounts apart. What is stored is the name as given, beside its key.
 */
import { domainToASCII } from 'node:url';

const usernameLimit = 64;
const emailLimit = 254;
const personNameLimit = 100;

/** Letters, marks and numbers of any script, and `. _ - @ +`. No colon (RFC 7617, section 2), no space, no slash. */
const usernameText = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u;
/** Not visible, so two names that differ by them look alike: ZWJ, ZWSP, soft hyphen, Hangul fillers, variation selectors, bidi controls. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/u;
/** In the name of a person ZWJ and ZWNJ are letters' business (Persian, Malayalam); what turns the reading direction is not. */
const disguising = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;
const markPile = /\p{M}{5}/u;
const emailText = /^[^\s@:;,<>()[\]\\"]+@[^\s@:;,<>()[\]\\"/?#%]+\.[^\s@:;,<>()[\]\\"/?#%.]+$/u;

export const nameProblems = {
  malformed: 'It holds characters that are not valid text.',
  empty: 'It is empty.',
  'too-long': 'It is too long.',
  invisible: 'It holds invisible or control characters.',
  marks: 'It stacks too many marks on one letter.',
  characters: 'Use letters, numbers and . _ - @ + and begin with a letter or a number.',
  'not-an-email': 'It is not an e-mail address.',
  'unproved-address': 'It reads as an e-mail address that this account has not proved. Choose a name without @.',
  'ends-with-dot': 'It ends with a dot.',
  'mixed-scripts': 'It mixes Latin letters with Cyrillic, Greek, Armenian or Cherokee ones.',
  reserved: 'It is reserved for the operators of this server.',
} as const;

export type NameProblem = keyof typeof nameProblems;

/** Text that can be stored and compared: no lone surrogate, no U+0000. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/**
 * NFKC and full case folding. JavaScript has no case folding; lower, upper, lower comes to the same and, where it differs,
 * merges more: lower first because ẞ has no upper case of its own (ẞ -> ß -> SS -> ss), upper next for ſ, ς and the
 * letters that only differ below (µ, ﬅ, K). Dotless ı meets i, so that `admın` is not free beside `admin`; İ stays i
 * with a dot above, a letter of its own. The last NFKC composes what folding took apart.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}

/**
 * Whether a name reads as an e-mail address: it holds an @ of any width (`＠`, `﹫`). Whether that is an address that mail can
 * reach does not matter: people read `ceo@corp` and `ceo@corp.example.` as one too.
 */
export function readsAsAddress(name: string): boolean {
  return name.normalize('NFKC').includes('@');
}

/** The key of an e-mail address; undefined where it is none. The local part is folded, the domain is in its ASCII form (RFC 5891). */
export function emailKey(text: string): string | undefined {
  if (text.length > 4 * emailLimit || !isPlainText(text)) return undefined;
  const address = text.normalize('NFKC');
  if (!emailText.test(address) || codePoints(address) > emailLimit || invisible.test(text)) return undefined;
  const at = address.indexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  return domain === '' ? undefined : `${fold(address.slice(0, at))}@${domain}`;
}

/**
 * The key by which usernames are compared, for any text somebody types into a sign-in form; undefined where no account can
 * have that name. A username that is an e-mail address has that address's key, so that one typed text has one key.
 */
export function usernameKey(text: string): string | undefined {
  if (text.length > 4 * emailLimit || !isPlainText(text)) return undefined;
  const key = emailKey(text) ?? fold(text);
  return key === '' || codePoints(key) > 2 * emailLimit ? undefined : key;
}

/**
 * Why this cannot be a username; undefined where it can. Whether it may be given to a new account:
 * core/accounts/new-names.
 */
export function usernameProblem(text: string): NameProblem | undefined {
  if (!isPlainText(text)) return 'malformed';
  if (text === '') return 'empty';
  if (text.length > 4 * usernameLimit) return 'too-long';
  const name = text.normalize('NFKC');
  if (codePoints(name) > usernameLimit || codePoints(fold(text)) > usernameLimit) return 'too-long';
  if (invisible.test(text) || invisible.test(name)) return 'invisible';
  if (markPile.test(name)) return 'marks';
  return usernameText.test(name) ? undefined : 'characters';
}

/** Why this may not be a new e-mail address; undefined where it may. */
export function emailProblem(text: string): NameProblem | undefined {
  if (!isPlainText(text)) return 'malformed';
  if (text === '') return 'empty';
  if (text.length > 4 * emailLimit || codePoints(text.normalize('NFKC')) > emailLimit) return 'too-long';
  if (invisible.test(text)) return 'invisible';
  if (markPile.test(text.normalize('NFKC'))) return 'marks';
  return emailKey(text) === undefined ? 'not-an-email' : undefined;
}

/** Why this may not be somebody's first or last name; undefined where it may. Empty is allowed: not everybody has two. */
export function personNameProblem(text: string): NameProblem | undefined {
  return readableProblem(text, personNameLimit);
}

/** Why this may not be text of one line that people read, of `most` code points at most; undefined where it may. */
export function readableProblem(text: string, most: number): NameProblem | undefined {
  if (!isPlainText(text)) return 'malformed';
  if (text.length > 4 * most || codePoints(text) > most) return 'too-long';
  if (disguising.test(text)) return 'invisible';
  return markPile.test(text.normalize('NFC')) ? 'marks' : undefined;
}

/** What a person is called on a page: the names they gave, else the username. */
export function displayName(person: { firstName: string; lastName: string; username: string }): string {
  return [person.firstName, person.lastName].filter(Boolean).join(' ') || person.username;
}
