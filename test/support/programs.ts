/** Programs of the machine that a suite runs, beside Node. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

function isThere(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Run where all of them are there; elsewhere the suite is skipped, and fails in CI. */
export function programsAreThere(programs: readonly string[]): boolean {
  const lacking = programs.filter((program) => !isThere(program));
  if (lacking.length > 0 && process.env.CI === 'true') throw new Error(`not on this machine: ${lacking.join(', ')}`);
  return lacking.length === 0;
}
