/**
 * Runs calls of the command line one after the other, as the parent process asks: a process for each costs most of a
 * second.
 */
import { Readable } from 'node:stream';
import { run } from '../../src/cli/run.ts';

export interface AskedCall {
  readonly id: number;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly input: string;
  readonly umask: number;
}

if (import.meta.main) {
  let last = Promise.resolve();
  process.stdout.setMaxListeners(0);
  process.on('message', (asked: AskedCall) => {
    last = last.then(() => answer(asked));
  });
}

async function answer({ id, args, env, input, umask }: AskedCall): Promise<void> {
  process.env = env;
  process.exitCode = undefined;
  process.umask(umask);
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  const [out, err]: [string[], string[]] = [[], []];
  keep(process.stdout, out);
  keep(process.stderr, err);
  await run(args);
  process.send?.({ id, answer: { code: Number(process.exitCode ?? 0), out: out.join(''), err: err.join('') } });
}

/** What is written to it from now on. */
function keep(stream: NodeJS.WriteStream, printed: string[]): void {
  stream.write = (text: string | Uint8Array, ...rest: unknown[]) => {
    printed.push(text.toString());
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
}
