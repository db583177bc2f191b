/**
 * What a command of the command line is: a row of a table (name, arguments, options, examples) and a function. The rows are
 * in `commands/`, a file for each noun and for what is longer than a row or two; `program.ts` makes commander and the help
 * from them, `reference.ts` the documentation.
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
  /** The verb under a noun, or the whole name of a command of its own. */
  readonly name: string;
  readonly sentence: string;
  readonly args?: readonly Arg[];
  readonly options?: readonly Opt[];
  /** More to know, below the options: whole sentences. */
  readonly details?: string;
  /** What stands behind `npm run cli --`. */
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

/** One call of a command: what was typed, and what it may use. Everything is opened when it is first asked for and closed behind it. */
export interface Call {
  /** Missing arguments have been refused before. */
  readonly args: readonly string[];
  /** By the option's name without its dashes, `redirect-uri`. */
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
      /** The one value that `--json` prints. */
      readonly json: JsonValue;
      /** What is printed without it; several lines, none at the end. */
      readonly text: string;
    }
  | {
      readonly outcome: 'refused';
      /** A word for programs. */
      readonly error: string;
      /** A sentence for people: what happened and what to do. */
      readonly message: string;
      /** More members for `--json`. */
      readonly more?: JsonObject;
    }
  /** It speaks for itself: `serve`, and `audit export`, which has written its lines. */
  | { readonly outcome: 'running' };

export const done = (json: JsonValue, text: string): Outcome => ({ outcome: 'done', json, text });

export const refused = (error: string, message: string, more?: JsonObject): Outcome => ({
  outcome: 'refused',
  error,
  message,
  ...(more ? { more } : {}),
});

/** How this command line is called from the project's folder. `-s` keeps npm's own lines out of what a program reads. */
export const calledAs = 'npm run -s cli --';

/** Who calls, and the detail of their audit records. */
export const via = { via: 'cli' } as const satisfies Caller;
