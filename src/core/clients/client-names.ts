/**
 * Names that an unreviewed client must not have: those that speak for this server or for its pages, and those that only
 * look like another name. What an operator makes or has reviewed may be called anything.
 */
import { lookAlikeKey, mixesScripts, withoutSigns } from '../kernel/look-alikes.ts';

/** In the languages of the pages. These count wherever they stand as a whole word or phrase. */
const everywhere = [
  ...['gatehouse', 'playground', 'account security', 'kontosicherheit', 'أمان الحساب'],
  ...['admin', 'admins', 'administrator', 'administrators', 'administration', 'administratorin', 'مدير', 'المدير'],
];

/** These count where the name says nothing else: `Login` and `Security Team`, but not `Home Security Camera`. */
const alone = [
  ...['account', 'accounts', 'support', 'help desk', 'security', 'official', 'sso', 'password', 'passwords', 'passkey'],
  ...['login', 'log in', 'logon', 'log on', 'logout', 'log out', 'sign in', 'sign on', 'sign up', 'sign out'],
  ...['identity provider', 'konto', 'sicherheit', 'anmelden', 'anmeldung', 'abmelden', 'verwaltung', 'kundendienst'],
  ...['حساب', 'الحساب', 'حسابي', 'أمان', 'الأمان', 'تسجيل الدخول', 'الدعم'],
];

/** Say nothing beside them. */
const fillers = [
  ...['the', 'my', 'your', 'our', 'team', 'page', 'pages', 'center', 'centre', 'service', 'customer', 'app', 'desk'],
  ...['alert', 'alerts', 'check', 'notice', 'reset', 'settings', 'update', 'verification', 'verify'],
];

/** Embeddings, overrides and isolates (Unicode UAX 9): with one `esuohetaG` is read as `Gatehouse`. */
const turns = /[\u202a-\u202e\u2066-\u2069]/;

/** Longer words are no reserved ones, however they are put together. */
const longestRun = 64;

/**
 * Why the name is refused, to follow the name of the member; undefined: it may be used. `ownNames`: by which people know this
 * server, its brand and its host.
 */
export function reservedClientName(name: string, ownNames: readonly string[]): string | undefined {
  if (turns.test(name)) return 'must not turn the direction of reading';
  const words = wordsOf(name);
  if (words.some(mixesScripts)) return 'must not mix alphabets within a word';
  const [strong, weak] = [keysOf([...everywhere, ...ownNames]), keysOf(alone)];
  // Several without a space between them are reserved as well.
  const reserved = new RegExp(`^(?:${[...strong, ...weak, ...keysOf(fillers)].join('|')})+$`, 'u');
  const isOurs = (words: readonly string[]): boolean =>
    runsOf(words).some((run) => reserved.test(run) && strong.some((key) => run.includes(key))) ||
    (reserved.test(words.join('')) && weak.some((key) => words.join('').includes(key)));
  // Punctuation may stand for a letter (Adm!n), or beside a word (Admin!).
  const readings = [words.map((word) => joined(lookAlikeKey(word))), splitWords(lookAlikeKey(words.join(' ')))];
  readings.push(splitWords(lookAlikeKey(name)));
  // So may a number or a ™ stand behind one (Gatehouse 2, Gatehouse2).
  readings.push(splitWords(lookAlikeKey(withoutSigns(name).replaceAll(/\p{Nd}/gu, ' '))));
  return readings.some(isOurs) ? 'is reserved for this server' : undefined;
}

/** As names are compared; empty ones are left out. */
function keysOf(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => joined(lookAlikeKey(name))))].filter((key) => key !== '');
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
