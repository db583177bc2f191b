/** A program that runs until it is told to end, by its process id. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { listens } from '../../support/nginx.ts';

export interface Daemon {
  readonly name: string;
  running(): boolean;
  /** The end of what it printed. */
  printed(): string;
  /** Sends the signal; kills it where it is still there after 20 seconds. What it ended with. */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Resolves when it listens, or where `ready` is given when that answers with 200. Rejects with what it printed. */
export async function startDaemon(options: {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly port: number;
  readonly ready?: string;
}): Promise<Daemon> {
  const { name, command, env, cwd, port, ready } = options;
  const child = spawn(command[0] ?? '', command.slice(1), {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed = (printed + chunk).slice(-20_000);
    });
  let how: number | NodeJS.Signals | null | undefined;
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code, signal) => resolve(code ?? signal));
  }).then((result) => {
    how = result;
    return result;
  });
  const stop: Daemon['stop'] = async (signal) => {
    child.kill(signal);
    const last = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const result = await ended;
    clearTimeout(last);
    return result;
  };
  const until = performance.now() + 30_000;
  while (!(await (ready === undefined ? listens(port) : answers(ready)))) {
    if (how !== undefined || performance.now() > until) {
      await stop('SIGKILL');
      throw new Error(`${name} did not start:\n${printed}`);
    }
    await sleep(50);
  }
  return { name, running: () => how === undefined, printed: () => printed, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
