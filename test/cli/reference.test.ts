import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { commands, everyCommand } from '../../src/cli/commands.ts';
import { createProgram } from '../../src/cli/program.ts';
import { reference } from '../../src/cli/reference.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const names = everyCommand().map(({ name }) => name);

test('the table and docs/cli.md list the same commands', () => {
  const documented = [...page.matchAll(/^ {4}npm run -s cli -- (.+?)(?: \[options\]| [<[]|$)/gm)].map(
    (match) => match[1] ?? '',
  );
  expect(documented.sort()).toEqual([...names].sort());
  expect(new Set(names).size).toBe(names.length);
});

test('docs/cli.md is what the table says', () => {
  expect(page).toBe(reference());
});

/** As a shell would take them apart. */
const wordsOf = (example: string): string[] =>
  (example.replace(/ < .*$/, '').match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

const examples = everyCommand().flatMap(({ name, command }) =>
  command.examples.map((example) => [example, name] as const),
);

test.each(examples)('%s: the example is one of its command and can be parsed', async (example, name) => {
  expect(`${example} `.startsWith(`${name} `)).toBe(true);
  let executed: unknown;
  const program = createProgram(commands, true, async (command) => {
    executed = command;
  });
  await program.parseAsync(wordsOf(example), { from: 'user' });
  expect(executed).toBe(everyCommand().find((one) => one.name === name)?.command);
});
