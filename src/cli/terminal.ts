/**
 * The terminal of the command line, if there is one. Results go to standard output; questions, progress and problems go
 * to standard error, so that programs read only the result.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from './usage-error.ts';

export interface Terminal {
  /** True if a person can answer questions: both ends are a terminal. */
  readonly interactive: boolean;
  /** Reads one line without echo. */
  askSecret(question: string): Promise<string>;
  /** Returns true without a terminal, because scripts cannot answer. */
  confirm(question: string): Promise<boolean>;
  /** Standard input as a stream. */
  input(): AsyncIterable<Buffer>;
  /** Reads all of standard input, at most `limit` bytes, as UTF-8. */
  readInput(limit: number): Promise<string>;
  /**
   * Writes part of a long result and waits until the reader has taken it. Returns false if the reader has closed the
   * pipe.
   */
  write(text: string): Promise<boolean>;
  /** Prints a remark besides the result. */
  remark(text: string): void;
  /** Prints what is being done if it takes longer than a second, and updates it. */
  progress<T>(what: string, work: (step: (count: number) => void) => Promise<T>): Promise<T>;
}

export function createTerminal(quiet: boolean): Terminal {
  const { stdin, stderr } = process;
  const interactive = stdin.isTTY === true && stderr.isTTY === true;

  function ask(question: string, hidden: boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      stderr.write(question);
      // readline echoes input to its output, so a hidden answer gets an output that prints nothing.
      const nowhere = new Writable({ write: (_chunk, _encoding, next) => next() });
      const lines = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
      let answered = false;
      lines.once('line', (line) => {
        answered = true;
        lines.close();
        if (hidden) stderr.write('\n');
        resolve(line);
      });
      // Ctrl-C and Ctrl-D; the terminal has left raw mode by then.
      lines.once('SIGINT', () => lines.close());
      lines.once('close', () => {
        if (answered) return;
        stderr.write('\n');
        reject(new UsageError('Nothing was entered. Nothing was changed.'));
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
        // One line that changes on a terminal; in a log only one line at the start.
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
