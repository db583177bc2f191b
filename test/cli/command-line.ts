/** The command line over a database: one process makes all calls, or each is a process of its own, as people run it. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import { sampling } from '../support/sample.ts';
import type { AskedCall } from './calls.ts';

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
 * `environment` is all there is: the settings of the test run play no part. `fresh`: makes the database before the
 * first command, which does not make one itself. `own`: a process for each call, or for the first call of each command.
 * In a sample one process makes all.
 */
export function commandLine(
  environment: Readonly<Record<string, string>>,
  { fresh = false, own = false }: { readonly fresh?: boolean; readonly own?: boolean | 'first' } = {},
): CommandLine {
  let made: Promise<unknown> | undefined;
  const seen = new Set<string>();
  const isFirst = (input: string, [noun, verb]: readonly string[]): boolean => {
    const command = `${noun} ${verb} ${input === '' ? '' : '<'}`;
    const isNew = !seen.has(command);
    seen.add(command);
    return isNew;
  };
  const run = async (input: string, args: readonly string[]): Promise<Answer> => {
    const env: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      PASSWORD_HASH_MEMORY: '8192',
      PASSWORD_HASH_TIME: '1',
      ...environment,
    };
    const alone = own === 'first' ? isFirst(input, args) : own;
    const answer = alone && !sampling ? spawned : called;
    if (fresh) made ??= answer(env, '', ['migrate', 'up']);
    await made;
    return answer(env, input, args);
  };
  return Object.assign((...args: string[]) => run('', args), {
    fed: (input: string, ...args: string[]) => run(input, args),
    async json<T>(...args: string[]): Promise<T> {
      const answer = await run('', [...args, '--json']);
      if (answer.code !== 0) throw new Error(`${args.join(' ')}: ${answer.code} ${answer.err}`);
      return JSON.parse(answer.out) as T;
    },
  });
}

function spawned(env: NodeJS.ProcessEnv, input: string, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
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
}

let calls: ChildProcess | undefined;
const waiting = new Map<number, (answer: Answer) => void>();
let count = 0;

function called(env: NodeJS.ProcessEnv, input: string, args: readonly string[]): Promise<Answer> {
  calls ??= startCalls();
  const { channel } = calls;
  channel?.ref();
  count += 1;
  const asked: AskedCall = { id: count, args, env, input, umask: process.umask() };
  calls.send(asked);
  return new Promise((resolve) => {
    waiting.set(asked.id, (answer) => {
      if (waiting.size === 0) channel?.unref();
      resolve(answer);
    });
  });
}

/** It ends with this process, which does not wait for it. */
function startCalls(): ChildProcess {
  const child = fork(join(import.meta.dirname, 'calls.ts'), { execArgv: [] });
  child.unref();
  child.on('message', ({ id, answer }: { id: number; answer: Answer }) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.(answer);
  });
  return child;
}
