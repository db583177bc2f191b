import { table } from './schema.ts';

/**
 * Variables that look like misspelt settings: a warning, not an error, because the environment has other variables too.
 */
export function misspellings(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set<string>(table.flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name])));
  const warnings: string[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (known.has(name) || !/^[A-Z][A-Z0-9_]{3,40}$/.test(name)) continue;
    const plain = name.replace(/_FILE$/, '');
    if (plain !== name && known.has(plain)) {
      warnings.push(`${name} is not read: ${plain} is not a secret and has no file variant.`);
      continue;
    }
    const meant = nearest(name, [...known]);
    if (meant) warnings.push(`${name} is not a setting. Did you mean ${meant}?`);
  }
  return warnings;
}

/** Returns the name that was probably meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  return known.find((other) => resembles(name, other, other.length >= 8 ? 2 : 1));
}

/**
 * Whether the two differ by at most `slips` consecutive letters, added, missing or changed, or by two swapped letters;
 * underscores do not count. An edit distance over a whole environment would add 20 ms to every start.
 */
function resembles(a: string, b: string, slips: number): boolean {
  const [from, to] = [a.replaceAll('_', ''), b.replaceAll('_', '')];
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < shorter - head && from.at(-1 - tail) === to.at(-1 - tail)) tail++;
  const [wrong, right] = [from.slice(head, from.length - tail), to.slice(head, to.length - tail)];
  const swapped = wrong.length === 2 && wrong === `${right[1]}${right[0]}`;
  return swapped || Math.max(wrong.length, right.length) <= slips;
}
