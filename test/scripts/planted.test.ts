/** The planted faults can be planted: each patch applies to the project as it is, and names suites that are there. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

interface Hunk {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}
interface Fault {
  readonly name: string;
  readonly sentence: string;
  readonly suites: readonly string[];
  readonly hunks: readonly Hunk[];
}
interface Patches {
  readFaults(root: string): Fault[];
  readFault(name: string, patch: string): Fault;
  mistakesOf(fault: Fault, root: string): string[];
  planted(text: string, hunk: Hunk): string;
}

const path = '../../scripts/planted/patches.mjs';
const { readFaults, readFault, mistakesOf, planted }: Patches = await import(path);
const root = join(import.meta.dirname, '../..');
const faults = readFaults(root);

test('each of them applies', () => {
  expect(faults.flatMap((fault) => mistakesOf(fault, root))).toEqual([]);
});

test('every folder of src has three', () => {
  const of = (folder: string) => faults.filter(({ hunks }) => hunks[0]?.file.startsWith(`src/${folder}/`)).length;
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const few = folders.map(({ name }) => name).filter((name) => of(name) < 3);
  expect(few).toEqual([]);
});

describe('a patch', () => {
  const project = mkdtempSync(join(tmpdir(), 'gatehouse-planted-'));
  afterAll(() => rmSync(project, { recursive: true }));
  mkdirSync(join(project, 'src'));
  const fault = readFault(
    'limit',
    'The limit is one too high.\nSuites: src/limit.test.ts\n\n--- a/src/limit.ts\n+++ b/src/limit.ts\n@@ -7 +7 @@\n-if (a > 3) {\n+if (a > 4) {\n',
  );
  const mistakes = (text: string): string[] => {
    writeFileSync(join(project, 'src/limit.ts'), text);
    writeFileSync(join(project, 'src/limit.test.ts'), '');
    return mistakesOf(fault, project);
  };

  test('applies where its lines have moved', () => {
    expect(fault).toMatchObject({ sentence: 'The limit is one too high.', suites: ['src/limit.test.ts'] });
    expect(mistakes('if (a > 3) {\n')).toEqual([]);
    expect(mistakes('// new\n\nif (a > 3) {\n}\n')).toEqual([]);
    const [hunk] = fault.hunks;
    expect(hunk && planted('// $1\nif (a > 3) {\n}\n', hunk)).toBe('// $1\nif (a > 4) {\n}\n');
  });

  test('is refused where its lines are gone, there twice, or only a part of others, with the way to renew it', () => {
    const renewed = (what: string) => [expect.stringMatching(`limit.patch does not apply to .*${what}.* To renew it`)];
    expect(mistakes('if (a >= 3) {\n')).toEqual(renewed('are gone'));
    expect(mistakes('  if (a > 3) {\n')).toEqual(renewed('are gone'));
    expect(mistakes('if (a > 3) {\nif (a > 3) {\n}\n')).toEqual(renewed('occur 2 times'));
  });

  test('is refused without its file or its suite', () => {
    rmSync(join(project, 'src'), { recursive: true });
    expect(mistakesOf(fault, project)).toEqual([
      expect.stringContaining('names the suite src/limit.test.ts, which does not exist'),
      expect.stringContaining('changes src/limit.ts, which does not exist'),
    ]);
  });

  test('without its sentence or its suites cannot be read', () => {
    expect(() => readFault('bare', '--- a/src/limit.ts\n+++ b/src/limit.ts\n')).toThrow('needs a sentence');
  });
});
