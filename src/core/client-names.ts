/**
 * Names that an unreviewed client must not have: those that speak for this server or for its pages, and those that only
 * look like another name. What an operator makes or has reviewed may be called anything.
 */
import { lookAlikeKey, mixesScripts } from './look-alikes.ts';

/** In the languages of the pages. Each counts as a whole word or phrase, whatever stands beside it. */
const reserved = [
  ...['gatehouse', 'playground', 'account', 'accounts', 'my account', 'account security', 'account pages'],
  ...['admin', 'admins', 'administrator', 'administrators', 'administration', 'support', 'help desk', 'official'],
  ...[
    'security',
    'login',
    'log in',
    'logon',
    'log on',
    'logout',
    'log out',
    'sign in',
    'sign on',
    'sign up',
    'sign out',
  ],
  ...['sso', 'password reset', 'identity provider'],
  ...['konto', 'kontosicherheit', 'sicherheit', 'anmelden', 'anmeldung', 'abmelden', 'administratorin', 'verwaltung'],
  ...[
    'kundendienst',
    'حساب',
    'الحساب',
    'حسابي',
    'أمان',
    'الأمان',
    'أمان الحساب',
    'تسجيل الدخول',
    'الدعم',
    'مدير',
    'المدير',
  ],
];

/** Longer words are no reserved ones, however they are put together. */
const longestRun = 64;

/** Why the name is refused, to follow the name of the member; undefined: it may be used. */
export function reservedClientName(name: string, brandName: string): string | undefined {
  const words = wordsOf(name);
  if (words.some(mixesScripts)) return 'must not mix alphabets within a word';
  const ours = [...reserved, brandName].map((each) => joined(lookAlikeKey(each))).filter((key) => key !== '');
  // Several without a space between them are reserved as well.
  const whole = new RegExp(`^(?:${[...new Set(ours)].join('|')})+$`, 'u');
  // Punctuation may stand for a letter (Adm!n), or beside a word (Admin!).
  const readings = [words.map((word) => joined(lookAlikeKey(word))), splitWords(lookAlikeKey(words.join(' ')))];
  readings.push(splitWords(lookAlikeKey(name)));
  return readings.some((keys) => runsOf(keys).some((run) => whole.test(run)))
    ? 'is reserved for this server'
    : undefined;
}

/** As they are written, also where a capital letter alone begins one. */
function wordsOf(name: string): string[] {
  return splitWords(name.normalize('NFKC').replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, ' '));
}

function splitWords(text: string): string[] {
  return text.split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== '');
}

/** Only letters and digits are left, so it may stand in a pattern. */
const joined = (text: string): string => splitWords(text).join('');

/** Every sequence of neighbouring words, written as one: letters with spaces between them are a word, too. */
function runsOf(words: readonly string[]): string[] {
  return words.flatMap((_word, first) => {
    const runs: string[] = [];
    let run = '';
    for (const word of words.slice(first)) {
      run += word;
      if (run.length > longestRun) break;
      runs.push(run);
    }
    return runs;
  });
}
