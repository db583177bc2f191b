/**
 * Names that a reader takes for another name. The letters are those of Unicode UTS 39 (confusables) that the five alphabets
 * share in names; capitals and small letters stand apart, because Greek Η looks like H and η like n.
 */
import { fold } from './names.ts';

const others = String.raw`[\p{scx=Cyrillic}\p{scx=Greek}\p{scx=Armenian}\p{scx=Cherokee}]`;
/** An accent has the extensions of several scripts: what is both Latin and another proves neither. */
const latin = new RegExp(`(?!${others})\\p{scx=Latin}`, 'u');
const other = new RegExp(`(?!\\p{scx=Latin})${others}`, 'u');

/**
 * Whether the text holds Latin letters together with Cyrillic, Greek, Armenian or Cherokee ones (Unicode Script_Extensions,
 * after NFKC). Digits, punctuation and marks that several scripts use belong to all of them. The whole text counts: where
 * words of two scripts may stand side by side, ask for each word.
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
  // The dot of an i is the only thing that keeps it from being an l, and its capital has none.
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
 * The text without the signs that NFKC makes letters or digits of: `Gatehouse™` is read as `Gatehouse`, not as
 * `GatehouseTM`. A letter in a circle goes too, so this is one reading beside the whole text.
 */
export function withoutSigns(text: string): string {
  return text.replaceAll(/[\p{S}\p{Lm}\p{No}]/gu, ' ');
}

/**
 * The Latin skeleton of a text: two texts that look alike have the same. For comparing a name with a short list of names
 * that are spoken for, not for telling accounts apart: `i`, `l` and `1` are one, accents, case and width are gone. Signs
 * such as `.`, `-` and spaces stay; the caller removes those that do not count.
 */
export function lookAlikeKey(text: string): string {
  const bare = text
    .normalize('NFKC')
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '');
  const letters = bare.replaceAll(smallCherokee, (letter) => letter.toUpperCase());
  const folded = fold(fromTable(letters));
  // Once more: a capital Latin letter of the table is known by its small one, and folding may set an accent free.
  return fromTable(folded).replaceAll('rn', 'm').replaceAll('vv', 'w');
}

function fromTable(text: string): string {
  return Array.from(text, (letter) => skeleton.get(letter) ?? letter).join('');
}
