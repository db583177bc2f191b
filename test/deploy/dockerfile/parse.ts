/**
 * Reads a Dockerfile into stages of instructions. It knows what this project's file needs; anything else (another
 * instruction, a flag, a here-document, a parser directive, a shell where none belongs) is a mistake with its line,
 * never passed over.
 */

export interface Instruction {
  /** Of its first line, from 1. */
  readonly line: number;
  readonly keyword: string;
  readonly flags: ReadonlyMap<string, string>;
  /** What follows the flags, as it is written. */
  readonly text: string;
  /** Present where that is a JSON array of strings. */
  readonly exec: readonly string[] | undefined;
}

export interface Stage {
  readonly from: Instruction;
  readonly image: string;
  readonly name: string | undefined;
  readonly steps: readonly Instruction[];
}

export interface Dockerfile {
  /** ARG lines before the first FROM. */
  readonly arguments: readonly Instruction[];
  readonly stages: readonly Stage[];
}

export class DockerfileMistake extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(`Dockerfile:${line}: ${message}`);
    this.line = line;
  }
}

interface Known {
  readonly flags?: readonly string[];
  readonly exec?: 'always' | 'or shell';
}

const known: Readonly<Record<string, Known>> = {
  FROM: {},
  ARG: {},
  ENV: {},
  WORKDIR: {},
  COPY: { flags: ['from', 'chown'] },
  RUN: { exec: 'or shell' },
  USER: {},
  EXPOSE: {},
  VOLUME: { exec: 'or shell' },
  HEALTHCHECK: { flags: ['interval', 'timeout', 'start-period', 'retries'] },
  // In a shell, the server would not be the process that signals reach.
  CMD: { exec: 'always' },
  ENTRYPOINT: { exec: 'always' },
};

export function parseDockerfile(source: string): Dockerfile {
  const before: Instruction[] = [];
  const stages: (Omit<Stage, 'steps'> & { readonly steps: Instruction[] })[] = [];
  for (const { line, text } of logicalLines(source)) {
    const found = instructionOf(line, text);
    const stage = stages.at(-1);
    if (found.keyword === 'FROM') {
      const [, image, name] = /^(\S+)(?:\s+AS\s+([a-z][a-z0-9_.-]*))?$/i.exec(found.text) ?? [];
      if (image === undefined) throw new DockerfileMistake(line, `FROM is followed by "${found.text}"`);
      stages.push({ from: found, image, name: name?.toLowerCase(), steps: [] });
    } else if (stage !== undefined) stage.steps.push(found);
    else if (found.keyword === 'ARG') before.push(found);
    else throw new DockerfileMistake(line, `${found.keyword} stands before the first FROM`);
  }
  if (stages.length === 0) throw new DockerfileMistake(1, 'there is no FROM');
  return { arguments: before, stages };
}

/** Lines put together where one ends with a backslash; comments and empty lines are left out, also in between. */
function logicalLines(source: string): { readonly line: number; readonly text: string }[] {
  const found: { line: number; text: string }[] = [];
  let open: { line: number; text: string } | undefined;
  source.split(/\r?\n/).forEach((written, index) => {
    if (/^\s*#\s*(syntax|escape|check)\s*=/i.test(written))
      throw new DockerfileMistake(index + 1, `the parser directive "${written.trim()}" is not known here`);
    if (/^\s*(#|$)/.test(written)) return;
    const continues = /\\\s*$/.test(written);
    const text = continues ? written.replace(/\\\s*$/, '') : written;
    open = open === undefined ? { line: index + 1, text } : { line: open.line, text: open.text + text };
    if (continues) return;
    found.push(open);
    open = undefined;
  });
  if (open !== undefined) found.push(open);
  return found;
}

function instructionOf(line: number, whole: string): Instruction {
  const [, word = '', rest = ''] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(whole) ?? [];
  const keyword = word.toUpperCase();
  const rules = known[keyword];
  if (rules === undefined) throw new DockerfileMistake(line, `the instruction ${word} is not known here`);
  const flags = new Map<string, string>();
  let text = rest;
  for (;;) {
    const [flag, name, value] = /^--([a-z-]+)(?:=(\S*))?(?:\s+|$)/.exec(text) ?? [];
    if (flag === undefined || name === undefined) break;
    if (!rules.flags?.includes(name) || value === undefined || flags.has(name))
      throw new DockerfileMistake(line, `the flag "${flag.trim()}" of ${keyword} is not known here`);
    flags.set(name, value);
    text = text.slice(flag.length);
  }
  if (text === '') throw new DockerfileMistake(line, `${keyword} is followed by nothing`);
  if (/<<-?["']?[A-Za-z]/.test(text)) throw new DockerfileMistake(line, 'a here-document is not known here');
  const exec = text.startsWith('[') ? execOf(line, text) : undefined;
  if (exec !== undefined && rules.exec === undefined)
    throw new DockerfileMistake(line, `${keyword} as a JSON array is not known here`);
  if (exec === undefined && rules.exec === 'always')
    throw new DockerfileMistake(line, `${keyword} has to be a JSON array, so that no shell stands in between`);
  return { line, keyword, flags, text, exec };
}

export function execOf(line: number, text: string): readonly string[] {
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // Docker would hand it to a shell without a word: it is said below.
  }
  throw new DockerfileMistake(line, `"${text}" is not a JSON array of strings`);
}
