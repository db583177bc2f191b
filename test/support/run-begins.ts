/** Before the suites of a run: a folder for what they write, and a word on what is left out. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, needs, placeOf } from './needs.ts';
import { sampling } from './sample.ts';

const memory = '/dev/shm';
const enough = 2 ** 30;

export default function runBegins(): void {
  if (sampling) say(`Left out: ${needs.join(', ')}. Nothing is left out by: npm run test:all`);
  else for (const need of needs) if (!placeOf(need)) say(missing(need));

  // In memory where there is room: a database on a disk waits for the disk at each commit.
  const { bavail, bsize } = existsSync(memory) ? statfsSync(memory) : { bavail: 0, bsize: 0 };
  const folder = mkdtempSync(join(bavail * bsize > enough ? memory : tmpdir(), 'gatehouse-tests-'));
  // For all users, as the usual one: some suites run a program as another user.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  process.env.TEST_RUN_FOLDER = join(folder, 'once');
  mkdirSync(process.env.TEST_RUN_FOLDER);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}

const say = (line: string) => process.stderr.write(`${line}\n`);
