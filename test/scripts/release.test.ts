/** What a release needs: lock files with a hash for each package, the list of what is in it, and its notes. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
}
type Packages = Readonly<Record<string, LockEntry>>;
interface Lock {
  lockMistakes(lock: { readonly packages: Packages }): string[];
}
interface Notes {
  releaseNotes(changelog: string, version: string): { readonly notes?: string; readonly versions: readonly string[] };
}
interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly 'bom-ref': string; readonly hashes: readonly unknown[] }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const root = join(import.meta.dirname, '../..');
const load = <T>(name: string): Promise<T> => import(`../../scripts/${name}`);
const { lockMistakes } = await load<Lock>('check-lock.mjs');
const { releaseNotes } = await load<Notes>('release-notes.mjs');

function npmRun(...words: readonly string[]) {
  // A registry that is not there: none of these may ask one.
  const env = { ...process.env, npm_config_registry: 'http://127.0.0.1:1', npm_config_fetch_retries: '0' };
  const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', ...words], { cwd: root, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the lock files', () => {
  const integrity = `sha512-${'A'.repeat(86)}==`;
  const mistakesOf = (entry: LockEntry) => lockMistakes({ packages: { '': {}, 'node_modules/koa': entry } });

  test('a package with a SHA-512 hash and nothing else is right', () => {
    expect(mistakesOf({ version: '3.3.0', integrity })).toEqual([]);
  });

  test.each<[string, LockEntry, string]>([
    ['no hash', {}, 'node_modules/koa has no SHA-512 hash'],
    ['an empty hash', { integrity: '' }, 'node_modules/koa has no SHA-512 hash'],
    ['a weak hash', { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'node_modules/koa has no SHA-512 hash'],
    ['a host', { integrity, resolved: 'https://packages.example/koa-3.3.0.tgz' }, 'node_modules/koa names a host'],
    ['a host without a scheme', { integrity, resolved: 'packages.example/koa.tgz' }, 'node_modules/koa names a host'],
  ])('%s is a mistake, with the name of the entry', (_what, entry, mistake) => {
    expect(mistakesOf(entry)).toEqual([expect.stringContaining(mistake)]);
  });

  test('npm run check looks at them', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(scripts.check).toContain(' check:lock ');
    expect(npmRun('check:lock')).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe('npm run sbom', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Packages };
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  const refOf = ([path, { version }]: [string, LockEntry]) => `${path.replace(/.*node_modules\//, '')}@${version}`;

  test('lists every package of production with its hash, and no other, without a network', () => {
    const { status, stdout, stderr } = npmRun('sbom');
    expect([status, stderr]).toEqual([0, '']);
    const sbom = JSON.parse(stdout) as Sbom;
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'gatehouse' } } });

    const wanted = new Map(installed.filter(([, { dev }]) => !dev).map((entry) => [refOf(entry), entry[1].integrity]));
    const hashOf = (integrity = '') => Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
    expect(new Map(sbom.components.map((each) => [each['bom-ref'], each.hashes]))).toEqual(
      new Map([...wanted].map(([ref, integrity]) => [ref, [{ alg: 'SHA-512', content: hashOf(integrity) }]])),
    );

    const named = new Set(sbom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]));
    expect([...named].filter((ref) => !wanted.has(ref))).toEqual([`gatehouse@${sbom.metadata.component.version}`]);
    expect([...wanted.keys()].filter((ref) => !named.has(ref))).toEqual([]);
  });
});

describe('npm run release-notes', () => {
  const changelog =
    '# Changes\n\nFor all.\n\n## 0.2.0 (not released)\n\nOne\nline.\n\n### Breaking\n\n- A point,\n  long.\n- Another.\n\n' +
    '## 0.1.0 (2026-01-02)\n\nThe first.\n';

  test('a version has its own section, and no line breaks within a point', () => {
    const { notes } = releaseNotes(changelog, '0.2.0');
    expect(notes).toBe('One line.\n\n### Breaking\n\n- A point, long.\n- Another.');
    expect(releaseNotes(changelog, '0.1.0').notes).toBe('The first.');
  });

  test.each(['0.3.0', '0.2', '0', '', '.*', '0.2.0 (not'])('%j is no version', (version) => {
    expect(releaseNotes(changelog, version)).toEqual({ notes: undefined, versions: ['0.2.0', '0.1.0'] });
  });

  test('a version of CHANGELOG.md has notes; an unknown one is refused by name', () => {
    const known = npmRun('release-notes', '--', '0.1.0');
    expect(known).toEqual({ status: 0, stdout: expect.stringMatching(/^The first version\./), stderr: '' });
    expect(known.stdout).not.toContain('## 0.');
    const unknown = npmRun('release-notes', '--', '9.9.9');
    expect(unknown).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('no version 9.9.9') });
    expect(npmRun('release-notes')).toMatchObject({ status: 2, stdout: '' });
  });
});
