/**
 * Builds a Dockerfile for real: each stage in a scratch root of its own. A stage that was built before, word for word,
 * is taken again.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Copy, type Image } from './build.ts';
import { takenBy } from './context.ts';
import { patternOf } from './ignore.ts';
import { idOf, type Machine } from './machine.ts';
import { type Dockerfile, DockerfileMistake } from './parse.ts';

export interface Built {
  readonly image: Image;
  /** The last stage's. */
  readonly root: string;
}

export interface Builder {
  build(dockerfile: Dockerfile): Promise<Built>;
}

export function createBuilder(means: {
  readonly machine: Machine;
  readonly context: string;
  readonly files: readonly string[];
  readonly scratch: string;
  readonly say: (text: string) => void;
}): Builder {
  const { machine, context, files, scratch, say } = means;
  const before = new Map<string, string>();
  let made = 0;
  return {
    async build(dockerfile) {
      const roots: string[] = [];
      const isDone = new Set<number>();
      const rootOf = (stage: number): string => roots[stage] ?? '';
      const image = await build(dockerfile, {
        begin(stage, base) {
          // A stage stands for itself and for all that it may copy from.
          const key = JSON.stringify(
            dockerfile.stages.slice(0, stage + 1).map(({ steps }) => steps.map(({ keyword, text }) => keyword + text)),
          );
          const known = before.get(key);
          roots[stage] = known ?? join(scratch, `stage-${made++}`);
          if (known !== undefined) {
            isDone.add(stage);
            return;
          }
          say(`stage ${stage}, from ${base}`);
          mkdirSync(rootOf(stage), { recursive: true });
          machine.prepare(rootOf(stage));
          if (stage < dockerfile.stages.length - 1) before.set(key, rootOf(stage));
        },
        workdir(stage, folder) {
          if (!isDone.has(stage)) mkdirSync(join(rootOf(stage), folder), { recursive: true });
        },
        copy(stage, copy) {
          if (isDone.has(stage)) return;
          if (copy.from === undefined) copyContext(context, files, rootOf(stage), copy);
          else copyStage(rootOf(copy.from), rootOf(stage), copy);
          if (copy.owner !== undefined && machine.hasUsers) giveTo(rootOf(stage), copy.target, copy.owner);
        },
        async run(stage, words, { env, workdir, user }, line) {
          if (isDone.has(stage)) return;
          say(`  RUN ${words.at(-1)}`);
          const { code, printed } = await ended(machine.start(rootOf(stage), { words, env, workdir, user }));
          if (code !== 0) throw new DockerfileMistake(line, `RUN ended with ${code}:\n${printed}`);
        },
      });
      return { image, root: rootOf(roots.length - 1) };
    },
  };
}

export function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly printed: string }> {
  let printed = '';
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-8000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, printed }));
  });
}

function copyContext(context: string, files: readonly string[], root: string, copy: Copy): void {
  for (const { file, to } of takenBy(copy, files)) {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    cpSync(join(context, file), join(root, to));
  }
}

function copyStage(from: string, root: string, copy: Copy): void {
  for (const source of copy.sources) {
    for (const path of matching(from, source, copy.line)) {
      const target = join(root, copy.target);
      const folder = statSync(path).isDirectory();
      mkdirSync(folder || copy.target.endsWith('/') ? target : dirname(target), { recursive: true });
      // Hard links: nothing writes into what a stage was given.
      execFileSync('cp', ['-al', folder ? `${path}/.` : path, target]);
    }
  }
}

function matching(root: string, source: string, line: number): string[] {
  let found = [root];
  for (const part of source.split('/').filter((name) => name !== '' && name !== '.')) {
    const pattern = patternOf(part);
    found = found.flatMap((folder) =>
      existsSync(folder) && lstatSync(folder).isDirectory()
        ? readdirSync(folder)
            .filter((name) => pattern.test(name))
            .map((name) => join(folder, name))
        : [],
    );
  }
  if (found.length === 0) throw new DockerfileMistake(line, `${source} is not in that stage`);
  return found;
}

function giveTo(root: string, target: string, owner: string): void {
  const [user = '', group = user] = owner.split(':');
  const path = join(root, target);
  const [uid, gid] = [idOf(root, user), idOf(root, group)];
  chownSync(path, uid, gid);
  if (statSync(path).isDirectory()) execFileSync('chown', ['-hR', `${uid}:${gid}`, path]);
}
