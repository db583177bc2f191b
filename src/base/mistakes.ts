/** Formats mistakes in settings or files for a terminal: the given value, the wanted value, and an example. */

interface Mistake {
  readonly where: string;
  /** Safe to show. */
  readonly given: string;
  readonly wanted: string;
  /** Empty if there is no example. */
  readonly example: string;
  /** May have several lines. */
  readonly details?: string | undefined;
}

/** `thing` and `place` form the title: "2 things in routes.yaml need a change". `end`: the last paragraphs. */
export function mistakesAsText(
  mistakes: readonly Mistake[],
  { thing, place = '', end }: { readonly thing: string; readonly place?: string; readonly end: readonly string[] },
): string {
  const { length } = mistakes;
  const title = length === 1 ? `One ${thing}${place} needs a change:` : `${length} ${thing}s${place} need a change:`;
  const blocks = mistakes.map(({ where, given, wanted, example, details }) =>
    [
      `  ${where}`,
      `    given    ${given}`,
      `    wanted   ${wanted.replaceAll('`', '')}`,
      ...(example === '' ? [] : [`    example  ${example}`]),
      ...(details === undefined ? [] : [`\n${details.replaceAll(/^(?=.)/gm, '      ')}`]),
    ].join('\n'),
  );
  return [title, ...blocks, ...end].join('\n\n');
}
