/**
 * A command: a row of a table (name, arguments, options, examples) and a function. The rows are in `commands/`, one
 * file for each noun or long command. `program.ts` makes commander and the help from them, `reference.ts` the
 * documentation.
 */

import type { JsonObject, JsonValue } from '../base/json.ts';
import type { Config } from '../config/config.ts';
import type { Clients } from '../core/clients/clients.ts';
import type { Core } from '../core/core.ts';
import type { Caller } from '../core/kernel/caller.ts';
import type { Terminal } from './terminal.ts';

export interface Noun {
  readonly name: string;
  readonly sentence: string;
  readonly commands: readonly Command[];
}

export interface Command {
  /** The verb after a noun, or the whole name of a command without a noun. */
  readonly name: string;
  readonly sentence: string;
  readonly args?: readonly Arg[];
  readonly options?: readonly Opt[];
  /** Further sentences below the options. */
  readonly details?: string;
  /** The part after `npm run cli --`. */
  readonly examples: readonly [string, ...string[]];
  run(call: Call): Promise<Outcome>;
}

export interface Arg {
  /** As commander writes it: `<id>` or `[id]`. */
  readonly name: string;
  readonly sentence: string;
}

export interface Opt {
  /** As commander writes them: `--name <text>`. */
  readonly flags: string;
  readonly sentence: string;
  /** May be given several times. */
  readonly many?: true;
  readonly choices?: readonly string[];
  /** A whole number within these bounds. */
  readonly number?: readonly [min: number, max: number];
}

/** One call of a command. Its resources are opened on first use and closed at the end. */
export interface Call {
  /** Missing arguments were refused before. */
  readonly args: readonly string[];
  /** `name` is the option without its dashes, such as `redirect-uri`. */
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  number(name: string): number | undefined;
  /** `--x` true, `--no-x` false, neither undefined. */
  flag(name: string): boolean | undefined;
  readonly terminal: Terminal;
  config(): Promise<Config>;
  core(): Promise<CommandCore>;
}

export interface CommandCore extends Core {
  close(): Promise<void>;
  readonly clients: Clients;
}

export type Outcome =
  | {
      readonly outcome: 'done';
      /** The value that `--json` prints. */
      readonly json: JsonValue;
      /** The text without `--json`; may have several lines, without a line break at the end. */
      readonly text: string;
    }
  | {
      readonly outcome: 'refused';
      /** The error code for programs. */
      readonly error: string;
      /** The message for people: what happened and what to do. */
      readonly message: string;
      /** More members for `--json`. */
      readonly more?: JsonObject;
    }
  /** The command prints its own output: `serve` and `audit export`. */
  | { readonly outcome: 'running' };

export const done = (json: JsonValue, text: string): Outcome => ({ outcome: 'done', json, text });

export const refused = (error: string, message: string, more?: JsonObject): Outcome => ({
  outcome: 'refused',
  error,
  message,
  ...(more ? { more } : {}),
});

/** How to call this command line from the project folder. `-s` hides npm's own lines from programs. */
export const calledAs = 'npm run -s cli --';

/** The caller of commands, and the detail of their audit records. */
export const via = { via: 'cli' } as const satisfies Caller;
