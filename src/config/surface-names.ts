/** The mistake for an unknown name in `SURFACES`; the names come from the list of surfaces. */
import { nearest } from './misspellings.ts';
import { type Mistake, mistake } from './mistakes.ts';

/** Returns undefined if every name in `text` is known. */
export function surfacesMistake(text: string, known: readonly string[]): Mistake | undefined {
  if (text === 'all' || text === 'none') return undefined;
  const given = text.split(',').map((part) => part.trim());
  const meant = given.filter((part) => part !== '').map((part) => ({ part, name: meantBy(part, known) }));
  const unknown = meant.filter(({ part, name }) => part !== name);
  if (unknown.length === 0) return undefined;
  const guesses = unknown.flatMap(({ name }) => (name === undefined ? [] : [`\`${name}\``]));
  const guess = guesses.length === 0 ? '' : ` Did you mean ${guesses.join(' and ')}?`;
  const wanted = `\`all\`, \`none\`, or names separated by commas. Known surfaces: ${known.join(', ')}.${guess}`;
  const example = meant.flatMap(({ name }) => name ?? []).join(',');
  return mistake('SURFACES', text, wanted, example === '' ? 'all' : example);
}

function meantBy(part: string, known: readonly string[]): string | undefined {
  const name = part.toLowerCase();
  if (known.includes(part)) return part;
  return nearest(name, known) ?? (name.length < 4 ? undefined : known.find((one) => one.startsWith(name)));
}
