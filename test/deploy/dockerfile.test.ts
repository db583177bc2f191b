/**
 * What `npm run dockerfile` reads before it builds anything: the Dockerfile, .dockerignore, and whether the two go
 * together.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { build } from './dockerfile/build.ts';
import { leftOver, takenBy, withoutEachSource } from './dockerfile/context.ts';
import { contextFiles, ignores } from './dockerfile/ignore.ts';
import { mapPaths } from './dockerfile/machine.ts';
import { DockerfileMistake, parseDockerfile } from './dockerfile/parse.ts';
import { wordsOf } from './dockerfile/words.ts';

const project = join(import.meta.dirname, '../..');
const source = readFileSync(join(project, 'Dockerfile'), 'utf8');
const head = 'FROM node:24-slim\n';

async function mistakeIn(text: string): Promise<string> {
  try {
    await build(parseDockerfile(text));
    return 'none';
  } catch (error) {
    if (!(error instanceof DockerfileMistake)) throw error;
    return error.message;
  }
}

describe('S6: the Dockerfile', () => {
  test('makes an image for production that runs as an ordinary user', async () => {
    const image = await build(parseDockerfile(source));
    expect(image).toMatchObject({
      env: { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '3000', DATA_DIR: '/data' },
      workdir: '/app',
      user: 'node',
      volumes: ['/data'],
      ports: ['3000'],
      command: ['node', 'src/main.ts'],
      healthcheck: ['node', '-e', expect.stringContaining('/healthz')],
    });
  });

  test('takes every file that .dockerignore lets in, and lets in no file of the development', async () => {
    const files = contextFiles(project);
    expect(await leftOver(parseDockerfile(source), files)).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['package.json', 'src/main.ts', 'views/kit/layout.ejs']));
    expect(files.filter((file) => /^(test|docs|bench|deploy|scripts|node_modules|\.git|\.ci)\//.test(file))).toEqual(
      [],
    );
  });

  const files = contextFiles(project);
  const ofContext = withoutEachSource(source).filter(({ without }) => !without.startsWith('/'));
  test('has these sources', () => {
    expect(ofContext.map(({ without }) => without.split(' ')[0])).toEqual([
      ...['package.json', 'package-lock.json', '.npmrc', 'package.json', 'LICENSE', 'db', 'public', 'views', 'src'],
    ]);
  });
  // The first package.json is needed by npm alone, which says so when the stage is built.
  test.each(ofContext.slice(1))('without $without something is left over', async ({ text }) => {
    expect(await leftOver(parseDockerfile(text), files)).not.toEqual([]);
  });
});

describe('what is not known is a mistake, with its line', () => {
  test.each([
    ['an instruction', `${head}\nADD https://example.com/x /x`, 'Dockerfile:3: the instruction ADD is not known here'],
    ['another', `${head}SHELL ["bash", "-c"]`, 'Dockerfile:2: the instruction SHELL is not known here'],
    ['a word that is none', `${head}\n\nFORM node:24`, 'Dockerfile:4: the instruction FORM is not known here'],
    [
      'a flag',
      `${head}RUN --mount=type=cache,target=/x npm ci`,
      'Dockerfile:2: the flag "--mount=type=cache,target=/x" of RUN',
    ],
    ['a flag of COPY', `${head}COPY --link a b`, 'Dockerfile:2: the flag "--link" of COPY'],
    ['a flag of FROM', 'FROM --platform=linux/arm64 node:24-slim', 'Dockerfile:1: the flag'],
    ['a here-document', `${head}RUN <<EOF\necho\nEOF`, 'Dockerfile:2: a here-document'],
    ['a parser directive', `# escape=\`\n${head}`, 'Dockerfile:1: the parser directive'],
    ['a shell around CMD', `${head}CMD node src/main.ts`, 'Dockerfile:2: CMD has to be a JSON array'],
    ['JSON that is none', `${head}CMD ['node']`, 'Dockerfile:2: "[\'node\']" is not a JSON array'],
    ['a base image', 'FROM node:22-slim', 'Dockerfile:1: node:22-slim is not an official image of Node 24'],
    ['a stage', `${head}COPY --from=other /a /b`, 'Dockerfile:2: there is no earlier stage other'],
    ['ENV without a sign', `${head}ENV A b`, 'Dockerfile:2: ENV takes NAME=value, not "A"'],
    ['a variable', `${head}ENV A=\${B%x}`, 'Dockerfile:2: a variable that is not written'],
    ['several sources to a file', `${head}COPY a b c`, 'Dockerfile:2: the target of several sources is a folder'],
    ['nothing', `${head}WORKDIR`, 'Dockerfile:2: WORKDIR is followed by nothing'],
    ['no FROM', 'RUN x', 'Dockerfile:1: RUN stands before the first FROM'],
    ['a health check in a shell', `${head}HEALTHCHECK CMD curl x`, 'Dockerfile:2: HEALTHCHECK takes'],
  ])('%s', async (_, text, message) => {
    expect(await mistakeIn(text)).toContain(message);
  });

  test('the line is the one that an instruction begins with, behind comments and long ones', async () => {
    expect(await mistakeIn(`# a\n\n${head}RUN a \\\n# between\n\n  && b\nNO x`)).toContain(
      'Dockerfile:8: the instruction NO',
    );
  });
});

test('stages, variables and long lines are followed', async () => {
  const seen: unknown[] = [];
  const image = await build(
    parseDockerfile(
      [
        'ARG BASE=24',
        `FROM node:\${BASE}-slim AS first`,
        'ARG WHO=world',
        'RUN echo $WHO && \\',
        '  # not a word',
        '  echo done',
        'FROM node:24',
        `ENV A=1 B="two words" C=$A-\${D:-d}`,
        'WORKDIR /srv',
        'WORKDIR app',
        'COPY --from=first --chown=node:node /made/$A ./made/',
        'USER node',
        'ENTRYPOINT ["node"]',
        'CMD ["main.js"]',
      ].join('\n'),
    ),
    {
      copy: (stage, copy) => void seen.push([stage, copy]),
      run: (stage, words, { env, workdir }) => void seen.push([stage, words, env.WHO, workdir]),
    },
  );
  expect(seen).toEqual([
    [0, ['/bin/sh', '-c', 'echo $WHO &&   echo done'], 'world', '/'],
    [1, { line: 11, from: 0, sources: ['/made/1'], target: '/srv/app/made/', owner: 'node:node' }],
  ]);
  expect(image).toMatchObject({ env: { A: '1', B: 'two words', C: '-d' }, command: ['node', 'main.js'], user: 'node' });
});

test('words: quotes, backslashes and variables', () => {
  const lookup = (name: string) => ({ A: 'x y', E: '' })[name];
  expect(wordsOf(`a "b c"d 'e $A' \\$A $A "" \${E:-f} \${A:+g}`, lookup)).toEqual([
    'a',
    'b cd',
    'e $A',
    '$A',
    'x y',
    '',
    'f',
    'g',
  ]);
  expect(() => wordsOf('"a')).toThrow('a quote that does not end');
});

describe('.dockerignore', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['**\n!src', ['a', 'b/c', '.git/config'], ['src', 'src/a', 'src/b/c']],
    ['*.md\n!README.md', ['a.md'], ['README.md', 'docs/a.md', 'a.mdx']],
    ['**/*.log', ['a.log', 'b/a.log', 'b/c/a.log'], ['a.logs', 'log']],
    ['# a\n\n /build/ \n', ['build', 'build/a'], ['a/build', 'builds']],
    ['a?c\n[x-z].txt', ['abc', 'y.txt'], ['ac', 'a/c', 'w.txt']],
    ['docs\n!docs/kept\ndocs/kept/not', ['docs/a', 'docs/kept/not'], ['docs/kept', 'docs/kept/a']],
    ['a.b\n\\*', ['a.b', '*'], ['axb', 'z']],
  ])('%j', (text, left, kept) => {
    const ignored = ignores(text);
    expect(left.filter((path) => !ignored(path))).toEqual([]);
    expect(kept.filter((path) => ignored(path))).toEqual([]);
  });
});

