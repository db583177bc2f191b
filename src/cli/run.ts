/**
 * Runs one command: parse, execute, print, close. Exit codes: 0 done, 1 refused or failed, 2 usage error.
 * The commands themselves are in `commands/`.
 */
import { CommanderError } from 'commander';
import { NoDatabase, Unavailable, Unusable } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { NotPrivate } from '../base/private-files.ts';
import type { Config } from '../config/config.ts';
import type { Mistake } from '../config/mistakes.ts';
import { knownProblem } from '../ops/start-problem.ts';
import type { Call, Command, CommandCore, Outcome } from './command.ts';
import { commands } from './commands.ts';
import { whereToLook } from './no-database.ts';
import { createProgram, type Typed } from './program.ts';
import { createTerminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export async function run(argv: readonly string[]): Promise<void> {
  // Known before parsing, for errors of the parser.
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  // The reader may close the pipe first (`… | head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const program = createProgram(commands, json, async (command, typed) =>
    print(await perform(command, typed, json), json),
  );
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    fail(error, json);
  }
}

async function perform(command: Command, { args, options }: Typed, json: boolean): Promise<Outcome> {
  let config: Promise<Config> | undefined;
  let core: Promise<CommandCore> | undefined;
  const option = (name: string): unknown =>
    options[name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
  const terminal = createTerminal(json);
  const call: Call = {
    args,
    text(name) {
      const value = option(name);
      return typeof value === 'string' ? value : undefined;
    },
    texts(name) {
      const value = option(name);
      return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
    },
    number(name) {
      const value = option(name);
      return typeof value === 'number' ? value : undefined;
    },
    flag(name) {
      const value = option(name);
      return typeof value === 'boolean' ? value : undefined;
    },
    terminal,
    config() {
      config ??= readConfig(terminal.remark);
      return config;
    },
    core() {
      core ??= this.config().then(openCommandCore);
      return core;
    },
  };
  try {
    return await command.run(call);
  } finally {
    const opened = await core?.catch(() => undefined);
    await opened?.close();
  }
}

class WrongSettings extends Error {
  readonly mistakes: readonly Mistake[];
  constructor(text: string, mistakes: readonly Mistake[]) {
    super(text);
    this.mistakes = mistakes;
  }
}

/** The database could not be opened; the message may be shown. */
class CannotOpen extends Error {}

async function readConfig(remark: (text: string) => void): Promise<Config> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = loadConfig(process.env);
  if (!loaded.ok) {
    const { describeMistakes } = await import('../config/mistakes.ts');
    throw new WrongSettings(describeMistakes(loaded.mistakes, loaded.warnings), loaded.mistakes);
  }
  loaded.warnings.forEach(remark);
  return loaded.config;
}

async function openCommandCore(config: Config): Promise<CommandCore> {
  // Output of libraries would corrupt the result.
  for (const name of ['info', 'log', 'warn'] as const) console[name] = () => {};
  const { openCore } = await import('../open-core.ts');
  const { createProtocol } = await import('../oidc/provider.ts');
  const { createClients } = await import('../core/clients/clients.ts');
  try {
    // The server makes the admin key at its first start and shows it. A key made here would never be shown.
    const core = await openCore(config, {
      logTo: process.stderr,
      logLevel: 'warn',
      makeAdminKey: false,
      mustExist: true,
    });
    const noPage = (): never => {
      throw new Error('there are no pages on the command line');
    };
    let clients: CommandCore['clients'] | undefined;
    return {
      ...core,
      get clients() {
        const device = { enter: noPage, confirm: noPage, done: noPage };
        const pages = { error: noPage, unreviewed: noPage, logout: noPage, signedOut: noPage, stale: noPage, device };
        clients ??= createClients({ ...core, checkWithEngine: createProtocol(core, pages).checkMetadata });
        return clients;
      },
    };
  } catch (error) {
    if (error instanceof Unavailable || error instanceof NotPrivate || !(error instanceof Error)) throw error;
    if (error instanceof NoDatabase) throw error;
    throw new CannotOpen(error.message, { cause: error });
  }
}

function print(outcome: Outcome, json: boolean): void {
  switch (outcome.outcome) {
    case 'done':
      process.stdout.write(`${json ? JSON.stringify(outcome.json, null, 2) : outcome.text}\n`);
      return;
    case 'refused':
      complain(1, outcome.error, outcome.message, json, outcome.more);
      return;
    case 'running':
      return;
  }
}

function fail(error: unknown, json: boolean): void {
  if (error instanceof CommanderError) {
    // Commander has already printed the message as text.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    const message =
      error.message === '(outputHelp)'
        ? 'The command is missing. --help lists all commands.'
        : error.message.replace(/^error: /, '');
    if (json && error.exitCode !== 0) complain(2, 'usage', message, json);
  } else if (error instanceof UsageError) complain(2, 'usage', error.message, json);
  else if (error instanceof WrongSettings) {
    const message = json ? 'Some settings are wrong.' : error.message;
    complain(1, 'settings', message, json, { mistakes: error.mistakes.map((mistake) => ({ ...mistake })) });
  } else if (error instanceof NoDatabase) complain(1, 'no_database', whereToLook(error), json);
  else if (error instanceof Unavailable) complain(1, 'unavailable', knownProblem(error) ?? error.message, json);
  else if (error instanceof CannotOpen || error instanceof Unusable || error instanceof NotPrivate) {
    complain(1, 'not_opened', knownProblem(error) ?? error.message, json);
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    complain(1, 'internal', `Internal error.\n${text}`, json);
  }
}

function complain(exitCode: 1 | 2, error: string, message: string, json: boolean, more: JsonObject = {}): void {
  process.exitCode = exitCode;
  process.stderr.write(`${json ? JSON.stringify({ error, message, ...more }) : message}\n`);
}
