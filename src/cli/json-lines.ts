/** Reads JSON lines from a file, or from standard input if the path is `-`, without keeping all in memory. */
import { createReadStream } from 'node:fs';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Bytes; longer lines are refused. */
const lineMax = 64 * 1024;

type JsonLine =
  /** `line` counts from 1. Empty lines are counted and skipped. */
  { readonly line: number; readonly value: unknown } | { readonly line: number; readonly problem: string };

/** Throws `UsageError` if the file cannot be read. */
export async function* readJsonLines(path: string, terminal: Terminal): AsyncGenerator<JsonLine> {
  const source: AsyncIterable<Buffer> = path === '-' ? terminal.input() : createReadStream(path);
  let line = 0;
  try {
    for await (const bytes of linesOf(source)) {
      line += 1;
      const read = parse(bytes, line);
      if (read !== undefined) yield read;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new UsageError(`${path} cannot be read: ${code}.`);
  }
}

/** Yields each line without its end; null for a line that is too long. */
async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null> {
  let parts: Buffer[] = [];
  let size = 0;
  const keep = (part: Buffer): void => {
    size += part.length;
    if (size > lineMax) parts = [];
    else parts.push(part);
  };
  const taken = (): Buffer | null => {
    const line = size > lineMax ? null : Buffer.concat(parts);
    [parts, size] = [[], 0];
    return line;
  };
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      keep(chunk.subarray(from, end));
      yield taken();
      from = end + 1;
    }
    keep(chunk.subarray(from));
  }
  if (size > 0) yield taken();
}

function parse(bytes: Buffer | null, line: number): JsonLine | undefined {
  if (bytes === null) return { line, problem: `It is longer than ${lineMax} bytes.` };
  let text: string;
  try {
    // Also removes a byte order mark.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { line, problem: 'It is not UTF-8 text.' };
  }
  if (text.trim() === '') return undefined;
  try {
    return { line, value: JSON.parse(text) };
  } catch {
    // The parser's message quotes the line, which contains a password hash.
    return { line, problem: 'It is not JSON.' };
  }
}