test('COPY: a file to a name, files into a folder, what is in a folder, and nothing that is not there', () => {
  const files = ['a.txt', 'src/a.ts', 'src/b/c.ts', 'srcs'];
  const to = (sources: readonly string[], target: string) =>
    takenBy({ line: 9, from: undefined, sources, target, owner: undefined }, files).map(
      (taken) => `${taken.file} ${taken.to}`,
    );
  expect(to(['a.txt'], '/app/b.txt')).toEqual(['a.txt /app/b.txt']);
  expect(to(['./a.txt', 'srcs'], '/app/')).toEqual(['a.txt /app/a.txt', 'srcs /app/srcs']);
  expect(to(['src'], '/app/src')).toEqual(['src/a.ts /app/src/a.ts', 'src/b/c.ts /app/src/b/c.ts']);
  expect(to(['*.txt'], '/app/')).toEqual(['a.txt /app/a.txt']);
  expect(() => to(['views'], '/app/views')).toThrow('Dockerfile:9: views is not in the build context');
});

test('without a chroot, the paths of an image are below its root, and those of the system are not', () => {
  expect(mapPaths('/s', 'mkdir /data && /usr/bin/x --to=/app/a;cat "/app/b" </dev/null a/b http://x')).toBe(
    'mkdir /s/data && /usr/bin/x --to=/s/app/a;cat "/s/app/b" </dev/null a/b http://x',
  );
});
