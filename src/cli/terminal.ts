/**
 * The terminal in front of the command line, if there is one. Results go to standard output; questions, progress and problems
 * go to standard error, so that what a program reads from standard output is the result and nothing else.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from './usage-error.ts';

export interface Terminal {
  /** Whether a person can be asked: both ends are a terminal. */
  readonly interactive: boolean;
  /** One line, not shown while it is typed. */
  askSecret(question: string): Promise<string>;
  /** True where nobody can be asked: a script means what it says. */
  confirm(question: string): Promise<boolean>;
  /** Standard input as it comes. */
  input(): AsyncIterable<Buffer>;
  /** All of standard input, at most `limit` bytes, as UTF-8. */
  readInput(limit: number): Promise<string>;
  /**
   * Writes part of a result that is too long to be held, and waits until the reader has taken it. False once the reader is gone.
   */
  write(text: string): Promise<boolean>;
  /** A remark beside the result. */
  remark(text: string): void;
  /** Says what is being done once it has taken a second, and again while it goes on. */
  progress<T>(what: string, work: (step: (count: number) => void) => Promise<T>): Promise<T>;
}

export function createTerminal(quiet: boolean): Terminal {
  const { stdin, stderr } = process;
  const interactive = stdin.isTTY === true && stderr.isTTY === true;

  function ask(question: string, hidden: boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      stderr.write(question);
      // readline echoes what is typed to its output: a hidden answer has one that shows nothing.
      const nowhere = new Writable({ write: (_chunk, _encoding, next) => next() });
      const lines = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
      let answered = false;
      lines.once('line', (line) => {
        answered = true;
        lines.close();
        if (hidden) stderr.write('\n');
        resolve(line);
      });
      // Ctrl-C and Ctrl-D; the terminal is out of raw mode by then.
      lines.once('SIGINT', () => lines.close());
      lines.once('close', () => {
        if (answered) return;
        stderr.write('\n');
        reject(new UsageError('Nothing was entered, and nothing was changed.'));
      });
    });
  }

  return {
    interactive,
    askSecret: (question) => ask(question, true),
    async confirm(question) {
      if (!interactive) return true;
      return /^y(es)?$/i.test((await ask(`${question} [y/N] `, false)).trim());
    },
    input: () => stdin,
    async readInput(limit) {
      const parts: Buffer[] = [];
      let size = 0;
      for await (const part of stdin as AsyncIterable<Buffer>) {
        parts.push(part);
        size += part.length;
        if (size > limit) throw new UsageError(`Standard input is longer than ${limit} bytes.`);
      }
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
      } catch {
        throw new UsageError('Standard input is not UTF-8 text.');
      }
    },
    write: (text) =>
      new Promise((resolve) => {
        if (process.stdout.destroyed) resolve(false);
        else process.stdout.write(text, (error) => resolve(!error));
      }),
    remark(text) {
      if (!quiet) stderr.write(`${text}\n`);
    },
    async progress(what, work) {
      if (quiet) return work(() => {});
      let count: number | undefined;
      let shown = false;
      const timer = setInterval(() => {
        // One line that changes on a terminal; in a log a line at the start is enough.
        if (shown && !stderr.isTTY) return;
        shown = true;
        const line = `${what} …${count === undefined ? '' : ` ${count}`}`;
        stderr.write(stderr.isTTY ? `\r${line}` : `${line}\n`);
      }, 1000);
      try {
        return await work((step) => {
          count = step;
        });
      } finally {
        clearInterval(timer);
        if (shown && stderr.isTTY) stderr.write('\r\x1b[K');
      }
    },
  };
}
