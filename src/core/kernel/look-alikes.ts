/**
 * Finds names that look like other names. The table holds letters of Unicode UTS 39 (confusables) in five scripts.
 * Capitals and small letters are separate rows of look-alikes, because Greek Η looks like H and η like n.
 */
import { fold } from './names.ts';

const others = String.raw`[\p{scx=Cyrillic}\p{scx=Greek}\p{scx=Armenian}\p{scx=Cherokee}]`;
/** Some accents belong to several scripts. A character that is both Latin and another script proves neither. */
const latin = new RegExp(`(?!${others})\\p{scx=Latin}`, 'u');
const other = new RegExp(`(?!\\p{scx=Latin})${others}`, 'u');

/**
 * Returns true if the text holds Latin letters and also Cyrillic, Greek, Armenian or Cherokee ones (Unicode
 * Script_Extensions, after NFKC). Digits, punctuation and shared marks are neutral. Call it per word if words of two
 * scripts may stand side by side.
 */
export function mixesScripts(text: string): boolean {
  const name = text.normalize('NFKC');
  return latin.test(name) && other.test(name);
}

const rows: readonly (readonly [string, string])[] = [
  ['a', 'ɑᴀⱥΑαАаᎪ@4'],
  ['ae', 'æᴁӔӕ'],
  ['b', 'ƀɓʙƄꞴΒβВвЬьᏴᏏ'],
  ['c', 'ȼƈᴄСсᏟ'],
  ['d', 'đɖɗðᴅԁᎠᏧ'],
  ['e', 'ɇᴇꬲΕЕеҽᎬ3'],
  ['f', 'ƒꜰꞘꞙꬵϜք'],
  ['g', 'ǥɠɡɢƍᶃԌᏀᏳց'],
  ['h', 'ħʜɦΗНнһհᎻᏂ'],
  ['j', 'ɉȷᴊꞲͿϳЈјյᎫ'],
  ['k', 'ƙᴋΚκКкᏦ'],
  // Without its dot an i looks like an l, and the capital I has no dot.
  ['l', 'iıɨɩɪɫłƚʟƖǀℓΙιІіЇӀӏꙇᎥᏞլ1|!'],
  ['m', 'ɱᴍΜϺМмᎷ'],
  ['n', 'ƞɲɳŋɴΝηոռ'],
  ['o', 'øɵɔᴏᴑꬽΟοσОоՕօ0'],
  ['oe', 'œɶ'],
  ['oo', 'ꝏꚙꚘ'],
  ['p', 'ƥᴘΡρРрᏢ'],
  ['q', 'ԛԚգզ'],
  ['r', 'ɍɾɽʀƦꭇꭈᴦГгᎡᏒꮁ'],
  ['s', 'ʂꜱƽƼЅѕՏᏕᏚ$5'],
  ['t', 'ŧƭʈᴛΤτТтᎢ7'],
  ['u', 'ʉʋᴜꞟꭎꭒυՍս'],
  ['v', 'ᴠνѴѵᏙ'],
  ['w', 'ɯᴡωѡԜԝաᎳᏔ'],
  ['x', 'ꭓꞳΧχХх'],
  ['y', 'ƴɏɣʏᶌỿꭚΥγУуҮүᎩᎽ'],
  ['z', 'ƶȥʐᴢΖᏃ'],
];

const skeleton = new Map(rows.flatMap(([to, letters]) => [...letters].map((letter): [string, string] => [letter, to])));

/** Small Cherokee letters have the shapes of the large ones. */
const smallCherokee = /[\u13f8-\u13fd\uab70-\uabbf]/gu;

/**
 * Replaces the signs that NFKC turns into letters or digits by spaces: `Gatehouse™` reads as `Gatehouse`, not as
 * `GatehouseTM`. Circled letters are lost too, so check the whole text as well.
 */
export function withoutSigns(text: string): string {
  return text.replaceAll(/[\p{S}\p{Lm}\p{No}]/gu, ' ');
}

/**
 * The Latin skeleton of a text; texts that look alike have the same skeleton. Compare it with a short list of reserved
 * names, not with other accounts: `i`, `l` and `1` are one, and accents, case and width are dropped. Signs such as `.`,
 * `-` and spaces stay; the caller removes those that do not count.
 */
export function lookAlikeKey(text: string): string {
  const bare = text
    .normalize('NFKC')
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '');
  const letters = bare.replaceAll(smallCherokee, (letter) => letter.toUpperCase());
  const folded = fold(fromTable(letters));
  // A second pass: the table lists some letters only in lower case, and folding may split a letter from its accent.
  return fromTable(folded).replaceAll('rn', 'm').replaceAll('vv', 'w');
}

function fromTable(text: string): string {
  return Array.from(text, (letter) => skeleton.get(letter) ?? letter).join('');
}
