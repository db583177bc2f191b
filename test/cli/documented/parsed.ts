/**
 * Whether a documented call of our own command line is one: the command is there, and takes these arguments and
 * options.
 */
import { CommanderError } from 'commander';
import { commands, everyCommand } from '../../../src/cli/commands.ts';
import { createProgram } from '../../../src/cli/program.ts';

const isPlaceholder = (word: string): boolean => /^[<[].*[>\]]$|^…$/.test(word);

/** Undefined: it is right. `whole`: every required argument must stand there as well. */
export async function commandLineMistake(words: readonly string[], whole: boolean): Promise<string | undefined> {
  const named = words.filter((word) => !isPlaceholder(word));
  if (named.length < words.length || !whole) return unknownName(named) ?? (await parseMistake(named, false));
  return parseMistake(words, true);
}

function unknownName(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const line = `${words.join(' ')} `;
  return everyCommand().some(({ name }) => line.startsWith(`${name} `)) ? undefined : `there is no command ${line}`;
}

async function parseMistake(words: readonly string[], whole: boolean): Promise<string | undefined> {
  if (words.length === 0) return undefined;
  const program = createProgram(commands, true, async () => {});
  try {
    await program.parseAsync([...words], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) return undefined;
    if (!whole && error.code === 'commander.missingArgument') return undefined;
    return error.message;
  }
}
