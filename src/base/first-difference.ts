/** The index at which `a` begins to differ from `b`, never inside a character. */
export function firstDifference(a: string, b: string): number {
  let index = 0;
  for (const character of a) {
    if (!b.startsWith(character, index)) break;
    index += character.length;
  }
  return index;
}
