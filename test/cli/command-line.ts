/** The command line as people run it: a process of its own over a database. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CommandLine {
  (...args: string[]): Promise<Answer>;
  /** With something on standard input. */
  fed(input: string, ...args: string[]): Promise<Answer>;
  /** The JSON of a command that has to succeed. */
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
}

/**
 * `environment` is all there is: the settings of the test run play no part. `fresh`: makes the database before the first command,
 * which does not make one itself.
 */
export function commandLine(
  environment: Readonly<Record<string, string>>,
  { fresh = false }: { readonly fresh?: boolean } = {},
): CommandLine {
  let made: Promise<unknown> | undefined;
  const run = async (input: string, args: readonly string[]): Promise<Answer> => {
    if (fresh) made ??= spawned('', ['migrate', 'up']);
    await made;
    return spawned(input, args);
  };
  const spawned = (input: string, args: readonly string[]): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const env = { PATH: process.env.PATH, PASSWORD_HASH_MEMORY: '8192', PASSWORD_HASH_TIME: '1', ...environment };
      const child = spawn(process.execPath, [main, ...args], { env });
      const [out, err]: [string[], string[]] = [[], []];
      child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out: out.join(''), err: err.join('') }));
      // A command that fails early does not read.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  return Object.assign((...args: string[]) => run('', args), {
    fed: (input: string, ...args: string[]) => run(input, args),
    async json<T>(...args: string[]): Promise<T> {
      const answer = await run('', [...args, '--json']);
      if (answer.code !== 0) throw new Error(`${args.join(' ')}: ${answer.code} ${answer.err}`);
      return JSON.parse(answer.out) as T;
    },
  });
}
