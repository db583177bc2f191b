/** The checks of scripts/structure notice what they are there for. */
import { describe, expect, test } from '@jest/globals';

interface Modules {
  structureMistakes(files: readonly string[], dependencies: ReadonlyMap<string, readonly string[]>): string[];
}
interface Paths {
  missingPaths(text: string): { readonly path: string; readonly line: number }[];
  brokenLinks(page: string, text: string): { readonly link: string; readonly line: number }[];
}
interface Graph {
  withGraph(document: string, dependencies: ReadonlyMap<string, readonly string[]>): string;
}

interface Exports {
  unusedExports(files: readonly string[], read: (file: string) => string): string[];
}

const load = <T>(name: string): Promise<T> => import(`../../scripts/${name}`);
const { structureMistakes } = await load<Modules>('structure/modules.mjs');
const { withGraph } = await load<Graph>('structure/graph.mjs');
const { unusedExports } = await load<Exports>('structure/exports.mjs');

const files = (count: number): string[] => Array.from({ length: count }, (_, n) => `src/core/apis/file-${n}.ts`);
const forward = new Map([
  ['src/core/accounts/accounts.ts', ['src/core/kernel/names.ts', 'src/base/clock.ts']],
  ['src/core/clients/clients.ts', ['src/core/accounts/accounts.ts']],
  ['src/core/kernel/names.ts', []],
  ['src/base/clock.ts', []],
]);

const { missingPaths, brokenLinks } = await load<Paths>('check-paths.mjs');

describe('the structure of src', () => {
  test('a folder holds 24 files and no more', () => {
    expect(structureMistakes(files(24), new Map())).toEqual([]);
    expect(structureMistakes(files(25), new Map())).toEqual([expect.stringContaining('src/core/apis has 25 files')]);
  });

  test('modules of core that reach each other are named, over whatever files', () => {
    expect(structureMistakes([], forward)).toEqual([]);
    const back = new Map([...forward, ['src/core/kernel/links.ts', ['src/core/clients/clients.ts']]]);
    expect(structureMistakes([], back)).toEqual([
      expect.stringContaining('accounts, clients, kernel import each other'),
    ]);
  });
});

describe('exported names', () => {
  const project: Readonly<Record<string, string>> = {
    'src/base/clock.ts':
      'export const now = 1, [then] = [0];\nexport interface Clock { tick: Unit }\nexport type Unit = number;\n' +
      'export async function wait(later: Unit) {}\nexport class Timer {}\nconst own = 2;\nexport { own };\n',
    'src/base/shapes.ts': 'export const login = 1;\nexport const logout = 2;\n',
    'src/base/all.ts': 'export const one = 1;\n',
    'src/core/apis/clock.ts': 'export const now = 3;\nexport type Reader = { now: number };\n',
    'src/main.ts':
      "import { type Clock, now as current, wait } from './base/clock.ts';\nimport * as all from './base/all.ts';\n" +
      "const { login } = await import('./base/shapes.ts');\n",
    'test/base/clock.test.ts': "import { own } from '../../src/base/clock.ts';\nexport const unread = 1;\n",
  };

  test('those that no other file imports are named, each with its file', () => {
    expect(unusedExports(Object.keys(project), (file) => project[file] ?? '')).toEqual([
      'src/base/clock.ts then',
      'src/base/clock.ts Unit',
      'src/base/clock.ts Timer',
      'src/base/shapes.ts logout',
      'src/core/apis/clock.ts now',
      'src/core/apis/clock.ts Reader',
    ]);
  });
});

describe('the graph in docs/architecture.md', () => {
  const page =
    'before\n<!-- Generated from the imports by `npm run check:fix`. -->\nold\n<!-- End of the generated part. -->\nafter\n';

  test('what is imported stands above what imports it', () => {
    const written = withGraph(page, forward);
    expect(written).toContain('kernel\naccounts  kernel\nclients   accounts\n');
    expect(written).toMatch(/^before\n[\s\S]*\nafter\n$/);
    expect(written).not.toContain('old');
    expect(withGraph(written, forward)).toBe(written);
  });

  test('an import more is another page', () => {
    const more = new Map([...forward, ['src/core/clients/uris.ts', ['src/core/kernel/names.ts']]]);
    expect(withGraph(page, more)).not.toBe(withGraph(page, forward));
  });

  test('a page without the marks is refused', () => {
    expect(() => withGraph('nothing', forward)).toThrow('lacks the lines');
  });
});

describe('paths in the pages', () => {
  test.each([
    ['`src/app.ts`, `core/kernel/` and `test/core`', []],
    ['`src/core/nothing.ts`', ['src/core/nothing.ts']],
    ['first\n`core/nothing/names.ts`', ['core/nothing/names.ts']],
    ['```text\nsrc/nothing/   what it is\n```', ['src/nothing/']],
    ['`src/core/<noun>/`, `application/json`, `/oauth/token`', []],
    ['```sh\nnpm run bench src/nothing\n```', []],
  ])('%j', (text, missing) => {
    expect(missingPaths(text).map(({ path }) => path)).toEqual(missing);
  });
});

describe('links into docs/', () => {
  test.each([
    ['README.md', '[a](docs/mail.md), [b](docs/mail.md#whose-an-address-is), [c](https://example.com/docs/x.md)', []],
    ['docs/decisions/016.md', '[a](../mail.md#how-links-work)\n[b](../nothing.md)', ['../nothing.md']],
    ['docs/sessions.md', '[a](mail.md#nothing) [b](#nothing)', ['mail.md#nothing', '#nothing']],
    ['docs/sessions.md', '```sh\n[a](nothing.md)\n```', []],
  ])('%s: %j', (page, text, broken) => {
    expect(brokenLinks(page, text).map(({ link }) => link)).toEqual(broken);
  });
});
