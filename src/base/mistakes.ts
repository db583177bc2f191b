/** What is wrong in settings or in a file, as a text for a terminal: what was given, what is wanted, how it looks. */

interface Mistake {
  readonly where: string;
  /** Safe to show. */
  readonly given: string;
  readonly wanted: string;
  /** Empty: there is none. */
  readonly example: string;
  /** Several lines. */
  readonly details?: string | undefined;
}

/** `thing` and `place` make the title: "2 things in routes.yaml need a change". `end`: what follows the mistakes. */
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
