/** Asks an admin for somebody's password. */
import type { Call, Opt } from './command.ts';
import { UsageError } from './usage-error.ts';

export const passwordOption: Opt = {
  flags: '--password-stdin',
  sentence: 'Read the password from standard input, one line. Without it you are asked on the terminal.',
};

/** Never an argument: those are in the shell's history and in everybody's list of processes. */
export async function askPassword(call: Call, otherwise: string): Promise<string> {
  const { terminal } = call;
  if (call.flag('password-stdin')) {
    const line = (await terminal.readInput(16_384)).replace(/\r?\n$/, '');
    if (line === '') throw new UsageError('There is no password on standard input.');
    if (/[\r\n]/.test(line)) throw new UsageError('Standard input holds more than one line.');
    return line;
  }
  if (!terminal.interactive) throw new UsageError(`There is no terminal to ask for the password: ${otherwise}.`);
  const password = await terminal.askSecret('Password: ');
  if (password === '') throw new UsageError('Nothing was entered, and nothing was changed.');
  if (password !== (await terminal.askSecret('Once more: ')))
    throw new UsageError('The two are not the same. Nothing was changed.');
  return password;
}
