/** Builds a commander program from the table of commands: arguments, options, help, and hints for typing mistakes. */
import { Argument, InvalidArgumentError, Option, Command as Parser } from 'commander';
import { type Command, calledAs, type Noun, type Opt } from './command.ts';

/** The parsed command line of one command. */
export interface Typed {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

const jsonOption: Opt = {
  flags: '--json',
  sentence: 'Print one JSON value; problems as JSON on standard error.',
};

/** Every usage error throws commander's own error; `exitCode` is 0 if help was requested. */
export function createProgram(
  commands: readonly (Command | Noun)[],
  quiet: boolean,
  execute: (command: Command, typed: Typed) => Promise<void>,
): Parser {
  const program = new Parser(calledAs);
  dress(program, quiet);
  program.addOption(optionFor(jsonOption));
  program.description(
    'Gatehouse on the command line. It works beside a running server, which applies changes within a second.',
  );
  program.addHelpText(
    'after',
    `\nExamples:\n${[
      'clients register --name Bookshelf --redirect-uri https://app.example.com/callback',
      'accounts create alice',
      'clients register --help',
    ]
      .map((example) => `  ${calledAs} ${example}`)
      .join('\n')}\n\nSettings (DATA_DIR, DATABASE_URL, ISSUER …) are those of the server: see docs/settings.md.`,
  );
  const add = (parent: Parser, command: Command): void => {
    const parser = parent.command(command.name).description(command.sentence);
    dress(parser, quiet);
    for (const { name, sentence } of command.args ?? []) parser.addArgument(new Argument(name, sentence));
    for (const option of optionsOf(command)) parser.addOption(optionFor(option));
    parser.addHelpText('after', below(command));
    parser.action(() => execute(command, { args: parser.args, options: parser.opts() }));
  };
  for (const entry of commands) {
    if (!('commands' in entry)) {
      add(program, entry);
      continue;
    }
    const noun = program.command(entry.name).description(entry.sentence);
    dress(noun, quiet);
    noun.helpCommand(false);
    for (const command of entry.commands) add(noun, command);
  }
  return program;
}

export function optionsOf(command: Command): readonly Opt[] {
  return command.name === 'serve' ? [] : [...(command.options ?? []), jsonOption];
}

export function sentenceOf({ sentence, many, choices }: Opt): string {
  return `${sentence}${choices ? ` One of: ${choices.join(', ')}.` : ''}${many ? ' May be repeated.' : ''}`;
}

/** commander applies its settings only to parsers that are created later, so each parser gets its own. */
function dress(parser: Parser, quiet: boolean): void {
  parser.exitOverride();
  parser.showHelpAfterError('(add --help for what is possible)');
  if (quiet) parser.configureOutput({ writeErr: () => {}, outputError: () => {} });
}

function optionFor(opt: Opt): Option {
  const option = new Option(opt.flags, sentenceOf(opt));
  const { number, choices, many } = opt;
  option.argParser((value: string, before: unknown) => {
    if (choices && !choices.includes(value)) throw new InvalidArgumentError(`It is one of: ${choices.join(', ')}.`);
    if (number) return wholeNumber(value, number);
    return many ? [...(Array.isArray(before) ? before : []), value] : value;
  });
  return option;
}

function wholeNumber(text: string, [min, max]: readonly [number, number]): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
}

function below({ details, examples }: Command): string {
  const lines = examples.map((example) => `  ${calledAs} ${example}`);
  return `${details === undefined ? '' : `\n${details}\n`}\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`;
}
