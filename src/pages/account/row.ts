/** A row of the table of account pages: its address, what it shows and takes, and which sign-in it needs. */
import type { Note } from './flash-messages.ts';
import type { Show, Take } from './visit.ts';

export interface Row {
  readonly path: string;
  readonly show?: Show;
  readonly take?: Take;
  /** Needs a sign-in of the last minutes. */
  readonly fresh?: true;
  /** Also needs the second factor, if the account has one. */
  readonly factor?: true;
  /** The page after that sign-in; by default this one. */
  readonly page?: string;
  /** Takes the recovery codes out of the flash message; every other page leaves them there. */
  readonly codes?: true;
  /** The query parameter with an id that this page is about. It is kept during the sign-in. */
  readonly about?: string;
  /** The part of the form that is kept during the sign-in. */
  readonly keep?: (form: ReadonlyMap<string, string>) => Note;
}

/** For actions that could give the account away. */
export const guarded = { fresh: true, factor: true } as const;
