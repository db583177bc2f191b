/**
 * The commands that the pages show: shell blocks, indented lines, and what stands between backticks. Read as a shell
 * would.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');

export interface Shown {
  /** `docs/cli.md:90`. */
  readonly where: string;
  readonly text: string;
  /** Assignments before the command: `ISSUER`. */
  readonly variables: readonly string[];
  /** Without the assignments and what follows `<` or `>`. */
  readonly words: readonly string[];
  /** A line of a block, which a reader pastes; between backticks a command may be named only in part. */
  readonly whole: boolean;
  /** The first line of its fenced block. */
  readonly block: string;
}

export const pages = (): string[] =>
  ['*.md', 'docs/**/*.md', 'deploy/**/*.md']
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((page) => page.replaceAll('\\', '/'))
    .sort();

/** This project's own programs, and what pretends to be one. */
const ours = /^(npm|npx|yarn|pnpm|node|docker|cp|bash|sh|gatehouse|(\.\/)?(scripts|deploy|\.ci)\/[\w./-]+)$/;

/** `programs`: which commands are of interest. */
export function shownIn(page: string, text = textOf(page), programs = ours): Shown[] {
  const found: Shown[] = [];
  const add = (line: number, code: string, block?: string) =>
    found.push(
      ...commandsOf({ where: `${page}:${line}`, text: code, whole: block !== undefined, block: block ?? '' }, programs),
    );
  let fence: string | undefined;
  let block = '';
  let pending = '';
  for (const [index, line] of text.split('\n').entries()) {
    const mark = /^\s*```(\w*)/.exec(line);
    if (mark) {
      fence = fence === undefined ? (mark[1] ?? '') : undefined;
      block = pending = '';
    } else if (fence === undefined && !/^ {4}/.test(line)) {
      for (const [, code = ''] of line.matchAll(/`([^`]+)`/g)) add(index + 1, code);
    } else if (fence === undefined || ['', 'sh', 'bash', 'shell', 'console'].includes(fence)) {
      block ||= line;
      pending += line.trim();
      if (pending.endsWith('\\')) pending = pending.slice(0, -1);
      else {
        add(index + 1, pending, fence === undefined ? '' : block);
        pending = '';
      }
    }
  }
  return found;
}

const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The language and text of each fenced block. */
export function blocksOf(page: string, text = textOf(page)): { readonly language: string; readonly code: string }[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({ language, code }));
}

function commandsOf(at: Omit<Shown, 'variables' | 'words'>, programs: RegExp): Shown[] {
  return split(at.text).flatMap((words) => {
    const isAssignment = (word: string) => /^[A-Z][A-Z0-9_]*=/.test(word);
    const first = words.findIndex((word) => !isAssignment(word));
    const command = first < 0 ? [] : words.slice(first);
    if (!programs.test(command[0] ?? '')) return [];
    // A word alone between backticks names a file or a program, and no command.
    if (!at.whole && command.length === 1 && !/^(npm|npx)$/.test(command[0] ?? '')) return [];
    const variables = words.slice(0, first).map((word) => word.slice(0, word.indexOf('=')));
    const redirect = command.findIndex((word) => word === '<' || word === '>');
    return [{ ...at, variables, words: redirect < 0 ? command : command.slice(0, redirect) }];
  });
}

/** The commands of a line, each as its words. Comments are left out. */
function split(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of line.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'|;&<>]|<[\w-][\w -]*>)+|&&|[|;&<>]/g)) {
    if (token.startsWith('#')) break;
    if (['&&', '|', ';', '&'].includes(token)) commands.push([]);
    else commands.at(-1)?.push(token.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_all, a, b) => a ?? b));
  }
  return commands;
}
