/** Which files of the build context each COPY line takes, and which none does. */
import { posix } from 'node:path';
import { build, type Copy } from './build.ts';
import { patternOf } from './ignore.ts';
import { type Dockerfile, DockerfileMistake } from './parse.ts';

export interface Taken {
  readonly file: string;
  /** Where it goes in the stage, absolute. */
  readonly to: string;
}

/** Throws where a source takes nothing: it is not there, or .dockerignore leaves it out. */
export function takenBy(copy: Copy, files: readonly string[]): readonly Taken[] {
  return copy.sources.flatMap((source) => {
    const clean = source.replace(/^\.?\/+/, '').replace(/\/+$/, '');
    const pattern = patternOf(clean);
    const below = (name: string): string => posix.join(copy.target, name);
    const taken = files.flatMap((file): readonly Taken[] => {
      if (clean === '' || clean === '.') return [{ file, to: below(file) }];
      // One file, to a name of its own or into a folder; of a folder, what is in it.
      if (pattern.test(file))
        return [{ file, to: copy.target.endsWith('/') ? below(posix.basename(file)) : copy.target }];
      const parts = file.split('/');
      const folder = parts.findIndex((_, at) => at > 0 && pattern.test(parts.slice(0, at).join('/')));
      return folder === -1 ? [] : [{ file, to: below(parts.slice(folder).join('/')) }];
    });
    if (taken.length === 0) throw new DockerfileMistake(copy.line, `${source} is not in the build context`);
    return taken;
  });
}

/** What of the context is not in the image, because it is needed to make it alone. */
export const onlyForBuilding: readonly string[] = ['package-lock.json', '.npmrc'];

/**
 * What the context holds and no COPY line puts where the program has it. `.dockerignore` names what an image is made
 * of, so a file that is left over is a COPY line that is missing.
 */
export async function leftOver(dockerfile: Dockerfile, files: readonly string[]): Promise<readonly string[]> {
  const taken = new Set<string>();
  const placed = new Set<string>();
  const { workdir } = await build(dockerfile, {
    copy(stage, copy) {
      if (copy.from !== undefined) return;
      for (const { file, to } of takenBy(copy, files)) {
        taken.add(file);
        if (stage === dockerfile.stages.length - 1) placed.add(to);
      }
    },
  });
  return files.filter(
    (file) => !(onlyForBuilding.includes(file) ? taken.has(file) : placed.has(posix.join(workdir, file))),
  );
}

/** The Dockerfile without each source of each COPY line in turn: a line of one source goes as a whole. */
export function withoutEachSource(source: string): readonly { readonly without: string; readonly text: string }[] {
  const lines = source.split('\n');
  return lines.flatMap((line, at) => {
    const words = line.split(/\s+/);
    if (words[0] !== 'COPY') return [];
    const sources = words.slice(1, -1).filter((word) => !word.startsWith('--'));
    return sources.map((gone) => {
      const kept = sources.length === 1 ? '' : words.filter((word) => word !== gone).join(' ');
      return { without: `${gone} (line ${at + 1})`, text: lines.with(at, kept).join('\n') };
    });
  });
}
