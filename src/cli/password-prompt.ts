/** Asks an administrator for the password of an account. */
import type { Call, Opt } from './command.ts';
import { UsageError } from './usage-error.ts';

export const passwordOption: Opt = {
  flags: '--password-stdin',
  sentence: 'Read the password from standard input, one line. Without it, the command asks on the terminal.',
};

/** Passwords are never arguments, because those appear in the shell history and in the process list. */
export async function askPassword(call: Call, otherwise: string): Promise<string> {
  const { terminal } = call;
  if (call.flag('password-stdin')) {
    const line = (await terminal.readInput(16_384)).replace(/\r?\n$/, '');
    if (line === '') throw new UsageError('There is no password on standard input.');
    if (/[\r\n]/.test(line)) throw new UsageError('Standard input has more than one line.');
    return line;
  }
  if (!terminal.interactive) throw new UsageError(`There is no terminal to ask for the password: ${otherwise}.`);
  const password = await terminal.askSecret('Password: ');
  if (password === '') throw new UsageError('Nothing was entered. Nothing was changed.');
  if (password !== (await terminal.askSecret('Password again: ')))
    throw new UsageError('The passwords differ. Nothing was changed.');
  return password;
}
