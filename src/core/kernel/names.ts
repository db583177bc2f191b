/**
 * Which names are the same, and which names are allowed. Names that differ only in compatibility forms, case or width
 * have the same key. The database stores the name as typed, beside its key.
 */
import { domainToASCII } from 'node:url';

const usernameLimit = 64;
const emailLimit = 254;
const personNameLimit = 100;

/** Letters, marks and numbers of any script, and `. _ - @ +`. No colon (RFC 7617, section 2), no space, no slash. */
const usernameText = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u;
/**
 * Invisible characters make two names look alike: ZWJ, ZWSP, soft hyphen, Hangul fillers, variation selectors, bidi
 * controls.
 */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/u;
/** Names of people may hold ZWJ and ZWNJ (Persian and Malayalam need them), but no change of text direction. */
const disguising = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;
const markPile = /\p{M}{5}/u;
const emailText = /^[^\s@:;,<>()[\]\\"]+@[^\s@:;,<>()[\]\\"/?#%]+\.[^\s@:;,<>()[\]\\"/?#%.]+$/u;

export const nameProblems = {
  malformed: 'It contains characters that are not valid text.',
  empty: 'It is empty.',
  'too-long': 'It is too long.',
  invisible: 'It contains invisible or control characters.',
  marks: 'It has too many marks on one letter.',
  characters: 'Use letters, numbers and . _ - @ +, and start with a letter or number.',
  'not-an-email': 'It is not an e-mail address.',
  'unproved-address': 'It looks like an e-mail address that this account has not confirmed. Choose a name without @.',
  'ends-with-dot': 'It ends with a dot.',
  'mixed-scripts': 'It mixes Latin letters with Cyrillic, Greek, Armenian or Cherokee letters.',
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
 * NFKC and full case folding. JavaScript has no case folding; lower, upper, lower gives the same or merges more. Lower
 * comes first because ẞ has no upper case of its own (ẞ -> ß -> SS -> ss). Upper merges ſ, ς and letters that differ
 * in lower case only (µ, ﬅ, K). Dotless ı becomes i, so `admın` is taken beside `admin`; İ stays a separate letter,
 * i with a dot above. The last NFKC composes what folding decomposed.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}

/**
 * Returns true if a name looks like an e-mail address: it holds an @ of any width (`＠`, `﹫`). Undeliverable addresses
 * count, because people read `ceo@corp` and `ceo@corp.example.` as addresses too.
 */
export function readsAsAddress(name: string): boolean {
  return name.normalize('NFKC').includes('@');
}

/**
 * Returns undefined if the text is no e-mail address. The local part is folded; the domain is in ASCII form (RFC 5891).
 */
export function emailKey(text: string): string | undefined {
  if (text.length > 4 * emailLimit || !isPlainText(text)) return undefined;
  const address = text.normalize('NFKC');
  if (!emailText.test(address) || codePoints(address) > emailLimit || invisible.test(text)) return undefined;
  const at = address.indexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  return domain === '' ? undefined : `${fold(address.slice(0, at))}@${domain}`;
}

/**
 * The key of a username, for any text from a sign-in form. Returns undefined if no account can have that name. A
 * username that is an e-mail address has the key of the address, so each typed text has one key.
 */
export function usernameKey(text: string): string | undefined {
  if (text.length > 4 * emailLimit || !isPlainText(text)) return undefined;
  const key = emailKey(text) ?? fold(text);
  return key === '' || codePoints(key) > 2 * emailLimit ? undefined : key;
}

/** Returns undefined if the text can be a username. core/accounts/new-names decides if a new account may have it. */
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

/** Returns undefined if the text can be an e-mail address of an account. */
export function emailProblem(text: string): NameProblem | undefined {
  if (!isPlainText(text)) return 'malformed';
  if (text === '') return 'empty';
  if (text.length > 4 * emailLimit || codePoints(text.normalize('NFKC')) > emailLimit) return 'too-long';
  if (invisible.test(text)) return 'invisible';
  if (markPile.test(text.normalize('NFKC'))) return 'marks';
  return emailKey(text) === undefined ? 'not-an-email' : undefined;
}

/** Returns undefined if the text can be a first or last name. Empty is allowed: some people have one name only. */
export function personNameProblem(text: string): NameProblem | undefined {
  return readableProblem(text, personNameLimit);
}

/** Returns undefined if the text is one readable line of at most `most` code points. */
export function readableProblem(text: string, most: number): NameProblem | undefined {
  if (!isPlainText(text)) return 'malformed';
  if (text.length > 4 * most || codePoints(text) > most) return 'too-long';
  if (disguising.test(text)) return 'invisible';
  return markPile.test(text.normalize('NFC')) ? 'marks' : undefined;
}

/** The name that pages show: first and last name, or the username if both are empty. */
export function displayName(person: { firstName: string; lastName: string; username: string }): string {
  return [person.firstName, person.lastName].filter(Boolean).join(' ') || person.username;
}
