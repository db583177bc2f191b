/** After the suites of a run: the databases that others were copied from go. */
import { templatesOfRun } from './once/run-folder.ts';
import { dropDatabase } from './postgres-server.ts';

export default async function runEnds(): Promise<void> {
  for (const name of templatesOfRun()) await dropDatabase(name);
}
