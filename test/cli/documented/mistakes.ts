/** What is wrong with a documented command, without running it. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { table } from '../../../src/config/schema.ts';
import { commandLineMistake } from './parsed.ts';
import { root, type Shown } from './shell.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const settings = new Set<string>(table.flatMap(([name]) => [name, `${name}_FILE`]));

const composeServices = new Set(Object.keys((parse(read('deploy/compose.yaml')) as { services: object }).services));

/** npm's own words that need no script of ours. */
const npmWords = ['ci', 'install'];

/** What follows `npm run [-s] cli --` or `node src/cli/main.ts`; undefined: it is something else. */
export function ourArguments(words: readonly string[]): readonly string[] | undefined {
  const at = words.indexOf('src/cli/main.ts');
  if (at > 0 && words[at - 1] === 'node') return words.slice(at + 1);
  const [npm, run, ...rest] = words.filter((word) => word !== '-s');
  return npm === 'npm' && run === 'run' && rest[0] === 'cli' ? rest.slice(rest[1] === '--' ? 2 : 1) : undefined;
}

export async function mistakesIn(shown: Shown): Promise<string[]> {
  const { words, whole } = shown;
  const cli = ourArguments(words);
  const found = cli
    ? [await commandLineMistake(cli, whole)]
    : [...programMistakes(words), ...missingFiles(words.slice(1))];
  return [...found, ...dockerMistakes(words), ...variableMistakes(shown)]
    .filter((mistake) => mistake !== undefined)
    .map((mistake) => `${shown.where}: \`${shown.text}\`: ${mistake}`);
}

function programMistakes([program = '', ...rest]: readonly string[]): (string | undefined)[] {
  if (program === 'npm') return [npmMistake(rest)];
  if (program === 'npx') {
    return rest[0] === 'node' || rest[0] === 'tsc' ? [] : [`npx ${rest[0]}: no package of this name is ours`];
  }
  if (['node', 'docker', 'cp', 'bash', 'sh'].includes(program)) return [];
  return existsSync(join(root, program)) ? [] : [`there is no ${program}`];
}

/** A setting that a container is given, and a service of compose.yaml. */
function dockerMistakes(words: readonly string[]): string[] {
  if (words[0] !== 'docker') return [];
  const given = words.flatMap((word, at) => (words[at - 1] === '-e' ? [word.replace(/=.*/, '')] : []));
  const compose = words.findIndex((word) => ['exec', 'restart', 'up'].includes(word));
  const named = words[1] === 'compose' ? words.slice(compose + 1).filter((word) => !word.startsWith('-')) : [];
  const services = words[compose] === 'exec' ? named.slice(0, 1) : named;
  return [
    ...given.filter((name) => !settings.has(name)).map((name) => `there is no setting ${name}`),
    ...services.filter((name) => !composeServices.has(name)).map((name) => `compose.yaml has no service ${name}`),
  ];
}

function npmMistake(words: readonly string[]): string | undefined {
  const [verb = '', ...rest] = words.filter((word) => word !== '-s');
  if (npmWords.includes(verb) || verb === '') return undefined;
  if (verb !== 'run')
    return verb in scripts ? undefined : `npm has no command ${verb}, and package.json no such script`;
  const [script = '', ...args] = rest;
  const command = scripts[script];
  if (command === undefined) return `package.json has no script ${script}`;
  const source = /\b(\S+\.(?:ts|mjs))$/.exec(command)?.[1];
  const options = args.slice(1).filter((word) => word.startsWith('--'));
  if (args.length > 0 && args[0] !== '--') return 'npm keeps what does not follow --';
  // Scripts that name their options as parseArgs takes them; jest has its own.
  if (source === undefined || !read(source).includes('parseArgs')) return undefined;
  const unknown = options.find(
    (option) => !new RegExp(`\\b${option.slice(2).split('=')[0]}: \\{ type:`).test(read(source)),
  );
  return unknown === undefined ? undefined : `${source} has no option ${unknown}`;
}

/** Files of this project that an argument names. What a command makes need not be there. */
const made = ['deploy/.env'];

function missingFiles(words: readonly string[]): string[] {
  return words
    .filter((word) => /^(scripts|deploy|test|bench|src|docs|\.ci)\/[\w./-]+$/.test(word) && !made.includes(word))
    .filter((word) => !existsSync(join(root, word)) && !existsSync(join(root, `${word}.test.ts`)))
    .filter((word) => globSync(`${word}*`, { cwd: root }).length === 0)
    .map((word) => `there is no ${word}`);
}

/** Before a server or a command each is a setting; before the tests, what a test or script asks for. */
function variableMistakes({ variables, words }: Shown): string[] {
  const forTests = words.join(' ').includes('test');
  return variables
    .filter((name) => !settings.has(name) && !(forTests && /^(TEST_\w+|CI)$/.test(name)))
    .map((name) => `there is no setting ${name}`);
}
