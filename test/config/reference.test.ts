import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { reference } from '../../src/config/reference.ts';
import { settings } from '../../src/config/schema.ts';
import type { Setting } from '../../src/config/setting.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
const table = Object.entries<Setting<unknown>>(settings);

test('schema and docs/settings.md list the same settings', () => {
  const documented = [...page.matchAll(/^### `([A-Z_]+)`$/gm)].map((match) => match[1] ?? '');
  expect(documented.sort()).toEqual(Object.keys(settings).sort());
});

test('docs/settings.md is what the schema says', () => {
  expect(page).toBe(reference());
});

test.each(table)('%s: its default is one of its own values', (_name, { kind, fallback }) => {
  if (typeof fallback === 'string' || typeof fallback === 'number') expect(kind.parse(String(fallback))).toBeDefined();
});

// An example in back quotes is a sentence; a path need not exist here; a second worker needs a database.
const literal = table.filter(([name, { example }]) => !/[`/]/.test(example) && !/^(WORKERS|METRICS_HOST)$/.test(name));
test.each(literal)('%s: its example is accepted', (name, { example }) => {
  expect(loadConfig({ [name]: example })).toMatchObject({ ok: true });
});
