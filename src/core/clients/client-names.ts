/**
 * Names that an unreviewed client must not have: those that seem to speak for this server or its pages, and those that
 * look like another name. A client that an operator registered or reviewed may have any name.
 */
import { lookAlikeKey, mixesScripts, withoutSigns } from '../kernel/look-alikes.ts';

/** In the languages of the pages. Reserved anywhere in a name, as a whole word or phrase. */
const everywhere = [
  'gatehouse',
  'playground',
  'account security',
  'kontosicherheit',
  'أمان الحساب',
  'admin',
  'admins',
  'administrator',
  'administrators',
  'administration',
  'administratorin',
  'مدير',
  'المدير',
];

/** Reserved if the name says nothing else: `Login` and `Security Team`, but not `Home Security Camera`. */
const alone = [
  'account',
  'accounts',
  'support',
  'help desk',
  'security',
  'official',
  'sso',
  'password',
  'passwords',
  'passkey',
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
  'identity provider',
  'konto',
  'sicherheit',
  'anmelden',
  'anmeldung',
  'abmelden',
  'verwaltung',
  'kundendienst',
  'حساب',
  'الحساب',
  'حسابي',
  'أمان',
  'الأمان',
  'تسجيل الدخول',
  'الدعم',
];

/** Words that say nothing beside the ones above. */
const fillers = [
  'the',
  'my',
  'your',
  'our',
  'team',
  'page',
  'pages',
  'center',
  'centre',
  'service',
  'customer',
  'app',
  'desk',
  'alert',
  'alerts',
  'check',
  'notice',
  'reset',
  'settings',
  'update',
  'verification',
  'verify',
];

/** Embeddings, overrides and isolates (Unicode UAX 9): with one, `esuohetaG` is displayed as `Gatehouse`. */
const turns = /[\u202a-\u202e\u2066-\u2069]/;

/** Longer runs of words are not compared. */
const longestRun = 64;

/**
 * Returns why the name is refused, to follow the name of the member, or undefined. `ownNames`: the brand and host of
 * this server.
 */
export function reservedClientName(name: string, ownNames: readonly string[]): string | undefined {
  if (turns.test(name)) return 'must not change the text direction';
  const words = wordsOf(name);
  if (words.some(mixesScripts)) return 'must not mix alphabets within a word';
  const [strong, weak] = [keysOf([...everywhere, ...ownNames]), keysOf(alone)];
  // Reserved words without a space between them count too.
  const reserved = new RegExp(`^(?:${[...strong, ...weak, ...keysOf(fillers)].join('|')})+$`, 'u');
  const isOurs = (words: readonly string[]): boolean =>
    runsOf(words).some((run) => reserved.test(run) && strong.some((key) => run.includes(key))) ||
    (reserved.test(words.join('')) && weak.some((key) => words.join('').includes(key)));
  // Punctuation may replace a letter (Adm!n) or stand beside a word (Admin!).
  const readings = [words.map((word) => joined(lookAlikeKey(word))), splitWords(lookAlikeKey(words.join(' ')))];
  readings.push(splitWords(lookAlikeKey(name)));
  // A number or a ™ may follow a word (Gatehouse 2, Gatehouse2).
  readings.push(splitWords(lookAlikeKey(withoutSigns(name).replaceAll(/\p{Nd}/gu, ' '))));
  return readings.some(isOurs) ? 'is reserved for this server' : undefined;
}

/** The names as they are compared, without empty ones. */
function keysOf(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => joined(lookAlikeKey(name))))].filter((key) => key !== '');
}

/** The words of a name. A capital letter after a small one begins a word. */
function wordsOf(name: string): string[] {
  return splitWords(name.normalize('NFKC').replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, ' '));
}

function splitWords(text: string): string[] {
  return text.split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== '');
}

/** Leaves letters and digits only, so the result is safe in a pattern. */
const joined = (text: string): string => splitWords(text).join('');

/** All runs of neighbouring words, each as one word: letters with spaces between them are a word too. */
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
