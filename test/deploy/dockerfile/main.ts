/**
 * npm run dockerfile -- [--mapped] [--file Dockerfile]
 *
 * Follows the Dockerfile without Docker: each stage in a scratch root of its own, the last one's CMD as its ordinary
 * user with exactly its ENV and what `docker run -e` would give (docs/testing.md). `--mapped` does without a chroot, as
 * for a user who may not.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createReport } from '../report.ts';
import { checkImage } from './checks.ts';
import { leftOver, withoutEachSource } from './context.ts';
import { contextFiles } from './ignore.ts';
import { chooseMachine } from './machine.ts';
import { parseDockerfile } from './parse.ts';
import { endAll, problemOfRunning } from './server.ts';
import { type Built, createBuilder } from './stages.ts';

const context = join(import.meta.dirname, '../../..');
const { values } = parseArgs({
  options: {
    mapped: { type: 'boolean', default: false },
    file: { type: 'string', default: join(context, 'Dockerfile') },
  },
});

const began = performance.now();
const report = createReport();
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-dockerfile-'));
// The ordinary user goes through it.
chmodSync(scratch, 0o755);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endAll();
    rmSync(scratch, { recursive: true, force: true });
    process.exit(1);
  });
try {
  const machine = chooseMachine(values.mapped ? 'mapped' : undefined);
  const source = readFileSync(values.file, 'utf8');
  const files = contextFiles(context);
  const builder = createBuilder({ machine, context, files, scratch, say: (text) => console.log(`      ${text}`) });

  /** Of a Dockerfile that lacks something. */
  async function problemOf(text: string): Promise<string | undefined> {
    try {
      const dockerfile = parseDockerfile(text);
      const left = await leftOver(dockerfile, files);
      if (left.length > 0) return `no COPY line takes ${left[0]}`;
      return await problemOfRunning(machine, await builder.build(dockerfile));
    } catch (error) {
      return String(error);
    }
  }

  const known = await report.check('every instruction is known', () => {
    const { stages } = parseDockerfile(source);
    return `${stages.reduce((sum, { steps }) => sum + steps.length + 1, 0)} in ${stages.length} stages`;
  });
  const complete =
    known &&
    (await report.check('a COPY line takes every file that .dockerignore lets in', async () => {
      const left = await leftOver(parseDockerfile(source), files);
      if (left.length > 0)
        throw new Error(`no COPY line takes ${left.slice(0, 5).join(', ')}${left.length > 5 ? ', …' : ''}`);
      return `${files.length} files`;
    }));
  if (complete) {
    const built: { image?: Built } = {};
    await report.check(`every stage is built (${machine.name})`, async () => {
      built.image = await builder.build(parseDockerfile(source));
    });
    if (built.image !== undefined) {
      await checkImage(report, machine, built.image, { folder: context, files });
      for (const { without, text } of withoutEachSource(source)) {
        await report.check(`without ${without} it fails`, async () => {
          if ((await problemOf(text)) === undefined) throw new Error('it starts, and says nothing');
        });
      }
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
report.end(began);
