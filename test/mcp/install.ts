/** Brings the MCP software into ignored folders beside this file, when it is not there yet. */
import { join } from 'node:path';
import { installIn } from '../clients/install.ts';

export const folder = import.meta.dirname;
export const python = join(folder, '.python/bin/python');

/** Why the Python SDK is not run; undefined: it is there. */
export const installPython = (): string | undefined => installIn(folder, 'python');
export const installNode = (): string | undefined => installIn(folder, 'node');
