/** Asks for confirmation before a change that cannot be undone; `--yes` skips the question. */
import { type Call, type Opt, refused } from './command.ts';

export const yesOption: Opt = { flags: '--yes', sentence: 'Do not ask.' };

export const confirmed = async (call: Call, question: string): Promise<boolean> =>
  call.flag('yes') === true || call.terminal.confirm(question);

export const cancelled = refused('cancelled', 'Nothing was changed.');
