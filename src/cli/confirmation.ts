/** Asks before what cannot be taken back; `--yes` says it beforehand. */
import { type Call, type Opt, refused } from './command.ts';

export const yesOption: Opt = { flags: '--yes', sentence: 'Do not ask.' };

export const confirmed = async (call: Call, question: string): Promise<boolean> =>
  call.flag('yes') === true || call.terminal.confirm(question);

export const cancelled = refused('cancelled', 'Nothing was changed.');
