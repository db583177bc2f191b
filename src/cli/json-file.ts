/** Reads JSON from a file, or from standard input if the path is `-`. */
import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../base/json.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const sizeLimit = 1024 * 1024;

/** Throws `UsageError` if there is no JSON object; core checks its members. */
export async function readJsonObject(path: string, terminal: Terminal): Promise<JsonObject> {
  const where = path === '-' ? 'Standard input' : path;
  const text = path === '-' ? await terminal.readInput(sizeLimit) : await read(path);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${where} does not contain a JSON object.`);
  }
  return value as JsonObject;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'no reason given'}.`);
  }
}
