/**
 * Follows the instructions of a Dockerfile in their order, and keeps what an image keeps. What is done in each is the
 * caller's.
 */
import { posix } from 'node:path';
import { type Dockerfile, DockerfileMistake, execOf, type Instruction, type Stage } from './parse.ts';
import { wordsOf } from './words.ts';

export interface Image {
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string;
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[] | undefined;
}

export interface Copy {
  readonly line: number;
  /** The number of an earlier stage; absent: the build context. */
  readonly from: number | undefined;
  readonly sources: readonly string[];
  /** Absolute; ends with a slash where it is to be a folder. */
  readonly target: string;
  readonly owner: string | undefined;
}

/** What happens in a stage; `image` is what it has so far. */
export interface Work {
  begin?(stage: number, base: string): void | Promise<void>;
  workdir?(stage: number, folder: string): void | Promise<void>;
  copy?(stage: number, copy: Copy): void | Promise<void>;
  run?(stage: number, command: readonly string[], image: Image, line: number): void | Promise<void>;
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What an official Node image says of itself. */
export const nodeImage: Image = {
  env: { PATH: systemPath },
  workdir: '/',
  user: 'root',
  volumes: [],
  ports: [],
  command: ['node'],
  healthcheck: undefined,
};

/** The image of the last stage. */
export async function build(dockerfile: Dockerfile, work: Work = {}): Promise<Image> {
  const before: Record<string, string> = {};
  for (const { text, line } of dockerfile.arguments) {
    guarded(line, () =>
      Object.assign(
        before,
        argumentOf(text, (name) => before[name]),
      ),
    );
  }
  let image = nodeImage;
  for (const [index, stage] of dockerfile.stages.entries()) {
    const base = guarded(stage.from.line, () => wordsOf(stage.image, (name) => before[name])).join(' ');
    if (!/^node:24(\.\d+)*(-[\w.-]+)?$/.test(base))
      throw new DockerfileMistake(stage.from.line, `${base} is not an official image of Node 24`);
    await work.begin?.(index, base);
    image = await follow(dockerfile, stage, index, work);
  }
  return image;
}

async function follow(dockerfile: Dockerfile, stage: Stage, index: number, work: Work): Promise<Image> {
  let image = nodeImage;
  let entrypoint: readonly string[] = [];
  let command: readonly string[] | undefined;
  const given: Record<string, string> = {};
  for (const step of stage.steps) {
    const { line, text, keyword } = step;
    // ENV wins over ARG.
    const words = (): string[] => guarded(line, () => wordsOf(text, (name) => image.env[name] ?? given[name]));
    const one = (): string => {
      const [word, ...more] = words();
      if (word === undefined || more.length > 0) throw new DockerfileMistake(line, `${keyword} takes one word`);
      return word;
    };
    if (keyword === 'ARG')
      Object.assign(
        given,
        guarded(line, () => argumentOf(text, (name) => image.env[name])),
      );
    else if (keyword === 'ENV') image = { ...image, env: { ...image.env, ...pairsOf(line, words()) } };
    else if (keyword === 'WORKDIR') {
      image = { ...image, workdir: posix.resolve(image.workdir, one()) };
      await work.workdir?.(index, image.workdir);
    } else if (keyword === 'USER') image = { ...image, user: one() };
    else if (keyword === 'EXPOSE') image = { ...image, ports: [...image.ports, ...words()] };
    else if (keyword === 'VOLUME') image = { ...image, volumes: [...image.volumes, ...(step.exec ?? words())] };
    else if (keyword === 'HEALTHCHECK') image = { ...image, healthcheck: healthcheckOf(step) };
    else if (keyword === 'COPY') {
      const copy = copyOf(dockerfile, index, step, words(), image.workdir);
      await work.copy?.(index, copy);
    } else if (keyword === 'RUN') {
      const run = { ...image, env: { ...given, ...image.env } };
      await work.run?.(index, step.exec ?? ['/bin/sh', '-c', text], run, line);
    } else if (keyword === 'ENTRYPOINT') entrypoint = step.exec ?? [];
    else if (keyword === 'CMD') command = step.exec;
    else throw new DockerfileMistake(line, `nothing here follows ${keyword}`);
  }
  // An ENTRYPOINT takes away the base image's CMD.
  return { ...image, command: [...entrypoint, ...(command ?? (entrypoint.length > 0 ? [] : nodeImage.command))] };
}

function argumentOf(text: string, lookup: (name: string) => string | undefined): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)(?:=([\s\S]*))?$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`ARG takes NAME or NAME=value, not "${text}"`);
  return value === undefined ? {} : { [name]: wordsOf(value, lookup).join(' ') };
}

function pairsOf(line: number, words: readonly string[]): Record<string, string> {
  const pairs = words.map((word) => /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word));
  const wrong = pairs.indexOf(null);
  if (wrong !== -1) throw new DockerfileMistake(line, `ENV takes NAME=value, not "${words[wrong]}"`);
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

function healthcheckOf({ line, text }: Instruction): readonly string[] | undefined {
  if (text === 'NONE') return undefined;
  const [, command] = /^CMD\s+(\[[\s\S]*)$/.exec(text) ?? [];
  if (command === undefined) throw new DockerfileMistake(line, 'HEALTHCHECK takes NONE or CMD with a JSON array');
  return execOf(line, command);
}

function copyOf(dockerfile: Dockerfile, index: number, step: Instruction, words: string[], workdir: string): Copy {
  const { line, flags } = step;
  const target = words.pop();
  if (target === undefined || words.length === 0) throw new DockerfileMistake(line, 'COPY takes a source and a target');
  if (words.length > 1 && !target.endsWith('/'))
    throw new DockerfileMistake(line, 'the target of several sources is a folder, and ends with a slash');
  const from = flags.get('from');
  const earlier = dockerfile.stages.slice(0, index);
  const stage = earlier.findIndex(({ name }, at) => from?.toLowerCase() === name || from === String(at));
  if (from !== undefined && stage === -1) throw new DockerfileMistake(line, `there is no earlier stage ${from}`);
  return {
    line,
    from: from === undefined ? undefined : stage,
    sources: words,
    target: posix.resolve(workdir, target) + (/(^|\/)\.?$/.test(target) ? '/' : ''),
    owner: flags.get('chown'),
  };
}

function guarded<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof DockerfileMistake ? error : new DockerfileMistake(line, (error as Error).message);
  }
}
